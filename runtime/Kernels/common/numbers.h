/* Spans of numbers by element type: integers travel as int64 (uint64 by its bits), reals as
 * float64. Kernels that are not hot compute on short spans of these, one loop for all types. */
#ifndef WHERRY_NUMBERS_H
#define WHERRY_NUMBERS_H

#include <stdint.h>

/* Elements in a span buffer. */
#define WH_SPAN 64

/* out[i] = base[start + i * stride] for i < count; start and stride in elements. */
void wh_load_integers(int64_t *out, uint32_t element, const void *base, int64_t start,
                      int64_t stride, int count);
void wh_load_reals(double *out, uint32_t element, const void *base, int64_t start, int64_t stride,
                   int count);
void wh_load_floats(float *out, const void *base, int64_t start, int64_t stride, int count);

/* base[start + i * stride] = in[i], wrapped to the element; bool stores in[i] != 0. */
void wh_store_integers(const int64_t *in, uint32_t element, void *base, int64_t start,
                       int64_t stride, int count);
/* Reals to a real element, rounded once. */
void wh_store_reals(const double *in, uint32_t element, void *base, int64_t start, int64_t stride,
                    int count);

/* Truncates and saturates into the element's range; NaN is 0; bool is value != 0. */
int64_t wh_saturate(uint32_t element, double value);

/* A key whose int64 order is the order of the numbers: equal zeros, NaN above everything. */
int64_t wh_order_key(uint32_t element, const void *base, int64_t index);

double wh_half_to_real(uint16_t half);
uint16_t wh_real_to_half(double value);

#endif
