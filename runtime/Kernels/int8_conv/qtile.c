#include "qtile.h"
/**/
#include "../common/compact.h"

wh_qkernel wh_qkernel_select(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WH_CPU_UNSIGNED) {
    if (!(~cpu & (WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI)))
      return (wh_qkernel){wh_qtile_avx512_vnni, 0x2EB, 0x289, 10, 2, 8};
  }
#endif
  (void)cpu;
  return (wh_qkernel){wh_qtile_scalar, 0xF, 0xF, 4, 1, 1};
}

static int reach(uint32_t heights, int rows) {
  while (!(heights >> (rows - 1) & 1)) rows++;
  return rows;
}

int wh_qkernel_reach(const wh_qkernel *kernel, int rows) { return reach(kernel->thin, rows); }

/* Of a tile, about: its height counts, fewer than 5 sums wait for each other. */
static ptrdiff_t cost(uint32_t heights, int rows, ptrdiff_t panels) {
  return wh_max64(reach(heights, rows) * panels, 5) * 2 + 1;
}

int wh_qkernel_height(const wh_qkernel *kernel, ptrdiff_t rows, ptrdiff_t panels) {
  int best = kernel->rows;
  ptrdiff_t least = PTRDIFF_MAX;
  panels = wh_min64(panels, kernel->panels);
  const uint32_t heights = panels > 1 ? kernel->heights : kernel->thin;
  for (int height = kernel->rows; height > 0; height--) {
    if (!(heights >> (height - 1) & 1)) continue;
    /* Only the shares per row matter, so that long runs do not overflow. */
    const ptrdiff_t tiles = wh_min64(rows / height, 1000), rest = rows % height;
    ptrdiff_t time = tiles * cost(heights, height, panels);
    if (rest) time += cost(heights, (int)rest, panels);
    time = time * 10000 / (tiles * height + rest);
    if (time >= least) continue;
    least = time;
    best = height;
  }
  return best;
}

void wh_qtile_columns(const wh_qkernel *kernel, const wh_qtile *tile) {
  const int most = tile->rows == 1 ? kernel->single : kernel->panels;
  if (tile->panels <= most) {
    kernel->tile(tile);
    return;
  }
  wh_qtile t = *tile;
  const ptrdiff_t bytes = tile->result->kind == WH_RESULT_Q8 ? 1 : 4;
  for (int left = tile->panels; left > 0; left -= t.panels) {
    t.panels = left < most ? left : most;
    kernel->tile(&t);
    const ptrdiff_t columns = 16 * t.panels;
    t.head += t.panels * t.panel;
    t.w += t.panels * t.panel;
    t.columns -= columns;
    t.y += columns * bytes;
    if (t.residual) t.residual += columns;
    if (t.bias) t.bias += columns;
  }
}

#include "../common/region_end.h"
