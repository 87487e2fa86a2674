/* What every 8-bit kernel does last: float32 to the stored byte of a WH_Q8 tensor, as
 * runtime/ARITHMETIC.md defines it. Vectors of it: q8_vector.h. */
#ifndef WHERRY_Q8_H
#define WHERRY_Q8_H

#include "operands.h"

#define WH_BAD_QUANTIZATION "a zero point, clamp or factor is out of range"

/* The result's clamp and zero point. Bounds are relative to the zero, so that clamping comes before
 * rounding and every value that is rounded is small; zero is that of the stored byte. */
typedef struct wh_q8_range {
  float low, high; /* -255 ... 255 */
  uint8_t zero;
} wh_q8_range;

/* Of zero, low, high in the signed view, each -128 ... 127. */
static inline wh_q8_range wh_q8_range_of(const wh_call *call, int32_t zero, int32_t low,
                                         int32_t high) {
  return (wh_q8_range){(float)(low - zero), (float)(high - zero),
                       (uint8_t)((uint32_t)zero ^ wh_q8_flip(call))};
}

/* Are these a zero point and a clamp in the signed view? */
static inline bool wh_q8_range_sane(int32_t zero, int32_t low, int32_t high) {
  return zero >= -128 && zero <= 127 && low >= -128 && low <= high && high <= 127;
}

/* Is it finite, normal, positive and at most WH_LARGEST_FACTOR? */
static inline bool wh_q8_factor_sane(float factor) {
  return factor >= 1.17549435e-38f && factor <= WH_LARGEST_FACTOR;
}

/* Half to even, for |t| < 2^22. */
static inline float wh_q8_round(float t) { return (t + 12582912.0f) - 12582912.0f; }

/* clamp(rhe(t)), relative to the zero; NaN counts as 0. */
static inline float wh_q8_clamp(float t, float low, float high) {
  t = t > low ? t : low;
  t = t < high ? t : high;
  return wh_q8_round(t);
}

/* The stored byte of clamp(rhe(t) + zero, low, high). */
static inline uint8_t wh_q8_byte(float t, const wh_q8_range *range) {
  const float q = wh_q8_clamp(t == t ? t : 0, range->low, range->high);
  return (uint8_t)((int32_t)q + range->zero);
}

static inline uint8_t wh_requantize(int32_t acc, float factor, const wh_q8_range *range) {
  return wh_q8_byte((float)acc * factor, range);
}

#endif
