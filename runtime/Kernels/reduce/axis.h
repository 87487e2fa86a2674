/* Kernels along one axis of x viewed as [outer, count, inner]. */
#ifndef WHERRY_AXIS_H
#define WHERRY_AXIS_H

#include "../common/numbers.h"
#include "../common/operands.h"

/* x of the element type with outer * count * inner elements, and output i with outer * out * inner
 * of the element type gives; null when both hold. */
const char *wh_check_axis(const wh_call *call, uint32_t element, int32_t outer, int32_t count,
                          int32_t inner, unsigned i, uint32_t gives, int32_t out);

#endif
