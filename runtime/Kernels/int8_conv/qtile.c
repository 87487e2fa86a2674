#include "qtile.h"
/**/
#include "../common/compact.h"

/* Heights 1, 2, 4, 6, 7, 8, 10. */
enum { HEIGHTS_OF_10 = 0x2EB };

wh_qkernel wh_qkernel_select(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WH_CPU_UNSIGNED) {
    if (!(~cpu & (WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI)))
      return (wh_qkernel){wh_qtile_avx512_vnni, HEIGHTS_OF_10, 10, 2};
  }
#endif
  (void)cpu;
  return (wh_qkernel){wh_qtile_scalar, 0xF, 4, 1};
}

/* A tile takes as long as its next larger height, and about half a row more. */
static ptrdiff_t cost(const wh_qkernel *kernel, int rows) {
  while (!(kernel->heights >> (rows - 1) & 1)) rows++;
  return 2 * rows + 1;
}

int wh_qkernel_height(const wh_qkernel *kernel, ptrdiff_t rows) {
  int best = kernel->rows;
  ptrdiff_t least = PTRDIFF_MAX;
  for (int height = kernel->rows; height > 0; height--) {
    if (!(kernel->heights >> (height - 1) & 1)) continue;
    const int rest = (int)(rows % height);
    /* Only the shares per row matter, so that long runs do not overflow. */
    const ptrdiff_t tiles = rows / height > 1000 ? 1000 : rows / height;
    const ptrdiff_t used = tiles * height + rest;
    const ptrdiff_t time = (tiles * cost(kernel, height) + (rest ? cost(kernel, rest) : 0)) *
                           1000000 / (used ? used : 1);
    if (time >= least) continue;
    least = time;
    best = height;
  }
  return best;
}

void wh_qtile_columns(const wh_qkernel *kernel, const wh_qtile *tile) {
  wh_qtile t = *tile;
  const ptrdiff_t bytes = tile->result->kind == WH_RESULT_Q8 ? 1 : 4;
  for (int left = tile->panels; left > 0; left -= t.panels) {
    t.panels = left < kernel->panels ? left : kernel->panels;
    kernel->tile(&t);
    t.head += t.panels * t.panel;
    t.w += t.panels * t.panel;
    t.columns -= 16 * t.panels;
    if (t.columns <= 0) return;
    t.y += 16 * t.panels * bytes;
    if (t.residual) t.residual += 16 * t.panels;
    if (t.bias) t.bias += 16 * t.panels;
  }
}

#include "../common/region_end.h"
