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

/* What tiles of the same panels share. */
typedef struct ready {
  vi start[8];
  __m512 factor[8];
  __m512i zero, low, high, order;
  __m512 c_factor, r_factor, r_shift;
  __m512i c_low, c_high, r_flip;
  __mmask64 columns; /* of the last four panels or fewer */
  enum {
    ANY,
    PLAIN,
    RESIDUAL
  } finish; /* 8-bit results of whole sums, or of those and a residual */
} ready;
_Static_assert(sizeof(ready) <= sizeof((wh_qready *)0)->bytes, "wh_qready is too small");

static __attribute__((noinline)) void prepare(const wh_qtile *t, int across, ready *s) {
  const wh_q8_range *range = &t->result->range;
  __mmask16 large = 0;
  for (int p = 0; p < t->panels; p++) {
    q_start(t, p, &s->start[p]);
    s->factor[p] = _mm512_loadu_ps(t->head + p * t->panel + 128);
    large |= _mm512_cmp_ps_mask(s->factor[p], _mm512_set1_ps(1), _CMP_NLT_UQ);
  }
  /* Rounding needs |acc * factor| < 2^31, which factors below 1 promise; likewise with a residual.
   */
  const wh_qresult *result = t->result;
  s->finish = ANY;
  if (result->kind == WH_RESULT_Q8 && !t->resume && !t->suspend && !large) {
    if (!t->residual)
      s->finish = PLAIN;
    else if (result->c_factor < 0x1p22f && result->r_factor < 0x1p22f)
      s->finish = RESIDUAL;
  }
  if (s->finish == RESIDUAL) {
    s->c_factor = _mm512_set1_ps(result->c_factor);
    s->r_factor = _mm512_set1_ps(result->r_factor);
    s->c_low = _mm512_set1_epi32((int)result->c_low);
    s->c_high = _mm512_set1_epi32((int)result->c_high);
    s->r_flip = _mm512_set1_epi32(0x4B000000); /* over a byte: 2^23 + byte as a float */
    s->r_shift = _mm512_set1_ps(8388608.0f + (float)(result->r_zero + 128));
  }
  s->zero = _mm512_set1_epi16(range->zero);
  s->low = _mm512_set1_epi8((char)((int)range->low + range->zero));
  s->high = _mm512_set1_epi8((char)((int)range->high + range->zero));
  s->order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const ptrdiff_t last = t->columns - 16 * (t->panels - across);
  s->columns = last < 16 * across ? (1ull << last) - 1 : ~0ull;
}

/* The stored bytes of four vectors of rounded values; saturating before the clamp changes nothing.
 */
WH_INLINE __m512i narrow(const ready *s, const __m512i x[4]) {
  const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(x[0], x[1]), s->zero);
  const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(x[2], x[3]), s->zero);
  const __m512i bytes = _mm512_permutexvar_epi32(s->order, _mm512_packus_epi16(first, second));
  return _mm512_min_epu8(_mm512_max_epu8(bytes, s->low), s->high);
}

WH_INLINE __m512i rounded(__m512i acc, __m512 factor) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), factor));
}

/* Bytes of four panels of a row, two of two rows or one of four. */
WH_INLINE void store_rows(__m512i bytes, const int across, __mmask64 columns, ptrdiff_t valid,
                          uint8_t *y, ptrdiff_t y_row) {
  if (across == 4) {
    _mm512_mask_storeu_epi8(y, columns, bytes);
  } else if (across == 2) {
    _mm256_mask_storeu_epi8(y, (__mmask32)columns, _mm512_castsi512_si256(bytes));
    if (valid < 2) return;
    _mm256_mask_storeu_epi8(y + y_row, (__mmask32)columns, _mm512_extracti64x4_epi64(bytes, 1));
  } else {
    const __mmask16 few = (__mmask16)columns;
    _mm_mask_storeu_epi8(y, few, _mm512_castsi512_si128(bytes));
    if (valid < 2) return;
    _mm_mask_storeu_epi8(y += y_row, few, _mm512_extracti32x4_epi32(bytes, 1));
    if (valid < 3) return;
    _mm_mask_storeu_epi8(y += y_row, few, _mm512_extracti32x4_epi32(bytes, 2));
    if (valid < 4) return;
    _mm_mask_storeu_epi8(y + y_row, few, _mm512_extracti32x4_epi32(bytes, 3));
  }
}

