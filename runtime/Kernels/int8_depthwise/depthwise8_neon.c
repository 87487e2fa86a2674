#if defined(__ARM_NEON)
#include "../common/vector.h"
#include "depthwise8.h"

/* Sums of the first two and the last two of four taps, element by element. */
typedef struct acc {
  int32x4_t low, high;
} acc;
typedef struct heads heads;
WH_INLINE int32x4_t total(acc sums, const heads *h, int q);

#define OUTPUTS 2
#include "depthwise8_neon.h"

WH_INLINE acc start(const heads *h, int q) {
  (void)h, (void)q;
  return (acc){vdupq_n_s32(0), vdupq_n_s32(0)};
}

WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights) {
  const vec x = load(entry + 16 * q), w = weights[q];
  sums.low = vpadalq_s16(sums.low, vmull_s8(vget_low_s8(x), vget_low_s8(w)));
  sums.high = vpadalq_s16(sums.high, vmull_s8(vget_high_s8(x), vget_high_s8(w)));
  return sums;
}

WH_INLINE int32x4_t total(acc sums, const heads *h, int q) {
#if defined(__aarch64__)
  return vaddq_s32(vpaddq_s32(sums.low, sums.high), h->bias[q]);
#else
  const int32x2_t low = vpadd_s32(vget_low_s32(sums.low), vget_high_s32(sums.low));
  const int32x2_t high = vpadd_s32(vget_low_s32(sums.high), vget_high_s32(sums.high));
  return vaddq_s32(vcombine_s32(low, high), h->bias[q]);
#endif
}

#include "depthwise8_body.h"

void wh_fill8_neon(const wh_fill8 *f) { fill(f); }

/* Signed storage needs no correction, and to_nearest saturates. */
bool wh_prepare8_neon(uint8_t *weights, int32_t count, int32_t first, int32_t taps, wh_heads8 *h) {
  (void)weights, (void)count, (void)first, (void)taps, (void)h;
  return true;
}

static void run(const wh_run8 *r) { run_of(r); }

const wh_strips8 wh_strips8_neon = {16, 64, wh_fill8_neon, wh_prepare8_neon, run, NULL};
#endif
typedef int wh_depthwise8_neon_file;
