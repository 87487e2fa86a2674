#if defined(__x86_64__)
#include "../common/target_avx512_vnni.h"
/**/
#include "../common/vector.h"
#include "qfinish_body.h"

WH_INLINE __m512i four(const uint8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return _mm512_set1_epi32(value);
}

/* What plain results need besides accumulators. */
typedef struct plain {
  __m512 factor[WH_QPANELS];
  __m512i zero, low, high, order;
  __mmask32 columns; /* of two rows' halves, or of the one panel */
} plain;

/* Rounding wants |t| < 2^31, which factors below 1 promise. */
WH_INLINE bool begin_plain(const wh_qtile *t, const int panels, plain *s) {
  const wh_q8_range *range = &t->result->range;
  __mmask16 large = 0;
  WH_UNROLL
  for (int p = 0; p < panels; p++) {
    q_load_factors(t, p, (vf *)&s->factor[p]);
    large |= _mm512_cmp_ps_mask(s->factor[p], _mm512_set1_ps(1), _CMP_NLT_UQ);
  }
  s->zero = _mm512_set1_epi16(range->zero);
  s->low = _mm512_set1_epi8((char)((int)range->low + range->zero));
  s->high = _mm512_set1_epi8((char)((int)range->high + range->zero));
  s->order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  s->columns = t->columns >= 16 * panels ? ~0u : (1u << t->columns) - 1;
  return q_plain(t) && !large;
}

WH_INLINE __m512i rounded(__m512i acc, __m512 factor) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), factor));
}

/* The stored bytes of four times 16 accumulators. */
WH_INLINE __m512i narrow(const plain *s, __m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(a, b), s->zero);
  const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(c, d), s->zero);
  const __m512i bytes = _mm512_permutexvar_epi32(s->order, _mm512_packus_epi16(first, second));
  return _mm512_min_epu8(_mm512_max_epu8(bytes, s->low), s->high);
}

/* Two rows of two panels or four of one; those past valid are not stored. */
WH_INLINE void store_rows(const plain *s, __m512i bytes, const int panels, int valid, uint8_t *y,
                          ptrdiff_t y_row) {
  if (panels == 2) {
    _mm256_mask_storeu_epi8(y, s->columns, _mm512_castsi512_si256(bytes));
    if (valid > 1)
      _mm256_mask_storeu_epi8(y + y_row, s->columns, _mm512_extracti64x4_epi64(bytes, 1));
    return;
  }
  const __mmask16 columns = (__mmask16)s->columns;
  _mm_mask_storeu_epi8(y, columns, _mm512_castsi512_si128(bytes));
  if (valid > 1) _mm_mask_storeu_epi8(y + y_row, columns, _mm512_extracti32x4_epi32(bytes, 1));
  if (valid > 2) _mm_mask_storeu_epi8(y + 2 * y_row, columns, _mm512_extracti32x4_epi32(bytes, 2));
  if (valid > 3) _mm_mask_storeu_epi8(y + 3 * y_row, columns, _mm512_extracti32x4_epi32(bytes, 3));
}

WH_INLINE void store_plain(const plain *s, __m512i acc[WH_QROWS][WH_QPANELS], const int rows,
                           const int panels, int valid, uint8_t *y, ptrdiff_t y_row) {
  const int group = 4 / panels;
  WH_UNROLL
  for (int r = 0; r < rows; r += group) {
    __m512i whole[4];
    WH_UNROLL
    for (int i = 0; i < 4; i++) {
      const int row = r + i / panels, p = i % panels;
      whole[i] = row < rows ? rounded(acc[row][p], s->factor[p]) : whole[0];
    }
    if (r < valid)
      store_rows(s, narrow(s, whole[0], whole[1], whole[2], whole[3]), panels, valid - r,
                 y + r * y_row, y_row);
  }
}

/* rows x panels accumulators stay in registers: callers pass constants. */
WH_INLINE void tile_of(const wh_qtile *t, ptrdiff_t tile, const int rows, const int panels,
                       __m512i acc[WH_QROWS][WH_QPANELS]) {
  const ptrdiff_t panel = t->panel, offset = tile * t->advance;
  const uint8_t *w = t->w;
  const wh_qsegment *s = t->segments;
  for (ptrdiff_t i = t->segment_count; i > 0; i--, s++) {
    const uint8_t *row[WH_QROWS];
    const ptrdiff_t count = s->count;
    ptrdiff_t runs = s->runs;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + offset + count;
    do {
      ptrdiff_t k = -count;
      do {
        const __m512i first = _mm512_load_si512(w);
        const __m512i second = panels > 1 ? _mm512_load_si512(w + panel) : first;
        WH_UNROLL
        for (int r = 0; r < rows; r++) {
          const __m512i x = four(row[r] + k);
          acc[r][0] = _mm512_dpbusd_epi32(acc[r][0], x, first);
          if (panels > 1) acc[r][1] = _mm512_dpbusd_epi32(acc[r][1], x, second);
        }
        w += 64;
        k += 4;
        __asm__("" : "+r"(k)); /* one counter, not two */
      } while (k);
      __asm__ volatile("" ::: "memory"); /* steps stay where they are */
      WH_UNROLL
      for (int r = 0; r < rows; r++) row[r] += s->steps[r];
    } while (--runs);
  }
}

WH_INLINE void tiles_of(const wh_qtile *t, const int rows, const int panels) {
  plain s;
  vi start[WH_QPANELS];
  WH_UNROLL
  for (int p = 0; p < panels; p++) q_start(t, p, &start[p]);
  const bool is_plain = begin_plain(t, panels, &s);
  uint8_t *y = t->y;
  for (ptrdiff_t i = 0; i < t->tiles; i++) {
    __m512i acc[WH_QROWS][WH_QPANELS];
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      WH_UNROLL
      for (int p = 0; p < panels; p++) acc[r][p] = (__m512i)start[p];
    }
    tile_of(t, i, rows, panels, acc);
    if (is_plain) {
      store_plain(&s, acc, rows, panels, t->rows, y, t->y_row);
      y += t->rows * t->y_row;
      continue;
    }
    __m512i_u out[WH_QROWS * WH_QPANELS];
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      WH_UNROLL
      for (int p = 0; p < panels; p++) out[r * panels + p] = acc[r][p];
    }
    (t->residual && !t->suspend ? q_finish_residual : q_finish)(t, i * t->rows,
                                                                (const int32_t *)out);
  }
}

#define TILE(rows)                                                           \
  static __attribute__((noinline)) void tile_##rows##x2(const wh_qtile *t) { \
    tiles_of(t, rows, 2);                                                    \
  }                                                                          \
  static __attribute__((noinline)) void tile_##rows##x1(const wh_qtile *t) { tiles_of(t, rows, 1); }
TILE(10)
TILE(8)
TILE(7)
TILE(6)
TILE(4)
TILE(2)
TILE(1)

void wh_qtile_avx512_vnni(const wh_qtile *t) {
  static wh_qtile_function *const tiles[WH_QROWS][2] = {
      {tile_1x1, tile_1x2},   {tile_2x1, tile_2x2},  {tile_4x1, tile_4x2}, {tile_4x1, tile_4x2},
      {tile_6x1, tile_6x2},   {tile_6x1, tile_6x2},  {tile_7x1, tile_7x2}, {tile_8x1, tile_8x2},
      {tile_10x1, tile_10x2}, {tile_10x1, tile_10x2}};
  tiles[t->rows - 1][t->panels - 1](t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_avx512_vnni_file;
