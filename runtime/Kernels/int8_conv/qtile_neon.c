#if defined(__ARM_NEON)
#include "../common/vector.h"
#include "qfinish_body.h"

/* Without dot products of bytes: products of 16 bits, added in pairs to sums of 32. A vector of
 * sums holds two for each of 2 columns, those of even and of odd pairs of k. */

/* Groups of 4 columns at once; ARMv7 has registers for half a panel. */
#if defined(__aarch64__)
enum { GROUPS = 4 };
WH_INLINE int32x4_t pairwise(int32x4_t a, int32x4_t b) { return vpaddq_s32(a, b); }
#else
enum { GROUPS = 2 };
WH_INLINE int32x4_t pairwise(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)),
                      vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}
#endif

typedef int32x4_t sums[2][2 * GROUPS];

/* Four bytes of a row, twice. */
WH_INLINE int8x8_t four(const uint8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return vreinterpret_s8_s32(vdup_n_s32(value));
}

WH_INLINE void multiply(const int rows, const uint8_t *const row[WH_QROWS], ptrdiff_t k,
                        const uint8_t *w, sums acc) {
  int8x8_t x[2];
  WH_UNROLL
  for (int r = 0; r < rows; r++) x[r] = four(row[r] + k);
  WH_UNROLL
  for (int g = 0; g < GROUPS; g++) {
    const int8x16_t columns = vld1q_s8((const int8_t *)w + 16 * g);
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      acc[r][2 * g] = vpadalq_s16(acc[r][2 * g], vmull_s8(vget_low_s8(columns), x[r]));
      acc[r][2 * g + 1] = vpadalq_s16(acc[r][2 * g + 1], vmull_s8(vget_high_s8(columns), x[r]));
    }
  }
}

/* Two steps of k whose products are added in 16 bits: the sum of two is less than 2^15 unless both
 * are -128 * -128, so no weight may be -128. */
WH_INLINE void multiply_two(const int rows, const uint8_t *const row[WH_QROWS], ptrdiff_t k,
                            const uint8_t *w, sums acc) {
  int8x8_t x[2][2];
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    x[r][0] = four(row[r] + k);
    x[r][1] = four(row[r] + k + 4);
  }
  WH_UNROLL
  for (int g = 0; g < GROUPS; g++) {
    const int8x16_t first = vld1q_s8((const int8_t *)w + 16 * g);
    const int8x16_t second = vld1q_s8((const int8_t *)w + 64 + 16 * g);
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      int16x8_t low = vmull_s8(vget_low_s8(first), x[r][0]);
      int16x8_t high = vmull_s8(vget_high_s8(first), x[r][0]);
      low = vmlal_s8(low, vget_low_s8(second), x[r][1]);
      high = vmlal_s8(high, vget_high_s8(second), x[r][1]);
      acc[r][2 * g] = vpadalq_s16(acc[r][2 * g], low);
      acc[r][2 * g + 1] = vpadalq_s16(acc[r][2 * g + 1], high);
    }
    /* One group after the other: products of all would not fit the registers. */
    WH_UNROLL
    for (int r = 0; r < rows; r++)
      __asm__ volatile("" : "+w"(acc[r][2 * g]), "+w"(acc[r][2 * g + 1]));
  }
}

/* Accumulators of GROUPS * 4 columns from group on. */
WH_INLINE void part_of(const wh_qtile *t, ptrdiff_t offset, const int rows, int group,
                       bool in_pairs, int32_t out[2][16]) {
  const uint8_t *w = t->w + 16 * group;
  const wh_qsegment *s = t->segments;
  sums acc;
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    WH_UNROLL
    for (int i = 0; i < 2 * GROUPS; i++) acc[r][i] = vdupq_n_s32(0);
  }
  for (ptrdiff_t segments = t->segment_count; segments > 0; segments--, s++) {
    const uint8_t *row[WH_QROWS];
    const ptrdiff_t count = s->count;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + offset;
    for (ptrdiff_t runs = s->runs; runs > 0; runs--) {
      ptrdiff_t k = 0;
      for (; in_pairs && k + 8 <= count; k += 8, w += 128) multiply_two(rows, row, k, w, acc);
      for (; k < count; k += 4, w += 64) multiply(rows, row, k, w, acc);
      WH_UNROLL
      for (int r = 0; r < rows; r++) row[r] += s->steps[r];
    }
  }
  vi start[4];
  q_start(t, 0, start);
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    WH_UNROLL
    for (int g = 0; g < GROUPS; g++)
      vst1q_s32(&out[r][4 * (group + g)],
                (int32x4_t)start[group + g] + pairwise(acc[r][2 * g], acc[r][2 * g + 1]));
  }
}

/* Is there a weight of -128? */
static bool any_lowest(const uint8_t *w, ptrdiff_t bytes) {
  int8x16_t least = vdupq_n_s8(0);
  for (ptrdiff_t i = 0; i < bytes; i += 64) {
    const int8_t *p = (const int8_t *)w + i;
    least = vminq_s8(least, vminq_s8(vminq_s8(vld1q_s8(p), vld1q_s8(p + 16)),
                                     vminq_s8(vld1q_s8(p + 32), vld1q_s8(p + 48))));
  }
  int8x8_t low = vmin_s8(vget_low_s8(least), vget_high_s8(least));
  for (int i = 0; i < 3; i++) low = vpmin_s8(low, low);
  return vget_lane_s8(low, 0) == -128;
}

/* Panels that were searched, by their place in the stream. */
typedef struct searched {
  struct {
    const uint8_t *head;
    bool in_pairs;
  } panels[64];
} searched;
_Static_assert(sizeof(searched) <= sizeof((wh_qready *)0)->bytes, "wh_qready is too small");

/* Searching pays from a few rows on. */
static bool may_pair(const wh_qtile *t) {
  searched *s = (searched *)(void *)t->ready->bytes;
  if (!t->ready->head) {
    memset(s, 0, sizeof *s);
    t->ready->head = t->head;
  }
  const size_t at = (size_t)((uintptr_t)t->head / (uintptr_t)t->panel) % 64;
  if (s->panels[at].head != t->head) {
    if (t->tiles * t->rows < 4) return false;
    s->panels[at].head = t->head;
    s->panels[at].in_pairs = !any_lowest(t->head + WH_QCONV_HEAD, t->panel - WH_QCONV_HEAD);
  }
  return s->panels[at].in_pairs;
}

void wh_qfinish_neon(const wh_qtile *t, const wh_qspot *spot, const int32_t *acc) {
  q_finish_any(t, spot, acc);
}

WH_INLINE void tiles_of(const wh_qtile *t, const int rows) {
  const bool in_pairs = may_pair(t);
  wh_qspots at = wh_qspots_of(t);
  do {
    int32_t out[2][16];
    for (int g = 0; g < 4; g += GROUPS) part_of(t, at.spot.x, rows, g, in_pairs, out);
    wh_qfinish_neon(t, &at.spot, out[0]);
  } while (wh_qspots_next(t, &at));
}

static __attribute__((noinline)) void tile_2(const wh_qtile *t) { tiles_of(t, 2); }
static __attribute__((noinline)) void tile_1(const wh_qtile *t) { tiles_of(t, 1); }

void wh_qtile_neon(const wh_qtile *t) { (t->rows > 1 ? tile_2 : tile_1)(t); }

#endif
typedef int wh_qtile_neon_file;
