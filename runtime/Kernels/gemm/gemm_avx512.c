#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

/* A part of one panel, by masks. */
WH_INLINE void part_of(const wh_tile *t, const place *at) {
  if (t->rows == 1)
    row_of(t, at, 1, 0, true);
  else if (t->rows <= 4)
    tile_of(t, at, 4, 1, 0, true, false);
  else
    tile_of(t, at, 8, 1, 0, true, false);
}

WH_INLINE void one_panel(const wh_tile *t, const place *at) {
  if (t->rows == 8)
    tile_of(t, at, 8, 1, 0, false, true);
  else if (t->rows == 1)
    row_of(t, at, 1, 0, false);
  else if (t->rows <= 4)
    tile_of(t, at, 4, 1, 0, false, false);
  else
    tile_of(t, at, 7, 1, 0, false, false);
}

WH_INLINE void two_panels(const wh_tile *t, const place *at) {
  switch (t->rows) {
    case 2:
      tile_of(t, at, 2, 2, 0, false, true);
      break;
    case 3:
      tile_of(t, at, 3, 2, 0, false, true);
      break;
    case 4:
      tile_of(t, at, 4, 2, 0, false, true);
      break;
    case 5:
      tile_of(t, at, 5, 2, 0, false, true);
      break;
    case 6:
      tile_of(t, at, 6, 2, 0, false, true);
      break;
    case 7:
      tile_of(t, at, 7, 2, 0, false, true);
      break;
    default:
      tile_of(t, at, 8, 2, 0, false, true);
  }
}

WH_INLINE void one_tile(const wh_tile *t, const place *at) {
  if (t->columns > 16)
    two_panels(t, at);
  else if (t->columns == 16)
    one_panel(t, at);
  else
    part_of(t, at);
}

/* Up to 8 rows by 2 panels: 16 sums. Eight columns are the AVX2 variant's, at half the cost. */
void wh_tile_avx512(const wh_tile *t) {
  if (t->columns == 8)
    wh_tile_avx2(t);
  else
    EVERY(t, one_tile)
}

#include "../common/region_end.h"
#endif
typedef int wh_gemm_avx512;
