#include "gemm.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../common/operands.h"
/**/
#include "../common/compact.h"

wh_gemm wh_gemm_select(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512) return (wh_gemm){wh_tile_avx512, 8, 2};
  if (cpu & WHERRY_CPU_AVX2) return (wh_gemm){wh_tile_avx2, 6, 1};
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return (wh_gemm){wh_tile_neon, 4, 1};
#else
  return (wh_gemm){wh_tile_scalar, 4, 1};
#endif
}

enum { CHUNK = 64 };

/* A panel of row-major b that has fewer than 16 columns, by way of packed copies of CHUNK rows.
 * Sums wait in y between them. */
static void tile_of_copies(const wh_gemm *gemm, const wh_tile *t, int columns) {
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
    for (int r = 0; r < gemm->rows; r++) part.rows[r] += CHUNK;
    step.init = step.y;
    step.init_row = step.y_row;
  }
}

static void widen(float *to, const float *from, ptrdiff_t from_row, int rows, int columns) {
  for (int r = 0; r < rows; r++) {
    for (int n = 0; n < 16; n++) to[r * 16 + n] = n < columns ? from[r * from_row + n] : 0;
  }
}

/* One panel of fewer than 16 columns: by way of full-width buffers. */
static void part_panel(const wh_gemm *gemm, const wh_tile *tile, int columns) {
  float init[WH_GEMM_ROWS * 16], residual[WH_GEMM_ROWS * 16], y[WH_GEMM_ROWS * 16];
  wh_tile t = *tile;
  widen(init, t.init, t.init_row, t.init_row ? t.rows : 1, columns);
  t.init = init;
  t.init_row = t.init_row ? 16 : 0;
  if (t.residual) {
    widen(residual, t.residual, t.residual_row, t.rows, columns);
    t.residual = residual;
    t.residual_row = 16;
  }
  t.y = y;
  t.y_row = 16;
  if (t.packed)
    gemm->tile(&t);
  else
    tile_of_copies(gemm, &t, columns);
  for (int r = 0; r < t.rows; r++)
    memcpy(tile->y + r * tile->y_row, y + r * 16, (size_t)columns * sizeof *y);
}

void wh_gemm_columns(const wh_gemm *gemm, const wh_tile *tile, ptrdiff_t columns) {
  static const float zeros[16 * WH_GEMM_PANELS];
  wh_tile t = *tile;
  const ptrdiff_t init_step = t.init ? 16 : 0;
  if (!t.init) {
    t.init = zeros;
    t.init_row = 0;
  }
  while (columns > 0) {
    t.panels = t.rows > 1 && columns >= 16 * gemm->panels ? gemm->panels : 1;
    if (columns < 16) {
      part_panel(gemm, &t, (int)columns);
      return;
    }
    gemm->tile(&t);
    columns -= 16 * t.panels;
    if (columns <= 0) return;
    t.b += t.b_panel * t.panels;
    t.y += 16 * t.panels;
    t.init += init_step * t.panels;
    if (t.residual) t.residual += 16 * t.panels;
  }
}

void wh_gemm_rows(const wh_gemm *gemm, const wh_tile *tile, const float *a, ptrdiff_t a_row,
                  ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
  wh_segment segment = {.count = k};
  wh_tile t = *tile;
  t.segments = &segment;
  t.segment_count = 1;
  for (ptrdiff_t i = 0; i < m; i += t.rows) {
    t.rows = (int)(m - i < gemm->rows ? m - i : gemm->rows);
    for (int r = 0; r < gemm->rows; r++)
      segment.rows[r] = a + (i + (r < t.rows ? r : t.rows - 1)) * a_row;
    t.y = tile->y + i * t.y_row;
    if (tile->init) t.init = tile->init + i * t.init_row;
    if (tile->residual) t.residual = tile->residual + i * t.residual_row;
    wh_gemm_columns(gemm, &t, n);
  }
}

#include "../common/region_end.h"
