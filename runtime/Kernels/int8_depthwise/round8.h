/* From accumulators back to 8 bits, one value at a time: rhe is round half to even. */
#ifndef WHERRY_ROUND8_H
#define WHERRY_ROUND8_H

#include <stdbool.h>
#include <stdint.h>

/* clamp(rhe(t) + zero, low, high) for zeros and bounds of 8 bits; NaN counts as below everything.
 */
static inline int32_t wh_round8(float t, int32_t zero, int32_t low, int32_t high) {
  const float least = (float)(low - zero), most = (float)(high - zero);
  t = t > least ? t : least;
  t = t < most ? t : most;
  return (int32_t)(t + 12582912.0f - 12582912.0f) +
         zero; /* 1.5 * 2^23: no bits left of fractions */
}

static inline bool wh_is_q(int32_t value) { return value >= -128 && value <= 127; }

/* Do an 8-bit result's zero and clamp lie in range? */
static inline bool wh_are_bounds(int32_t zero, int32_t low, int32_t high) {
  return wh_is_q(zero) && wh_is_q(low) && wh_is_q(high) && low <= high;
}

/* A byte of a WH_Q8 tensor as its value, flip as wh_q8_flip. */
static inline int32_t wh_q_of(uint8_t byte, uint8_t flip) { return (int8_t)(byte ^ flip); }

#endif
