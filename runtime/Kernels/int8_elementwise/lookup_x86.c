#if defined(__x86_64__)
#include <immintrin.h>

#include "bytes.h"

/* The table in four registers; bit 7 of the index says which two. */
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) void wh_bytes_lookup_vbmi(
    const uint8_t table[256], const uint8_t *x, uint8_t *y, int64_t count) {
  __m512i t[4];
  for (int i = 0; i < 4; i++) t[i] = _mm512_loadu_si512(table + 64 * i);
  for (int64_t i = 0; i < count; i += 64) {
    const int64_t n = count - i;
    const __mmask64 some = n < 64 ? (__mmask64)((1ull << n) - 1) : ~(__mmask64)0;
    const __m512i v = _mm512_maskz_loadu_epi8(some, x + i);
    const __m512i low = _mm512_permutex2var_epi8(t[0], v, t[1]);
    const __m512i high = _mm512_permutex2var_epi8(t[2], v, t[3]);
    _mm512_mask_storeu_epi8(y + i, some, _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), low, high));
  }
}

/* A shuffle gives 0 where the index is negative. From index to index - 16, saturating, each step's
 * table of differences turns what the last gave into the entries 16 further on. */
__attribute__((target("avx2"))) void wh_bytes_lookup_avx2(const uint8_t table[256],
                                                          const uint8_t *x, uint8_t *y,
                                                          int64_t count) {
  __m256i t[16];
  const __m256i step = _mm256_set1_epi8(16), top = _mm256_set1_epi8((char)0x80);
  for (int i = 0; i < 16; i++) {
    const __m128i entries = _mm_loadu_si128((const __m128i *)table + i);
    const __m128i last =
        i % 8 ? _mm_loadu_si128((const __m128i *)table + i - 1) : _mm_setzero_si128();
    t[i] = _mm256_broadcastsi128_si256(_mm_xor_si128(entries, last));
  }
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(x + i)), high = _mm256_xor_si256(low, top);
    __m256i r = _mm256_setzero_si256(), s = r;
#pragma clang loop unroll(full)
    for (int j = 0; j < 8; j++) {
      r = _mm256_xor_si256(r, _mm256_shuffle_epi8(t[j], low));
      s = _mm256_xor_si256(s, _mm256_shuffle_epi8(t[8 + j], high));
      low = _mm256_subs_epi8(low, step);
      high = _mm256_subs_epi8(high, step);
    }
    _mm256_storeu_si256((__m256i *)(y + i), _mm256_xor_si256(r, s));
  }
  for (; i < count; i++) y[i] = table[x[i]];
}

#endif
typedef int wh_lookup_x86;
