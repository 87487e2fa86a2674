#include "interleave.h"

#if defined(__x86_64__)
#include "../common/vector.h"

/* A third of three vectors' bytes: every third byte, from at on, is one of x. Callers pass
 * constants.
 */
WH_INLINE __attribute__((target("avx2"))) __m128i spread(__m128i x, int third, int at) {
  char from[16];
  WH_UNROLL
  for (int i = 0; i < 16; i++)
    from[i] = (char)((16 * third + i) % 3 == at ? (16 * third + i) / 3 : -1);
  return _mm_shuffle_epi8(x, _mm_loadu_si128((const __m128i *)(const void *)from));
}

static __attribute__((target("avx2"))) int64_t with_shuffles(uint8_t *y, const uint8_t *x,
                                                             ptrdiff_t plane, int64_t pixels) {
  int64_t i = 0;
  for (; i + 16 <= pixels; i += 16, x += 16, y += 48) {
    __m128i value[3];
    WH_UNROLL
    for (int c = 0; c < 3; c++) value[c] = _mm_loadu_si128((const __m128i_u *)(x + c * plane));
    WH_UNROLL
    for (int third = 0; third < 3; third++) {
      const __m128i first = spread(value[0], third, 0), second = spread(value[1], third, 1);
      _mm_storeu_si128((__m128i_u *)(y + 16 * third),
                       _mm_or_si128(_mm_or_si128(first, second), spread(value[2], third, 2)));
    }
  }
  return i;
}

int64_t wh_interleave3(uint32_t cpu, uint8_t *y, const uint8_t *x, ptrdiff_t plane,
                       int64_t pixels) {
  return cpu & WHERRY_CPU_AVX2 ? with_shuffles(y, x, plane, pixels) : 0;
}
#elif defined(__ARM_NEON)
#include <arm_neon.h>

int64_t wh_interleave3(uint32_t cpu, uint8_t *y, const uint8_t *x, ptrdiff_t plane,
                       int64_t pixels) {
  int64_t i = 0;
  (void)cpu;
  for (; i + 16 <= pixels; i += 16, x += 16, y += 48) {
    const uint8x16x3_t value = {{vld1q_u8(x), vld1q_u8(x + plane), vld1q_u8(x + 2 * plane)}};
    vst3q_u8(y, value);
  }
  return i;
}
#endif
