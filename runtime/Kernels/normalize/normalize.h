#ifndef WHERRY_NORMALIZE_H
#define WHERRY_NORMALIZE_H

#include "../common/operands.h"

enum { WH_MEAN_VARIANCE, WH_RMS, WH_L1, WH_L2 }; /* wh_normalize.kind */

/* One row; scale and bias begin at its first channel. Variants differ in the order of sums. */
typedef void wh_normalize_function(const wh_normalize *p, const float *x, float *y,
                                   const float *scale, const float *bias);
wh_normalize_function wh_normalize_scalar, wh_normalize_avx2;

#endif
