#include "gemm.h"

#include <math.h>
#include <string.h>

#include "../common/operands.h"

WH_COMPACT wh_gemm wh_gemm_select(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512) return (wh_gemm){wh_tile_avx512, 8, 2, 1, true};
  if (cpu & WHERRY_CPU_AVX2) return (wh_gemm){wh_tile_avx2, 6, 1, 8, true};
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return (wh_gemm){wh_tile_neon, 4, 1, 16, false};
#else
  return (wh_gemm){wh_tile_scalar, 4, 1, 16, false};
#endif
}

wh_split wh_gemm_split(const wh_gemm *gemm, ptrdiff_t rows) {
  const ptrdiff_t tiles = (rows + gemm->rows - 1) / gemm->rows;
  if (gemm->exact) {
    const int each = (int)(rows / tiles);
    return (wh_split){tiles, rows % tiles, each + 1, each};
  }
  return (wh_split){tiles, tiles - 1, gemm->rows, (int)(rows - (tiles - 1) * gemm->rows)};
}

enum { CHUNK = 64 };

/* A panel of row-major b that has fewer than 16 columns, by way of packed copies of CHUNK rows.
 * Sums wait in y between them. */
WH_COMPACT static void tile_of_copies(const wh_gemm *gemm, const wh_tile *t, int columns) {
  float copy[CHUNK][16];
  memset(copy, 0, sizeof copy);
  wh_segment part = t->segments[0];
  const ptrdiff_t count = part.count;
  const float *b = t->b;
  wh_tile step = *t;
  step.segments = &part;
  step.b = copy[0];
  step.b_row = 16;
  for (ptrdiff_t k = 0; k == 0 || k < count; k += CHUNK) {
    const bool last = k + CHUNK >= count;
    part.count = last ? count - k : CHUNK;
    for (ptrdiff_t j = 0; j < part.count; j++, b += t->b_row)
      memcpy(copy[j], b, (size_t)columns * sizeof *b);
    step.residual = last ? t->residual : NULL;
    step.low = last ? t->low : -INFINITY;
    step.high = last ? t->high : INFINITY;
    gemm->tile(&step);
    step.a += CHUNK;
    step.init = step.y;
    step.init_row = step.y_row;
  }
}

WH_COMPACT static void widen(float *to, const float *from, ptrdiff_t from_row, int rows,
                             int columns) {
  for (int r = 0; r < rows; r++) {
    for (int n = 0; n < 16; n++) to[r * 16 + n] = n < columns ? from[r * from_row + n] : 0;
  }
}

/* Columns that are no multiple of the variant's step: by way of buffers wide enough. */
__attribute__((noinline)) WH_COMPACT static void part_panel(const wh_gemm *gemm,
                                                            const wh_tile *tile, int columns) {
  float init[WH_GEMM_ROWS * 16], residual[WH_GEMM_ROWS * 16], y[WH_GEMM_ROWS * 16];
  wh_tile t = *tile;
  t.columns = gemm->step <= 8 && columns <= 8 ? 8 : 16;
  t.repeats = 1;
  t.init = init;
  t.init_row = t.init_row ? 16 : 0;
  t.residual_row = t.y_row = 16;
  t.y = y;
  for (ptrdiff_t i = 0; i < tile->repeats; i++, t.a += t.a_next) {
    const ptrdiff_t row = i * t.rows;
    widen(init, tile->init + row * tile->init_row, tile->init_row, t.init_row ? t.rows : 1,
          columns);
    if (tile->residual) {
      widen(residual, tile->residual + row * tile->residual_row, tile->residual_row, t.rows,
            columns);
      t.residual = residual;
    }
    if (t.packed)
      gemm->tile(&t);
    else
      tile_of_copies(gemm, &t, columns);
    for (int r = 0; r < t.rows; r++)
      memcpy(tile->y + (row + r) * tile->y_row, y + r * 16, (size_t)columns * sizeof *y);
  }
}

/* How many of the columns left the next tile takes: two panels, one, or a part of one. */
static int next_columns(const wh_gemm *gemm, int rows, ptrdiff_t columns) {
  const int widest = rows > 1 ? 16 * gemm->panels : 16;
  if (columns >= widest) return widest;
  return columns < 16 ? (int)columns : 16;
}

void wh_gemm_columns(const wh_gemm *gemm, wh_tile *t, ptrdiff_t columns) {
  static const float zeros[16 * WH_GEMM_PANELS];
  /* Restored rather than copied: a copy would wait for the stores of the previous tile. */
  const float *const b = t->b, *const init = t->init, *const residual = t->residual;
  const ptrdiff_t init_row = t->init_row, init_step = init ? 1 : 0;
  float *const y = t->y;
  if (!init) {
    t->init = zeros;
    t->init_row = 0;
  }
  while (columns > 0) {
    const int n = next_columns(gemm, t->rows, columns);
    t->columns = n;
    /* Eight columns of a packed panel cost half of sixteen. */
    const bool halves = gemm->step == 1 && n < 8 && t->packed && t->rows > 1;
    if ((n & (gemm->step - 1)) == 0 && !halves)
      gemm->tile(t);
    else
      part_panel(gemm, t, n);
    columns -= n;
    if (columns <= 0) break;
    t->b += t->b_panel * (n >> 4);
    t->y += n;
    t->init += init_step * n;
    if (residual) t->residual += n;
  }
  t->b = b;
  t->y = y;
  t->init = init;
  t->init_row = init_row;
  t->residual = residual;
}

/* Floats of b that stay in the second cache, and of a's rows in the first. */
enum { BLOCK_FLOATS = 48 * 1024, RUN_FLOATS = 4 * 1024 };

ptrdiff_t wh_gemm_block(ptrdiff_t k) {
  const ptrdiff_t width = 16 * WH_GEMM_PANELS, fits = BLOCK_FLOATS / (k + 1) / width;
  return fits > 1 ? fits * width : width;
}

void wh_gemm_rows(const wh_gemm *gemm, const wh_tile *tile, const float *a, ptrdiff_t a_row,
                  ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
  if (!m) return;
  wh_segment segment = {.count = k};
  const wh_split split = wh_gemm_split(gemm, m);
  const ptrdiff_t block = split.tiles > 1 ? wh_gemm_block(k) : n;
  const ptrdiff_t run = 1 + RUN_FLOATS / (gemm->rows * (k + 1));
  for (ptrdiff_t column = 0; column < n; column += block) {
    wh_tile t = *tile;
    t.segments = &segment;
    t.segment_count = 1;
    t.a = 0;
    t.b += column / 16 * t.b_panel;
    for (ptrdiff_t i = 0, row = 0; i < split.tiles; i += t.repeats) {
      t.rows = wh_split_rows(&split, i);
      t.repeats = (int)wh_min64(run, (i < split.more ? split.more : split.tiles) - i);
      t.a_next = t.repeats > 1 ? t.rows * a_row : 0;
      for (int r = 0; r < gemm->rows; r++)
        segment.rows[r] = a + (row + (r < t.rows ? r : t.rows - 1)) * a_row;
      t.y = tile->y + row * t.y_row + column;
      if (t.init) t.init = tile->init + row * t.init_row + column;
      if (t.residual) t.residual = tile->residual + row * t.residual_row + column;
      wh_gemm_columns(gemm, &t, wh_min64(block, n - column));
      row += t.rows * (ptrdiff_t)t.repeats;
    }
  }
}
