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

WH_INLINE void store_plain(const wh_qtile *t, const int rows, const int panels,
                           __m512i acc[WH_QROWS][WH_QPANELS]) {
  const wh_q8_range range = t->result->range;
  const ptrdiff_t columns = t->columns - 16 * (panels - 1);
  const __mmask16 last = columns >= 16 ? 0xFFFF : (__mmask16)((1u << columns) - 1);
  vf factor[WH_QPANELS];
  WH_UNROLL
  for (int p = 0; p < panels; p++) q_load_factors(t, p, &factor[p]);
  uint8_t *y = t->y;
  const ptrdiff_t y_row = t->y_row;
  const int valid = t->rows;
  WH_UNROLL
  for (int r = 0; r < rows; r++, y += y_row) {
    WH_UNROLL
    for (int p = 0; p < panels && r < valid; p++) {
      const vb16 bytes = q8_requantize((const vi *)&acc[r][p], &factor[p], &range);
      if (p + 1 < panels)
        q8_store_bytes(y + 16 * p, bytes);
      else
        _mm_mask_storeu_epi8(y + 16 * p, last, (__m128i)bytes);
    }
  }
}

/* rows x panels accumulators stay in registers: callers pass constants. */
WH_INLINE void tile_of(const wh_qtile *t, const int rows, const int panels) {
  __m512i acc[WH_QROWS][WH_QPANELS];
  WH_UNROLL
  for (int p = 0; p < panels; p++) {
    vi start[1];
    q_start(t, p, start);
    WH_UNROLL
    for (int r = 0; r < rows; r++) acc[r][p] = (__m512i)start[0];
  }
  const uint8_t *w = t->w;
  const ptrdiff_t panel = t->panel;
  for (const wh_qsegment *s = t->segments, *end = s + t->segment_count; s < end; s++) {
    const uint8_t *row[WH_QROWS];
    const ptrdiff_t count = s->count;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + count;
    for (ptrdiff_t run = s->runs; run > 0; run--) {
      for (ptrdiff_t k = -count; k < 0; k += 4, w += 64) {
        const __m512i first = _mm512_load_si512(w);
        const __m512i second = panels > 1 ? _mm512_load_si512(w + panel) : first;
        WH_UNROLL
        for (int r = 0; r < rows; r++) {
          const __m512i x = four(row[r] + k);
          acc[r][0] = _mm512_dpbusd_epi32(acc[r][0], x, first);
          if (panels > 1) acc[r][1] = _mm512_dpbusd_epi32(acc[r][1], x, second);
        }
      }
      WH_UNROLL
      for (int r = 0; r < rows; r++) row[r] += s->steps[r];
    }
  }
  if (q_plain(t)) {
    store_plain(t, rows, panels, acc);
    return;
  }
  __m512i_u out[WH_QROWS * WH_QPANELS];
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    WH_UNROLL
    for (int p = 0; p < panels; p++) out[r * panels + p] = acc[r][p];
  }
  q_finish(t, (const int32_t *)out);
}

#define TILE(rows)                                                           \
  static __attribute__((noinline)) void tile_##rows##x2(const wh_qtile *t) { \
    tile_of(t, rows, 2);                                                     \
  }                                                                          \
  static __attribute__((noinline)) void tile_##rows##x1(const wh_qtile *t) { tile_of(t, rows, 1); }
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
