/* What every step on 8-bit values shares: which parameters are sound, and the way back to a byte.
 */
#ifndef WHERRY_ROUNDING_H
#define WHERRY_ROUNDING_H

#include <stdbool.h>
#include <stdint.h>

#include "../../ABI/plan.h"

#define WH_BAD_SCALE "a factor, zero point or clamp is out of range"

/* Finite, normal, positive, at most WH_LARGEST_FACTOR. */
static inline bool wh_is_factor(float factor) {
  return factor >= 0x1p-126f && factor <= WH_LARGEST_FACTOR;
}

static inline bool wh_is_byte(int32_t value) { return (uint32_t)value + 128 < 256; }

/* Half to even, of t limited to +-2^20: far outside of what any byte is clamped from. NaN counts as
 * 0. */
static inline int32_t wh_round_even(float t) {
  t = t != t ? 0 : t;
  t = t < -0x1p20f ? -0x1p20f : t;
  t = t > 0x1p20f ? 0x1p20f : t;
  return (int32_t)((t + 12582912.0f) - 12582912.0f);
}

/* clamp(rhe(t) + zero, low, high), low and high being bytes. */
static inline int32_t wh_to_byte(float t, int32_t zero, int32_t low, int32_t high) {
  const int32_t y = wh_round_even(t) + zero;
  return y < low ? low : y > high ? high : y;
}

#endif