/* The sum of a convolution's own 8-bit value and a residual, rounded. */
WH_INLINE __m512i with_residual(const ready *s, __m512i acc, __m512 factor,
                                const uint8_t *residual) {
  const __m512i c = _mm512_min_epi32(_mm512_max_epi32(rounded(acc, factor), s->c_low), s->c_high);
  const __m512i byte = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i_u *)residual));
  const __m512 r = _mm512_sub_ps(_mm512_castsi512_ps(_mm512_or_si512(byte, s->r_flip)), s->r_shift);
  const __m512 first = _mm512_mul_ps(_mm512_cvtepi32_ps(c), s->c_factor);
  return _mm512_cvtps_epi32(_mm512_add_ps(first, _mm512_mul_ps(r, s->r_factor)));
}

/* Results of a tile whose accumulators are in registers. */
WH_INLINE void store_at_once(const wh_qtile *t, const ready *s, const int rows, const int panels,
                             const bool with, const wh_qspot *spot, __m512i acc[WH_QSUMS]) {
  ptrdiff_t valid = t->rows;
  const ptrdiff_t y_row = t->y_row, r_row = t->residual_row;
  uint8_t *y = spot->y;
  const uint8_t *residual = spot->residual;
  const int across = panels < 4 ? panels : 4, down = 4 / across;
  WH_UNROLL
  for (int r = 0; r < rows; r += down) {
    WH_UNROLL
    for (int p = 0; p < panels; p += across) {
      __m512i x[4];
      WH_UNROLL
      for (int i = 0; i < 4; i++) {
        const int row = r + i / across, at = p + i % across;
        if (row >= rows)
          x[i] = x[0];
        else if (with)
          x[i] = with_residual(s, acc[row * panels + at], s->factor[at],
                               residual + (valid > i / across ? i / across : 0) * r_row + 16 * at);
        else
          x[i] = rounded(acc[row * panels + at], s->factor[at]);
      }
      if (valid > 0)
        store_rows(narrow(s, x), across, p + across < panels ? ~0ull : s->columns, valid,
                   y + 16 * p, y_row);
    }
    valid -= down;
    if (with && valid > 0) residual += down * r_row;
    y += down * y_row;
  }
}

/* 8-bit results of a tile, four vectors at a time. */
WH_INLINE void store_tile(const wh_qtile *t, const ready *s, const int across, const wh_qspot *spot,
                          const __m512i *acc) {
  const int down = 4 / across;
  for (ptrdiff_t r = 0; r < t->rows; r += down) {
    __m512i x[4];
    WH_UNROLL
    for (int i = 0; i < 4; i++) {
      const ptrdiff_t at = wh_min64(r + i / across, t->rows - 1), p = i % across;
      __m512i sum = acc[at * across + p];
      if (spot->row_terms) sum = _mm512_add_epi32(sum, _mm512_set1_epi32(spot->row_terms[at]));
      x[i] = s->finish == PLAIN ? rounded(sum, s->factor[p])
                                : with_residual(s, sum, s->factor[p],
                                                spot->residual + at * t->residual_row + 16 * p);
    }
    store_rows(narrow(s, x), across, s->columns, t->rows - r, spot->y + r * t->y_row, t->y_row);
  }
}

void wh_qfinish_avx512(const wh_qtile *t, const wh_qspot *spot, const int32_t *acc) {
  q_finish_any(t, spot, acc);
}

/* Results of a tile from its accumulators. */
static __attribute__((noinline)) void finish(const wh_qtile *t, const ready *s,
                                             const wh_qspot *spot, const __m512i *acc) {
  if (s->finish == ANY || t->panels > 2)
    wh_qfinish_avx512(t, spot, (const int32_t *)acc);
  else if (t->panels == 2)
    store_tile(t, s, 2, spot, acc);
  else
    store_tile(t, s, 1, spot, acc);
}

