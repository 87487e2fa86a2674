#include "qtile.h"
/**/
#include "../common/compact.h"

wh_qkernel wh_qkernel_select(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WH_CPU_UNSIGNED) {
    if (!(~cpu & (WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI)))
      return (wh_qkernel){wh_qtile_avx512_vnni, 0xCB, 0x89, 8, 2, 0x83};
    if (cpu & WHERRY_CPU_AVX_VNNI) return (wh_qkernel){wh_qtile_avx_vnni, 0x25, 0x25, 6, 1, 9};
    if (cpu & WHERRY_CPU_AVX2) return (wh_qkernel){wh_qtile_avx2, 0x29, 0x29, 6, 1, 1};
  }
#elif defined(__aarch64__)
  if (!(~cpu & (WHERRY_CPU_DOTPROD | WHERRY_CPU_I8MM)))
    return (wh_qkernel){wh_qtile_i8mm, 0x89, 0x89, 8, 1, 1};
  if (cpu & WHERRY_CPU_DOTPROD) return (wh_qkernel){wh_qtile_dotprod, 0x25, 0x25, 6, 1, 1};
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return (wh_qkernel){wh_qtile_neon, 3, 3, 2, 1, 1};
#else
  return (wh_qkernel){wh_qtile_scalar, 0xF, 0xF, 4, 1, 1};
#endif
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

/* Panels of the next tile when so many are left. */
static int width(const wh_qkernel *kernel, int rows, int left) {
  if (rows > 1) return left < kernel->panels ? left : kernel->panels;
  int panels = left < 8 ? left : 8;
  while (!(kernel->single >> (panels - 1) & 1)) panels--;
  return panels;
}

void wh_qtile_columns(const wh_qkernel *kernel, const wh_qtile *tile) {
  if (width(kernel, tile->rows, tile->panels) == tile->panels) {
    kernel->tile(tile);
    return;
  }
  wh_qtile t = *tile;
  const ptrdiff_t bytes = tile->result->kind == WH_RESULT_Q8 ? 1 : 4;
  for (int left = tile->panels; left > 0; left -= t.panels) {
    t.panels = width(kernel, t.rows, left);
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
