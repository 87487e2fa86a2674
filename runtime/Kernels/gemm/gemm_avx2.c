#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

WH_INLINE void half_panel(const wh_tile *t, const place *at) {
  if (t->rows == 1)
    row_of(t, at, 1, 0, false);
  else if (t->rows <= 4)
    tile_of(t, at, 4, 1, 0, false, false);
  else if (t->rows <= 6)
    tile_of(t, at, 6, 1, 0, false, false);
  else
    tile_of(t, at, 8, 1, 0, false, false);
}

WH_INLINE void one_tile(const wh_tile *t, const place *at) {
  if (t->columns == 8)
    half_panel(t, at);
  else if (t->rows == 6)
    tile_of(t, at, 6, 2, 0, false, true);
  else if (t->rows == 5)
    tile_of(t, at, 5, 2, 0, false, true);
  else if (t->rows == 4)
    tile_of(t, at, 4, 2, 0, false, true);
  else if (t->rows > 1)
    tile_of(t, at, 3, 2, 0, false, false);
  else
    row_of(t, at, 2, 0, false);
}

/* Up to 6 rows by 16 columns: 12 sums, 2 columns, 1 element; or up to 8 rows by 8. */
void wh_tile_avx2(const wh_tile *t) { EVERY(t, one_tile) }

#include "../common/region_end.h"
#endif
typedef int wh_gemm_avx2;
