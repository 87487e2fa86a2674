#if defined(__x86_64__)
#include "../common/target_avx_vnni.h"
/**/
#include "../common/vector.h"
#include "qfinish_body.h"

WH_INLINE __m256i four(const uint8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return _mm256_set1_epi32(value);
}

/* One step of k. */
WH_INLINE void multiply(const int rows, const int panels, const uint8_t *const row[WH_QROWS],
                        ptrdiff_t k, const uint8_t *w, ptrdiff_t panel, __m256i acc[WH_QSUMS]) {
  __m256i column[8];
  WH_UNROLL
  for (int v = 0; v < 2 * panels; v++)
    column[v] = _mm256_load_si256((const __m256i *)(const void *)(w + v / 2 * panel + v % 2 * 32));
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    const __m256i x = four(row[r] + k);
    WH_UNROLL
    for (int v = 0; v < 2 * panels; v++)
      acc[r * 2 * panels + v] = WH_DPBUSD(acc[r * 2 * panels + v], x, column[v]);
  }
}

/* rows x panels x 2 accumulators stay in registers: callers pass constants. */
WH_INLINE void tile_of(const wh_qtile *t, ptrdiff_t offset, const int rows, const int panels,
                       __m256i acc[WH_QSUMS]) {
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

/* Are results plain 8-bit ones of whole sums and full panels? */
WH_INLINE bool is_plain(const wh_qtile *t) {
  return t->result->kind == WH_RESULT_Q8 && !t->residual && !t->row_terms && !t->resume &&
         !t->suspend && t->columns >= 16 * t->panels;
}

WH_INLINE void tiles_of(const wh_qtile *t, const int rows, const int panels) {
  vi start[4][2];
  const bool plain = is_plain(t);
  WH_UNROLL
  for (int p = 0; p < panels; p++) q_start(t, p, start[p]);
  wh_qspots at = wh_qspots_of(t);
  do {
    __m256i acc[WH_QSUMS];
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      WH_UNROLL
      for (int v = 0; v < 2 * panels; v++) acc[r * 2 * panels + v] = (__m256i)start[v / 2][v % 2];
    }
    tile_of(t, at.spot.x, rows, panels, acc);
    if (plain) {
      uint8_t *y = at.spot.y;
      const wh_q8_range range = t->result->range;
      WH_UNROLL
      for (int j = 0; j < rows * panels; j++) {
        vf factor[2];
        q_load_factors(t, j % panels, factor);
        if (j / panels < t->rows)
          q8_store_bytes(y + 16 * (j % panels),
                         q8_requantize((const vi *)&acc[2 * j], factor, &range));
        if (j % panels == panels - 1) y += t->y_row;
      }
      continue;
    }
    __m256i_u out[WH_QSUMS];
    WH_UNROLL
    for (int j = 0; j < 2 * rows * panels; j++) out[j] = acc[j];
    wh_qfinish_avx2(t, &at.spot, (const int32_t *)out);
  } while (wh_qspots_next(t, &at));
}

#define TILE(rows, panels)                                                          \
  static __attribute__((noinline)) void tile_##rows##x##panels(const wh_qtile *t) { \
    tiles_of(t, rows, panels);                                                      \
  }
TILE(6, 1)
TILE(3, 1)
TILE(1, 1)
TILE(1, 4)

void wh_qtile_avx_vnni(const wh_qtile *t) {
  (t->panels > 1 ? tile_1x4 : t->rows > 3 ? tile_6x1 : t->rows > 1 ? tile_3x1 : tile_1x1)(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_avx_vnni_file;
