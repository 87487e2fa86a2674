#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "pool8.h"

typedef __m256i vec;
typedef struct halves {
  __m256i of[2];
} halves;
typedef struct quarters {
  __m256i of[4];
} quarters;

WH_INLINE vec load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
WH_INLINE void store(uint8_t *p, vec v) { _mm256_storeu_si256((__m256i *)p, v); }
WH_INLINE vec least(void) { return _mm256_setzero_si256(); }
WH_INLINE vec most(vec a, vec b) { return _mm256_max_epu8(a, b); }

WH_INLINE void store_part(uint8_t *p, vec v, ptrdiff_t count) {
  uint8_t bytes[32];
  store(bytes, v);
  memcpy(p, bytes, (size_t)count);
}

WH_INLINE vec clamped(vec v, const wh_pool8 *w) {
  v = _mm256_max_epu8(v, _mm256_set1_epi8((char)(w->low ^ 0x80)));
  return _mm256_min_epu8(v, _mm256_set1_epi8((char)(w->high ^ 0x80)));
}

WH_INLINE halves add(halves sums, vec v) {
  const vec zero = _mm256_setzero_si256();
  sums.of[0] = _mm256_add_epi16(sums.of[0], _mm256_unpacklo_epi8(v, zero));
  sums.of[1] = _mm256_add_epi16(sums.of[1], _mm256_unpackhi_epi8(v, zero));
  return sums;
}

WH_INLINE quarters flush(quarters totals, halves *sums) {
  const vec zero = _mm256_setzero_si256();
  WH_UNROLL
  for (int i = 0; i < 2; i++) {
    totals.of[2 * i] = _mm256_add_epi32(totals.of[2 * i], _mm256_unpacklo_epi16(sums->of[i], zero));
    totals.of[2 * i + 1] =
        _mm256_add_epi32(totals.of[2 * i + 1], _mm256_unpackhi_epi16(sums->of[i], zero));
    sums->of[i] = zero;
  }
  return totals;
}

WH_INLINE vec finish(quarters totals, const wh_pool8 *w) {
  const __m256i offset = _mm256_set1_epi32(w->offset),
                zero = _mm256_set1_epi16((int16_t)(w->y_zero + 128));
  const __m256 factor = _mm256_set1_ps(w->factor), top = _mm256_set1_ps(0x1p20f);
  WH_UNROLL
  for (int q = 0; q < 4; q++) {
    const __m256 sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(totals.of[q], offset));
    totals.of[q] = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_mul_ps(sum, factor), top));
  }
  const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(totals.of[0], totals.of[1]), zero);
  const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(totals.of[2], totals.of[3]), zero);
  return clamped(_mm256_packus_epi16(low, high), w);
}

#include "pool8_body.h"

void wh_pool8_avx2(const wh_pool8 *w) { w->average ? window_of(w, true) : window_of(w, false); }

#include "../common/region_end.h"
#endif
typedef int wh_pool8_avx2_file;
