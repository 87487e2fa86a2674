#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

#define ROWS(rows, vectors)                    \
  case rows:                                   \
    tile_of(t, rows, vectors, 0, false, true); \
    return;

/* Up to 6 rows by 16 columns: 12 sums, 2 columns, 1 element; or up to 8 rows by 8. */
void wh_tile_avx2(const wh_tile *t) {
  if (t->columns == 8) {
    switch ((t->rows + 1) / 2) {
      case 1:
        t->rows == 1 ? row_of(t, 1, 0, false) : tile_of(t, 2, 1, 0, false, true);
        return;
      case 2:
        tile_of(t, 4, 1, 0, false, false);
        return;
      case 3:
        tile_of(t, 6, 1, 0, false, false);
        return;
      default:
        tile_of(t, 8, 1, 0, false, false);
        return;
    }
  }
  switch (t->rows) {
    ROWS(4, 2)
    ROWS(5, 2)
    ROWS(6, 2)
    case 1:
      row_of(t, 2, 0, false);
      return;
    default:
      tile_of(t, 3, 2, 0, false, false);
  }
}

#include "../common/region_end.h"
#endif
typedef int wh_gemm_avx2;
