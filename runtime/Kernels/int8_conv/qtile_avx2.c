#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "qfinish_body.h"

/* Without dot products of bytes: bytes are widened to 16 bits, whose pairwise products add up
 * exactly. A vector of sums holds two for each of 4 columns, those of even and of odd pairs of k.
 */

/* Four bytes of a row, four times, as 16 bits. */
WH_INLINE __m256i four(const uint8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return _mm256_cvtepu8_epi16(_mm_set1_epi32(value));
}

/* One step of k for 8 columns. */
WH_INLINE void multiply(const int rows, const uint8_t *const row[WH_QROWS], ptrdiff_t k,
                        const uint8_t *w, __m256i acc[WH_QROWS][2]) {
  const __m256i first = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)w));
  const __m256i second =
      _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)(w + 16)));
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    const __m256i x = four(row[r] + k);
    acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(first, x));
    acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(second, x));
  }
}

/* Accumulators of 8 columns, from column half * 8 on. */
WH_INLINE void half_tile(const wh_qtile *t, ptrdiff_t offset, const int rows, int half,
                         int32_t out[WH_QROWS][16]) {
  const uint8_t *w = t->w + 32 * half;
  const wh_qsegment *s = t->segments;
  __m256i acc[WH_QROWS][2];
  WH_UNROLL
  for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = _mm256_setzero_si256();
  for (ptrdiff_t segments = t->segment_count; segments > 0; segments--, s++) {
    const uint8_t *row[WH_QROWS];
    const ptrdiff_t count = s->count;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + offset + count;
    for (ptrdiff_t runs = s->runs; runs > 0; runs--) {
      ptrdiff_t k = -count;
      do {
        multiply(rows, row, k, w, acc);
        w += 64;
        k += 4;
        __asm__("" : "+r"(k)); /* one counter, not two */
      } while (k);
      __asm__ volatile("" ::: "memory"); /* steps stay where they are */
      WH_UNROLL
      for (int r = 0; r < rows; r++) row[r] += s->steps[r];
    }
  }
  vi start[2];
  q_start(t, 0, start);
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    const __m256i sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(acc[r][0], acc[r][1]), 0xD8);
    const vi whole = (vi)sums + (half ? start[1] : start[0]);
    memcpy(&out[r][8 * half], &whole, 32);
  }
}

void wh_qfinish_avx2(const wh_qtile *t, const wh_qspot *spot, const int32_t *acc) {
  q_finish_any(t, spot, acc);
}

WH_INLINE void tiles_of(const wh_qtile *t, const int rows) {
  wh_qspots at = wh_qspots_of(t);
  do {
    int32_t out[WH_QROWS][16];
    for (int half = 0; half < 2; half++) half_tile(t, at.spot.x, rows, half, out);
    wh_qfinish_avx2(t, &at.spot, out[0]);
  } while (wh_qspots_next(t, &at));
}

#define TILE(rows) \
  static __attribute__((noinline)) void tile_##rows(const wh_qtile *t) { tiles_of(t, rows); }
TILE(6)
TILE(4)
TILE(1)

void wh_qtile_avx2(const wh_qtile *t) {
  if (t->rows > 4)
    tile_6(t);
  else if (t->rows > 1)
    tile_4(t);
  else
    tile_1(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_avx2_file;
