#if defined(__ARM_NEON)
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

/* A element vectors hold STEPS k; ARMv7 has registers for two. */
#if defined(__aarch64__)
#define STEP_VECTORS 4
#define STEPS 4
typedef float32x4_t elements;
#define LANE(sum, b, a, lane) vfmaq_laneq_f32(sum, b, a, lane)
#define ELEMENTS vld1q_f32
#define ALL vdupq_n_f32
#else
#define STEP_VECTORS 2
#define STEPS 2
typedef float32x2_t elements;
#define LANE(sum, b, a, lane) vmlaq_lane_f32(sum, b, a, lane)
#define ELEMENTS vld1_f32
#define ALL vdup_n_f32
#endif

#define STEP(lane)                                                                               \
  {                                                                                              \
    float32x4_t column[STEP_VECTORS];                                                            \
    WH_UNROLL                                                                                    \
    for (int v = 0; v < STEP_VECTORS; v++) column[v] = vld1q_f32(b + 4 * v);                     \
    WH_UNROLL                                                                                    \
    for (int r = 0; r < 4; r++) {                                                                \
      WH_UNROLL                                                                                  \
      for (int v = 0; v < STEP_VECTORS; v++) sum[r][v] = LANE(sum[r][v], column[v], a[r], lane); \
    }                                                                                            \
    b += b_row;                                                                                  \
  }

/* Four rows by 16 columns (ARMv7: 8), elements multiplied from their lane. */
static inline __attribute__((always_inline)) void tile4(const wh_tile *t, const place *p, int at) {
  float32x4_t sum[4][4];
  WH_UNROLL
  for (int r = 0; r < 4; r++) {
    const float *init = p->init + (r < t->rows ? r * t->init_row : 0) + at * 4;
    WH_UNROLL
    for (int v = 0; v < STEP_VECTORS; v++) sum[r][v] = vld1q_f32(init + v * 4);
  }
  const ptrdiff_t b_row = t->b_row;
  for (const wh_segment *s = t->segments, *end = s + t->segment_count; s < end; s++) {
    const float *b = t->b + s->b * b_row + at * 4, *row[4];
    WH_UNROLL
    for (int r = 0; r < 4; r++) row[r] = s->rows[r] + p->a;
    elements a[4];
    ptrdiff_t k = 0;
    for (; k + STEPS <= s->count; k += STEPS) {
      WH_UNROLL
      for (int r = 0; r < 4; r++) a[r] = ELEMENTS(row[r] + k);
      STEP(0)
      STEP(1)
#if STEPS == 4
      STEP(2)
      STEP(3)
#endif
    }
    for (; k < s->count; k++) {
      WH_UNROLL
      for (int r = 0; r < 4; r++) a[r] = ALL(row[r][k]);
      STEP(0)
    }
  }
  finish(t, p, (vf(*)[4])sum, 4, STEP_VECTORS, at, false, false);
}

static inline __attribute__((always_inline)) void one_tile(const wh_tile *t, const place *at) {
  for (int v = 0; v < 4; v += STEP_VECTORS) {
    if (t->rows == 1)
      row_of(t, at, STEP_VECTORS, v, false);
    else
      tile4(t, at, v);
  }
}

void wh_tile_neon(const wh_tile *t) { EVERY(t, one_tile) }

#endif
typedef int wh_gemm_neon;
