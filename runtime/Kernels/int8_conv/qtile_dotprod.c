#if defined(__aarch64__)
#include "../common/target_dotprod.h"
/**/
#include "../common/vector.h"
#include "qfinish_body.h"

/* One step of k for the four groups of columns; x holds four of each row, lane selects. */
#define STEP(lane)                                                                                \
  {                                                                                               \
    WH_UNROLL                                                                                     \
    for (int g = 0; g < 4; g++) {                                                                 \
      const int8x16_t columns = vld1q_s8((const int8_t *)w + 64 * lane + 16 * g);                 \
      WH_UNROLL                                                                                   \
      for (int r = 0; r < rows; r++) acc[r][g] = vdotq_laneq_s32(acc[r][g], columns, x[r], lane); \
    }                                                                                             \
  }

WH_INLINE void tile_of(const wh_qtile *t, ptrdiff_t offset, const int rows,
                       int32x4_t acc[WH_QROWS][4]) {
  const uint8_t *w = t->w;
  const wh_qsegment *s = t->segments;
  for (ptrdiff_t segments = t->segment_count; segments > 0; segments--, s++) {
    const uint8_t *row[WH_QROWS];
    const ptrdiff_t count = s->count;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + offset;
    for (ptrdiff_t runs = s->runs; runs > 0; runs--) {
      ptrdiff_t k = 0;
      int8x16_t x[WH_QROWS];
      for (; k + 16 <= count; k += 16, w += 256) {
        WH_UNROLL
        for (int r = 0; r < rows; r++) x[r] = vld1q_s8((const int8_t *)row[r] + k);
        STEP(0)
        STEP(1)
        STEP(2)
        STEP(3)
      }
      for (; k < count; k += 4, w += 64) {
        WH_UNROLL
        for (int r = 0; r < rows; r++) {
          int32_t value;
          memcpy(&value, row[r] + k, 4);
          x[r] = vreinterpretq_s8_s32(vdupq_n_s32(value));
        }
        STEP(0)
      }
      WH_UNROLL
      for (int r = 0; r < rows; r++) row[r] += s->steps[r];
    }
  }
}

WH_INLINE void tiles_of(const wh_qtile *t, const int rows) {
  vi start[4];
  q_start(t, 0, start);
  wh_qspots at = wh_qspots_of(t);
  do {
    int32x4_t acc[WH_QROWS][4];
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      WH_UNROLL
      for (int g = 0; g < 4; g++) acc[r][g] = (int32x4_t)start[g];
    }
    tile_of(t, at.spot.x, rows, acc);
    int32_t out[WH_QROWS][16];
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      WH_UNROLL
      for (int g = 0; g < 4; g++) vst1q_s32(&out[r][4 * g], acc[r][g]);
    }
    wh_qfinish_neon(t, &at.spot, out[0]);
  } while (wh_qspots_next(t, &at));
}

#define TILE(rows) \
  static __attribute__((noinline)) void tile_##rows(const wh_qtile *t) { tiles_of(t, rows); }
TILE(6)
TILE(3)
TILE(1)

void wh_qtile_dotprod(const wh_qtile *t) {
  (t->rows > 3 ? tile_6 : t->rows > 1 ? tile_3 : tile_1)(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_dotprod_file;
