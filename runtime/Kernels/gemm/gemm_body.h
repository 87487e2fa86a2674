/* Tiles in the vectors of vector.h; a variant's file includes this inside its target. */
#define WH_VECTORS (16 / WH_LANES)

WH_INLINE void finish_row(const wh_tile *t, int r, int at, int vectors, const vf *sum) {
  const vf low = v_all(t->low), high = v_all(t->high);
  WH_UNROLL
  for (int v = 0; v < vectors; v++) {
    vf x = sum[v];
    if (t->residual) x += v_load(t->residual + r * t->residual_row + (at + v) * WH_LANES);
    v_store(t->y + r * t->y_row + (at + v) * WH_LANES, v_at_most(high, v_at_least(low, x)));
  }
}

/* rows x vectors accumulators stay in registers: callers pass constants. at is the first vector. */
WH_INLINE void tile_of(const wh_tile *t, const int rows, const int vectors, const int at) {
  vf sum[WH_GEMM_ROWS][4];
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    const float *init = t->init + (r < t->rows ? r * t->init_row : 0) + at * WH_LANES;
    WH_UNROLL
    for (int v = 0; v < vectors; v++) sum[r][v] = v_load(init + v * WH_LANES);
  }
  const ptrdiff_t b_row = t->b_row, next_panel = t->b_panel - 16;
  for (const wh_segment *s = t->segments, *end = s + t->segment_count; s < end; s++) {
    const float *row[WH_GEMM_ROWS], *b = t->b + s->b * b_row + at * WH_LANES;
    const ptrdiff_t count = s->count;
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r];
    for (ptrdiff_t k = 0; k < count; k++, b += b_row) {
      vf column[4];
      WH_UNROLL
      for (int v = 0; v < vectors; v++)
        column[v] = v_load(b + v * WH_LANES + (v >= WH_VECTORS ? next_panel : 0));
      WH_UNROLL
      for (int r = 0; r < rows; r++) {
        vf a = v_all(row[r][k]);
        WH_UNROLL
        for (int v = 0; v < vectors; v++) sum[r][v] = v_fma(a, column[v], sum[r][v]);
      }
    }
  }
  WH_UNROLL
  for (int r = 0; r < rows; r++) {
    if (r < t->rows) finish_row(t, r, at, vectors, sum[r]);
  }
}

/* One row of one panel: four k at once, so that the sums do not wait for each other. */
WH_INLINE void row_of(const wh_tile *t, const int vectors, const int at) {
  vf sum[4][4];
  WH_UNROLL
  for (int v = 0; v < vectors; v++) {
    sum[0][v] = v_load(t->init + (at + v) * WH_LANES);
    sum[1][v] = sum[2][v] = sum[3][v] = (vf){0};
  }
  const ptrdiff_t b_row = t->b_row;
  for (const wh_segment *s = t->segments, *end = s + t->segment_count; s < end; s++) {
    const float *row = s->rows[0], *b = t->b + s->b * b_row + at * WH_LANES;
    ptrdiff_t k = 0;
    for (; k + 4 <= s->count; k += 4, b += 4 * b_row) {
      WH_UNROLL
      for (int i = 0; i < 4; i++) {
        vf a = v_all(row[k + i]);
        WH_UNROLL
        for (int v = 0; v < vectors; v++)
          sum[i][v] = v_fma(a, v_load(b + i * b_row + v * WH_LANES), sum[i][v]);
      }
    }
    for (; k < s->count; k++, b += b_row) {
      vf a = v_all(row[k]);
      WH_UNROLL
      for (int v = 0; v < vectors; v++) sum[0][v] = v_fma(a, v_load(b + v * WH_LANES), sum[0][v]);
    }
  }
  WH_UNROLL
  for (int v = 0; v < vectors; v++) sum[0][v] += sum[1][v] + (sum[2][v] + sum[3][v]);
  finish_row(t, 0, at, vectors, sum[0]);
}
