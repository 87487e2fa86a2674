#if defined(__ARM_NEON)
#include "../common/vector.h"
#include "pool8.h"

typedef int8x16_t vec;
typedef struct halves {
  int16x8_t of[2];
} halves;
typedef struct quarters {
  int32x4_t of[4];
} quarters;

WH_INLINE vec load(const uint8_t *p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
WH_INLINE void store(uint8_t *p, vec v) { vst1q_u8(p, vreinterpretq_u8_s8(v)); }
WH_INLINE vec least(void) { return vdupq_n_s8(-128); }
WH_INLINE vec most(vec a, vec b) { return vmaxq_s8(a, b); }

WH_INLINE void store_part(uint8_t *p, vec v, ptrdiff_t count) {
  uint8_t bytes[16];
  store(bytes, v);
  memcpy(p, bytes, (size_t)count);
}

WH_INLINE vec clamped(vec v, const wh_pool8 *w) {
  return vminq_s8(vmaxq_s8(v, vdupq_n_s8((int8_t)w->low)), vdupq_n_s8((int8_t)w->high));
}

WH_INLINE halves add(halves sums, vec v) {
  sums.of[0] = vaddw_s8(sums.of[0], vget_low_s8(v));
  sums.of[1] = vaddw_s8(sums.of[1], vget_high_s8(v));
  return sums;
}

WH_INLINE quarters flush(quarters totals, halves *sums) {
  WH_UNROLL
  for (int i = 0; i < 2; i++) {
    totals.of[2 * i] = vaddw_s16(totals.of[2 * i], vget_low_s16(sums->of[i]));
    totals.of[2 * i + 1] = vaddw_s16(totals.of[2 * i + 1], vget_high_s16(sums->of[i]));
    sums->of[i] = vdupq_n_s16(0);
  }
  return totals;
}

/* Half to even; what 32 bits do not hold saturates, or is beyond 8 bits anyway. */
WH_INLINE int16x4_t to_nearest(float32x4_t t) {
#if defined(__aarch64__)
  return vqmovn_s32(vcvtnq_s32_f32(t));
#else
  t = vminq_f32(vmaxq_f32(t, vdupq_n_f32(-0x1p20f)), vdupq_n_f32(0x1p20f));
  return vqmovn_s32(vsubq_s32(vreinterpretq_s32_f32(vaddq_f32(t, vdupq_n_f32(12582912.0f))),
                              vdupq_n_s32(0x4B400000)));
#endif
}

WH_INLINE vec finish(quarters totals, const wh_pool8 *w) {
  const int16x8_t zero = vdupq_n_s16((int16_t)w->y_zero);
  int16x4_t t[4];
  WH_UNROLL
  for (int q = 0; q < 4; q++) {
    const float32x4_t sum = vcvtq_f32_s32(vsubq_s32(totals.of[q], vdupq_n_s32(w->offset)));
    t[q] = to_nearest(vmulq_n_f32(sum, w->factor));
  }
  const int8x8_t low = vqmovn_s16(vqaddq_s16(vcombine_s16(t[0], t[1]), zero));
  const int8x8_t high = vqmovn_s16(vqaddq_s16(vcombine_s16(t[2], t[3]), zero));
  return clamped(vcombine_s8(low, high), w);
}

#include "pool8_body.h"

void wh_pool8_neon(const wh_pool8 *w) { w->average ? window_of(w, true) : window_of(w, false); }
#endif
typedef int wh_pool8_neon_file;
