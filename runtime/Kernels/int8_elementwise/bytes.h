/* Spans of 8-bit values. flip is what a stored byte is xored with to be q in two's complement: 0 or
 * 0x80. Each variant gives the bytes of the scalar one, which is the definition. y may be x, a or
 * b; nothing outside of count elements is read or written. */
#ifndef WHERRY_BYTES_H
#define WHERRY_BYTES_H

#include <stdint.h>

#include "../../ABI/plan.h"

/* y = a kind b by p's factors and zeros, stored as cpu says. a_step and b_step are 0 or 1; a and b
 * are readable up to 63 bytes past their end. */
typedef void wh_bytes_binary_function(const wh_qbinary *p, const uint8_t *a, int a_step,
                                      const uint8_t *b, int b_step, uint8_t *y, int64_t count);
wh_bytes_binary_function wh_bytes_binary_avx2, wh_bytes_binary_avx512, wh_bytes_binary_neon;
void wh_bytes_binary_scalar(const wh_qbinary *p, uint8_t flip, const uint8_t *a, int a_step,
                            const uint8_t *b, int b_step, uint8_t *y, int64_t count);
void wh_bytes_binary(uint32_t cpu, const wh_qbinary *p, const uint8_t *a, int a_step,
                     const uint8_t *b, int b_step, uint8_t *y, int64_t count);

/* y[i] = table[x[i]]. */
typedef void wh_bytes_lookup_function(const uint8_t table[256], const uint8_t *x, uint8_t *y,
                                      int64_t count);
wh_bytes_lookup_function wh_bytes_lookup_scalar, wh_bytes_lookup_avx2, wh_bytes_lookup_vbmi,
    wh_bytes_lookup_neon;
void wh_bytes_lookup(uint32_t cpu, const uint8_t table[256], const uint8_t *x, uint8_t *y,
                     int64_t count);

/* y = clamp(rhe(x / scale) + zero, -128, 127) ^ flip, for any scale. */
typedef void wh_bytes_quantize_function(const float *x, float scale, int32_t zero, uint8_t flip,
                                        uint8_t *y, int64_t count);
wh_bytes_quantize_function wh_bytes_quantize_scalar, wh_bytes_quantize_avx2,
    wh_bytes_quantize_avx512, wh_bytes_quantize_neon;
void wh_bytes_quantize(uint32_t cpu, const float *x, float scale, int32_t zero, uint8_t flip,
                       uint8_t *y, int64_t count);

/* y = ((x ^ flip) - zero) * scale, for any scale. */
typedef void wh_bytes_dequantize_function(const uint8_t *x, uint8_t flip, int32_t zero, float scale,
                                          float *y, int64_t count);
wh_bytes_dequantize_function wh_bytes_dequantize_scalar, wh_bytes_dequantize_avx2,
    wh_bytes_dequantize_avx512, wh_bytes_dequantize_neon;
void wh_bytes_dequantize(uint32_t cpu, const uint8_t *x, uint8_t flip, int32_t zero, float scale,
                         float *y, int64_t count);

/* The smallest and largest of x and 0; NaN does not count. */
typedef struct wh_range {
  float least, most;
} wh_range;
typedef wh_range wh_range_function(const float *x, int64_t count);
wh_range_function wh_range_scalar, wh_range_avx2, wh_range_avx512, wh_range_neon;
wh_range wh_range_of(uint32_t cpu, const float *x, int64_t count);

/* What softmax makes of a row: table[byte] = clamp(rhe(min(reversed[u] * k, 2^20)) + zero) for the
 * byte of the signed value u - 128, both as cpu stores them. reversed has 256 entries. */
typedef void wh_softmax_table_function(const float *reversed, float k, int32_t zero,
                                       uint8_t *table);
wh_softmax_table_function wh_softmax_table_avx2, wh_softmax_table_avx512, wh_softmax_table_neon;
wh_softmax_table_function *wh_softmax_table(uint32_t cpu); /* or null */

/* One pixel of p->inner bytes, stored as cpu says; x is readable up to 63 bytes past its end. */
typedef struct wh_resize_taps {
  const int32_t *indices[2], *weights[2];
} wh_resize_taps;
typedef void wh_resize_function(const wh_qresize *p, const wh_resize_taps *taps, const uint8_t *x,
                                uint8_t *y);
wh_resize_function wh_resize_avx2, wh_resize_avx512, wh_resize_neon;
wh_resize_function *wh_resize(uint32_t cpu); /* or null */

#endif
