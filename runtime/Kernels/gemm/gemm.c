#include "gemm.h"

#include <math.h>
#include <string.h>

#include "../../ABI/wherry.h"

wh_gemm wh_gemm_select(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512) return (wh_gemm){wh_tile_avx512, 8, 2};
  if (cpu & WHERRY_CPU_AVX2) return (wh_gemm){wh_tile_avx2, 6, 1};
#elif defined(__ARM_NEON)
  if (cpu & WHERRY_CPU_NEON) return (wh_gemm){wh_tile_neon, 4, 1};
#endif
  (void)cpu;
  return (wh_gemm){wh_tile_scalar, 4, 1};
}

enum { CHUNK = 64 };

/* Adds segments of row-major b whose last columns are fewer than 16 into t->y, by way of a packed
 * copy of CHUNK rows at a time. */
static void tile_of_copies(const wh_gemm *gemm, wh_tile *t, int columns) {
  float copy[CHUNK][16];
  memset(copy, 0, sizeof copy);
  wh_segment part;
  wh_tile step = *t;
  step.segments = &part;
  step.segment_count = 1;
  step.b = copy[0];
  step.b_row = 16;
  for (ptrdiff_t i = 0; i < t->segment_count; i++) {
    for (ptrdiff_t k = 0; k < t->segments[i].count; k += CHUNK) {
      part = t->segments[i];
      if (part.count > k + CHUNK) part.count = k + CHUNK;
      part.count -= k;
      const float *b = t->b + (part.b + k) * t->b_row;
      for (ptrdiff_t j = 0; j < part.count; j++, b += t->b_row)
        memcpy(copy[j], b, (size_t)columns * sizeof *b);
      for (int r = 0; r < WH_GEMM_ROWS && r < gemm->rows; r++) part.rows[r] += k;
      part.b = 0;
      gemm->tile(&step);
      step.init = step.y;
      step.init_row = step.y_row;
    }
  }
}

/* One panel of fewer than 16 columns, or of copied b: by way of full-width buffers. */
static void part_panel(const wh_gemm *gemm, const wh_tile *tile, int columns) {
  float y[WH_GEMM_ROWS * 16];
  size_t bytes = (size_t)columns * sizeof *y;
  wh_tile t = *tile;
  memset(y, 0, sizeof y);
  for (int r = 0; r < t.rows; r++) memcpy(y + r * 16, t.init + r * t.init_row, bytes);
  t.init = t.y = y;
  t.init_row = t.y_row = 16;
  t.residual = NULL;
  t.low = -INFINITY;
  t.high = INFINITY;
  if (t.packed)
    gemm->tile(&t);
  else
    tile_of_copies(gemm, &t, columns);
  for (int r = 0; r < t.rows; r++) {
    float *to = tile->y + r * tile->y_row;
    for (int n = 0; n < columns; n++) {
      float x = y[r * 16 + n];
      if (tile->residual) x += tile->residual[r * tile->residual_row + n];
      x = x < tile->low ? tile->low : x;
      to[n] = x > tile->high ? tile->high : x;
    }
  }
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
