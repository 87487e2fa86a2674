/* Spans of 8-bit values. flip is what a stored byte is xored with to be q in two's complement: 0 or
 * 0x80. Each variant gives the bytes of the scalar one, which is the definition. y may be x, a or
 * b. */
#ifndef WHERRY_BYTES_H
#define WHERRY_BYTES_H

#include <stdint.h>

#include "../../ABI/plan.h"

/* y = a kind b by p's factors and zeros. a_step and b_step are 0 or 1; a and b are readable up to
 * 63 bytes past their end. */
typedef void wh_bytes_binary_function(const wh_qbinary *p, uint8_t flip, const uint8_t *a,
                                      int a_step, const uint8_t *b, int b_step, uint8_t *y,
                                      int64_t count);

/* y[i] = table[x[i]]. */
typedef void wh_bytes_lookup_function(const uint8_t table[256], const uint8_t *x, uint8_t *y,
                                      int64_t count);

/* y = clamp(rhe(x / scale) + zero, -128, 127) ^ flip, for any scale. */
typedef void wh_bytes_quantize_function(const float *x, float scale, int32_t zero, uint8_t flip,
                                        uint8_t *y, int64_t count);

/* y = ((x ^ flip) - zero) * scale, for any scale. */
typedef void wh_bytes_dequantize_function(const uint8_t *x, uint8_t flip, int32_t zero, float scale,
                                          float *y, int64_t count);

/* The smallest and largest of x and 0; NaN does not count. */
typedef struct wh_range {
  float least, most;
} wh_range;
typedef wh_range wh_range_function(const float *x, int64_t count);

/* What softmax makes of a row: table[(u - 128) ^ flip] = clamp(rhe(reversed[u] * k) + zero) ^ flip
 * for the 256 values of u. */
typedef void wh_softmax_table_function(const float *reversed, float k, int32_t zero, uint8_t flip,
                                       uint8_t table[256]);

/* More taps of a pixel than this are for the scalar variant. */
#define WH_RESIZE_TAPS 64

/* A row of p->out[1] pixels of p->inner bytes; x is readable up to 63 bytes past its end. */
typedef struct wh_resize_taps {
  const int32_t *indices[2], *weights[2]; /* of this row, and of all columns */
} wh_resize_taps;
typedef void wh_resize_function(const wh_qresize *p, uint8_t flip, const wh_resize_taps *row,
                                const uint8_t *x, uint8_t *y);

#define WH_BYTES_VARIANTS(isa)                                   \
  extern wh_bytes_binary_function wh_bytes_binary_##isa;         \
  extern wh_bytes_lookup_function wh_bytes_lookup_##isa;         \
  extern wh_bytes_quantize_function wh_bytes_quantize_##isa;     \
  extern wh_bytes_dequantize_function wh_bytes_dequantize_##isa; \
  extern wh_range_function wh_range_##isa;                       \
  extern wh_softmax_table_function wh_softmax_table_##isa;       \
  extern wh_resize_function wh_resize_##isa;
WH_BYTES_VARIANTS(scalar)
WH_BYTES_VARIANTS(sse2)
WH_BYTES_VARIANTS(avx2)
WH_BYTES_VARIANTS(avx512)
WH_BYTES_VARIANTS(neon)
wh_bytes_lookup_function wh_bytes_lookup_vbmi;

/* The fastest variant for a processor, its WH_Q8 tensors stored as cpu says. */
wh_bytes_binary_function *wh_bytes_binary(uint32_t cpu, const wh_qbinary *p);
wh_bytes_lookup_function *wh_bytes_lookup(uint32_t cpu, int64_t count);
wh_bytes_quantize_function *wh_bytes_quantize(uint32_t cpu);
wh_bytes_dequantize_function *wh_bytes_dequantize(uint32_t cpu, float scale);
wh_range_function *wh_range_of(uint32_t cpu);
wh_softmax_table_function *wh_softmax_table(uint32_t cpu);
wh_resize_function *wh_resize(uint32_t cpu, const wh_qresize *p);

#endif
