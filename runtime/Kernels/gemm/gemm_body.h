/* Tiles in the vectors of vector.h; a variant's file includes this inside its target. A tile is
 * rows by vectors sums that stay in registers: callers pass constants. at is its first vector;
 * part: one panel whose columns end inside its last vector; exact: t->rows is rows, else it may be
 * less. */
#include "../common/operands.h"

#define WH_VECTORS (16 / WH_LANES)

WH_INLINE vf load_some(const float *p, bool some, int64_t columns) {
  return some ? v_load_part(p, columns) : v_load(p);
}

/* Where one of the repeats is. */
typedef struct place {
  ptrdiff_t a;
  const float *init, *residual;
  float *y;
} place;

/* Runs one(t, &at) as often as t says. */
#define EVERY(t, one)                                                \
  {                                                                  \
    place at = {(t)->a, (t)->init, (t)->residual, (t)->y};           \
    for (int i = (t)->repeats; i > 0; i--) {                         \
      one(t, &at);                                                   \
      at.a += (t)->a_next;                                           \
      at.init += (t)->rows * (t)->init_row;                          \
      at.y += (t)->rows * (t)->y_row;                                \
      if (at.residual) at.residual += (t)->rows * (t)->residual_row; \
    }                                                                \
  }

/* Residual, clamp and store of a tile's sums. */
WH_INLINE void finish(const wh_tile *t, const place *p, vf sum[][4], const int rows,
                      const int vectors, const int at, const bool part, const bool exact) {
  const vf low = v_all(t->low), high = v_all(t->high);
  if (p->residual) {
    const float *from = p->residual + at * WH_LANES;
    WH_UNROLL
    for (int r = 0; r < rows; r++, from += t->residual_row) {
      if (!exact && r >= t->rows) continue;
      WH_UNROLL
      for (int v = 0; v < vectors; v++)
        sum[r][v] += load_some(from + v * WH_LANES, part && v == vectors - 1, t->columns);
    }
  }
  float *to = p->y + at * WH_LANES;
  WH_UNROLL
  for (int r = 0; r < rows; r++, to += t->y_row) {
    if (!exact && r >= t->rows) continue;
    WH_UNROLL
    for (int v = 0; v < vectors; v++) {
      const vf y = v_at_most(high, v_at_least(low, sum[r][v]));
      if (part && v == vectors - 1)
        v_store_part(to + v * WH_LANES, y, t->columns);
      else
        v_store(to + v * WH_LANES, y);
    }
  }
}

WH_INLINE void tile_of(const wh_tile *t, const place *p, const int rows, const int vectors,
                       const int at, const bool part, const bool exact) {
  vf sum[WH_GEMM_ROWS][4];
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    const float *init = p->init + (exact || r < t->rows ? r * t->init_row : 0) + at * WH_LANES;
    WH_UNROLL
    for (int v = 0; v < vectors; v++)
      sum[r][v] = load_some(init + v * WH_LANES, part && v == vectors - 1, t->columns);
  }
  const ptrdiff_t b_row = t->b_row, next_panel = t->b_panel - 16;
  /* The first repeat fetches the next panels, which may still be in memory, to the second cache. */
  const uintptr_t ahead =
      p->a == t->a
          ? (uintptr_t)((vectors + WH_VECTORS - 1) / WH_VECTORS * t->b_panel) * sizeof(float)
          : 0;
  for (const wh_segment *s = t->segments, *end = s + t->segment_count; s < end; s++) {
    const float *row[WH_GEMM_ROWS], *b = t->b + s->b * b_row + at * WH_LANES;
    const ptrdiff_t count = s->count;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + p->a;
    WH_ROLLED
    for (ptrdiff_t k = 0; k < count; k++, b += b_row) {
      vf column[4];
      WH_UNROLL
      for (int v = 0; v < vectors; v++)
        column[v] = load_some(b + v * WH_LANES + (v >= WH_VECTORS ? next_panel : 0),
                              part && v == vectors - 1, t->columns);
      if (WH_LANES > 4) {
        WH_UNROLL
        for (int v = 0; v < vectors; v += WH_VECTORS)
          __builtin_prefetch(
              (const void *)((uintptr_t)(b + v * WH_LANES + (v ? next_panel : 0)) + ahead), 0, 2);
      }
      WH_UNROLL
      for (int r = 0; r < rows; r++) {
        vf a = v_all(row[r][k]);
        WH_UNROLL
        for (int v = 0; v < vectors; v++) sum[r][v] = v_fma(a, column[v], sum[r][v]);
      }
    }
  }
  finish(t, p, sum, rows, vectors, at, part, exact);
}

/* One row of one panel: four k at once, so that the sums do not wait for each other. */
WH_INLINE void row_of(const wh_tile *t, const place *p, const int vectors, const int at,
                      const bool part) {
  vf sum[4][4];
  WH_UNROLL
  for (int v = 0; v < vectors; v++) {
    sum[0][v] = load_some(p->init + (at + v) * WH_LANES, part && v == vectors - 1, t->columns);
    sum[1][v] = sum[2][v] = sum[3][v] = (vf){0};
  }
  const ptrdiff_t b_row = t->b_row;
  for (const wh_segment *s = t->segments, *end = s + t->segment_count; s < end; s++) {
    const float *row = s->rows[0] + p->a, *b = t->b + s->b * b_row + at * WH_LANES;
    ptrdiff_t k = 0;
    for (; k + 4 <= s->count; k += 4, b += 4 * b_row) {
      WH_UNROLL
      for (int i = 0; i < 4; i++) {
        vf a = v_all(row[k + i]);
        WH_UNROLL
        for (int v = 0; v < vectors; v++)
          sum[i][v] = v_fma(
              a, load_some(b + i * b_row + v * WH_LANES, part && v == vectors - 1, t->columns),
              sum[i][v]);
      }
    }
    for (; k < s->count; k++, b += b_row) {
      vf a = v_all(row[k]);
      WH_UNROLL
      for (int v = 0; v < vectors; v++)
        sum[0][v] =
            v_fma(a, load_some(b + v * WH_LANES, part && v == vectors - 1, t->columns), sum[0][v]);
    }
  }
  WH_UNROLL
  for (int v = 0; v < vectors; v++) sum[0][v] += sum[1][v] + (sum[2][v] + sum[3][v]);
  finish(t, p, sum, 1, vectors, at, part, true);
}