/* One step of k. */
WH_INLINE void multiply(const int rows, const int panels, const uint8_t *const row[WH_QROWS],
                        ptrdiff_t k, const uint8_t *w, ptrdiff_t panel, __m512i acc[WH_QSUMS]) {
  __m512i column[8];
  WH_UNROLL
  for (int p = 0; p < panels; p++) column[p] = _mm512_load_si512(w + p * panel);
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    const __m512i x = four(row[r] + k);
    WH_UNROLL
    for (int p = 0; p < panels; p++)
      acc[r * panels + p] = _mm512_dpbusd_epi32(acc[r * panels + p], x, column[p]);
  }
}

/* rows x panels accumulators stay in registers: callers pass constants. */
WH_INLINE void tile_of(const wh_qtile *t, ptrdiff_t offset, const int rows, const int panels,
                       __m512i acc[WH_QSUMS]) {
  const ptrdiff_t panel = t->panel;
  const uint8_t *w = t->w;
  const wh_qsegment *s = t->segments;
  ptrdiff_t segments = t->segment_count;
  do {
    const uint8_t *row[WH_QROWS];
    const ptrdiff_t count = s->count;
    ptrdiff_t runs = s->runs;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + offset + count;
    do {
      ptrdiff_t k = -count;
      do {
        multiply(rows, panels, row, k, w, panel, acc);
        w += 64;
        k += 4;
        __asm__("" : "+r"(k)); /* one counter, not two */
      } while (k);
      __asm__ volatile("" ::: "memory"); /* steps stay where they are */
      WH_UNROLL
      for (int r = 0; r < rows; r++) row[r] += s->steps[r];
    } while (--runs);
    s++;
  } while (--segments);
}

/* in_registers: plain results without a detour through memory, which is code but time where k is
 * short. */
WH_INLINE void tiles_of(const wh_qtile *t, const int rows, const int panels,
                        const bool in_registers) {
  ready *s = (ready *)(void *)t->ready->bytes;
  const bool whole = !t->resume && !t->suspend;
  if (t->ready->head != t->head || t->ready->panels != panels || !whole) {
    prepare(t, panels < 4 ? panels : 4, s);
    t->ready->head = whole ? t->head : NULL;
    t->ready->panels = panels;
  }
  const bool at_once = in_registers && s->finish != ANY && !t->row_terms;
  const bool with = in_registers && s->finish == RESIDUAL;
  wh_qspots at = wh_qspots_of(t);
  wh_qspot last = at.spot;
  __m512i out[2][WH_QSUMS];
  unsigned turn = 0;
  do {
    __m512i acc[WH_QSUMS];
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      WH_UNROLL
      for (int p = 0; p < panels; p++) acc[r * panels + p] = (__m512i)s->start[p];
    }
    tile_of(t, at.spot.x, rows, panels, acc);
    if (at_once) {
      if (with)
        store_at_once(t, s, rows, panels, true, &at.spot, acc);
      else
        store_at_once(t, s, rows, panels, false, &at.spot, acc);
      continue;
    }
    WH_UNROLL
    for (int j = 0; j < rows * panels; j++) out[turn & 1][j] = acc[j];
    /* What was stored just before is slow to load: results are made a tile later. */
    if (turn++) finish(t, s, &last, out[turn & 1]);
    last = at.spot;
  } while (wh_qspots_next(t, &at));
  if (!at_once) finish(t, s, &last, out[~turn & 1]);
}

#define TILE(rows, panels, in_registers)                                            \
  static __attribute__((noinline)) void tile_##rows##x##panels(const wh_qtile *t) { \
    tiles_of(t, rows, panels, in_registers);                                        \
  }
TILE(8, 2, true)
TILE(7, 2, true)
TILE(4, 2, false)
TILE(2, 2, false)
TILE(8, 1, true)
TILE(4, 1, false)
TILE(1, 8, true)
TILE(1, 2, false)
TILE(1, 1, false)

void wh_qtile_avx512_vnni(const wh_qtile *t) {
  static wh_qtile_function *const tiles[WH_QROWS][2] = {
      {tile_1x1, tile_1x2}, {tile_4x1, tile_2x2}, {tile_4x1, tile_4x2}, {tile_4x1, tile_4x2},
      {tile_8x1, tile_7x2}, {tile_8x1, tile_7x2}, {tile_8x1, tile_7x2}, {tile_8x1, tile_8x2}};
  (t->panels > 2 ? tile_1x8 : tiles[t->rows - 1][t->panels - 1])(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_avx512_vnni_file;
