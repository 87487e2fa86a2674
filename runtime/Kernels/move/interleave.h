/* The picture of three planes as a picture of pixels, the one transposition of bytes that is
 * common. */
#ifndef WHERRY_INTERLEAVE_H
#define WHERRY_INTERLEAVE_H

#include "../common/operands.h"

/* y[3 * i + c] = x[c * plane + i]. Returns how many pixels from the first on are done: a multiple
 * of 16, none where the processor has no fast way. */
int64_t wh_interleave3(uint32_t cpu, uint8_t *y, const uint8_t *x, ptrdiff_t plane, int64_t pixels);

#endif
