#if defined(__aarch64__)
#include "../common/target_i8mm.h"
/**/
#include "../common/vector.h"
#include "qfinish_body.h"

/* A matrix product takes 2 rows and 2 columns of 8 values of k to 2 x 2 sums. Tiles are of half a
 * panel, so that columns, which need rearranging, serve more rows. */

/* Two steps of k; more is false when the second is behind the end. */
WH_INLINE void multiply(const int pairs, const uint8_t *const row[WH_QROWS], ptrdiff_t k,
                        const uint8_t *w, bool more, int32x4_t acc[4][4]) {
  int8x16_t x[4];
  WH_UNROLL
  for (int i = 0; i < pairs; i++)
    x[i] = vcombine_s8(vld1_s8((const int8_t *)row[2 * i] + k),
                       vld1_s8((const int8_t *)row[2 * i + 1] + k));
  WH_UNROLL
  for (int g = 0; g < 2; g++) {
    const int32x4_t first = vreinterpretq_s32_s8(vld1q_s8((const int8_t *)w + 16 * g));
    const int32x4_t second =
        more ? vreinterpretq_s32_s8(vld1q_s8((const int8_t *)w + 64 + 16 * g)) : vdupq_n_s32(0);
    const int8x16_t low = vreinterpretq_s8_s32(vzip1q_s32(first, second));
    const int8x16_t high = vreinterpretq_s8_s32(vzip2q_s32(first, second));
    WH_UNROLL
    for (int i = 0; i < pairs; i++) {
      acc[i][2 * g] = vmmlaq_s32(acc[i][2 * g], x[i], low);
      acc[i][2 * g + 1] = vmmlaq_s32(acc[i][2 * g + 1], x[i], high);
    }
  }
}

/* Accumulators of 8 columns, from column half * 8 on. */
WH_INLINE void half_tile(const wh_qtile *t, ptrdiff_t offset, const int pairs, int half,
                         int32_t out[WH_QROWS][16]) {
  const uint8_t *w = t->w + 32 * half;
  const wh_qsegment *s = t->segments;
  int32x4_t acc[4][4];
  WH_UNROLL
  for (int i = 0; i < pairs; i++) {
    WH_UNROLL
    for (int j = 0; j < 4; j++) acc[i][j] = vdupq_n_s32(0);
  }
  for (ptrdiff_t segments = t->segment_count; segments > 0; segments--, s++) {
    const uint8_t *row[WH_QROWS];
    const ptrdiff_t count = s->count;
    WH_UNROLL
    for (int r = 0; r < 2 * pairs; r++) row[r] = s->rows[r] + offset;
    for (ptrdiff_t runs = s->runs; runs > 0; runs--) {
      ptrdiff_t k = 0;
      for (; k + 8 <= count; k += 8, w += 128) multiply(pairs, row, k, w, true, acc);
      if (k < count) {
        multiply(pairs, row, k, w, false, acc);
        w += 64;
      }
      WH_UNROLL
      for (int r = 0; r < 2 * pairs; r++) row[r] += s->steps[r];
    }
  }
  vi start[4];
  q_start(t, 0, start);
  WH_UNROLL
  for (int i = 0; i < pairs; i++) {
    WH_UNROLL
    for (int g = 0; g < 2; g++) {
      const int64x2_t a = vreinterpretq_s64_s32(acc[i][2 * g]);
      const int64x2_t b = vreinterpretq_s64_s32(acc[i][2 * g + 1]);
      const int32x4_t more = (int32x4_t)start[2 * half + g];
      vst1q_s32(&out[2 * i][8 * half + 4 * g], vreinterpretq_s32_s64(vzip1q_s64(a, b)) + more);
      vst1q_s32(&out[2 * i + 1][8 * half + 4 * g], vreinterpretq_s32_s64(vzip2q_s64(a, b)) + more);
    }
  }
}

WH_INLINE void tiles_of(const wh_qtile *t, const int pairs) {
  wh_qspots at = wh_qspots_of(t);
  do {
    int32_t out[WH_QROWS][16];
    for (int half = 0; half < 2; half++) half_tile(t, at.spot.x, pairs, half, out);
    wh_qfinish_neon(t, &at.spot, out[0]);
  } while (wh_qspots_next(t, &at));
}

static __attribute__((noinline)) void tile_8(const wh_qtile *t) { tiles_of(t, 4); }
static __attribute__((noinline)) void tile_4(const wh_qtile *t) { tiles_of(t, 2); }

void wh_qtile_i8mm(const wh_qtile *t) {
  if (t->rows == 1)
    wh_qtile_dotprod(t);
  else
    (t->rows > 4 ? tile_8 : tile_4)(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_i8mm_file;
