/* float32 by the int8 weights of wh_matmul_weights8. Variants differ in rounding only. */
#ifndef WHERRY_WEIGHTS8_H
#define WHERRY_WEIGHTS8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../ABI/plan.h"

/* Bytes of a panel before its weights, and its columns. */
#define WH_WEIGHTS8_HEAD 64

/* y[m][n] = clamp(scale[n] * sum_k x[m][k] * w[k][n] + bias[n]), weights made floats in registers:
 * for few rows. bias may be null. */
typedef void wh_weights8_rows_function(const wh_matmul_weights8 *p, const float *x,
                                       const uint8_t *stream, const float *bias, float *y);
wh_weights8_rows_function wh_weights8_rows_scalar, wh_weights8_rows_avx2, wh_weights8_rows_avx512,
    wh_weights8_rows_neon;

/* Up to 16 columns from n of rows y, p->n apart, from sums 16 apart. */
void wh_weights8_finish(const wh_matmul_weights8 *p, const uint8_t *panel, const float *bias,
                        int64_t n, const float *sums, int64_t rows, float *y);

/* to[rows][16] = weights[rows][16] * scale[16]. */
void wh_weights8_widen_neon(const int8_t *weights, const float *scale, float *to, int64_t rows);

#endif
