/* Walks the outer axes of up to three strided operands over one dense shape, the innermost axis
 * (after joining what continues) as runs. */
#ifndef WHERRY_ODOMETER_H
#define WHERRY_ODOMETER_H

#include "../common/operands.h"

#define WH_STREAMS 3

typedef struct wh_odometer {
  int rank;    /* of the outer axes */
  int64_t run; /* elements of the innermost axis; 0: nothing to do */
  int64_t run_stride[WH_STREAMS];
  int64_t extent[WH_MAX_RANK], stride[WH_STREAMS][WH_MAX_RANK];
  int64_t index[WH_MAX_RANK], at[WH_STREAMS]; /* first elements of this run */
} wh_odometer;

wh_odometer wh_odometer_begin(int rank, const int32_t *shape, int streams,
                              const int64_t *const *strides);

/* Moves to the next run; false after the last. */
bool wh_odometer_next(wh_odometer *o);

/* Inputs 0 and 1 of elements of so many bytes hold their views of shape, and output 0, dense with
 * shape, overlaps nothing: it may be an input whose strides are its own. Null when both hold. */
const char *wh_check_two_views(const wh_call *call, int32_t rank, const int32_t *shape,
                               const int64_t *a_strides, const int64_t *b_strides, unsigned bytes);

#endif
