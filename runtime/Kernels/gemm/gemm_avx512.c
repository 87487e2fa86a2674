#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

#define ROWS(rows, vectors)                    \
  case rows:                                   \
    tile_of(t, rows, vectors, 0, false, true); \
    return;

/* A part of one panel, by masks. */
static void part_of(const wh_tile *t) {
  if (t->rows == 1)
    row_of(t, 1, 0, true);
  else
    t->rows <= 4 ? tile_of(t, 4, 1, 0, true, false) : tile_of(t, 8, 1, 0, true, false);
}

/* Up to 8 rows by 2 panels: 16 sums. Eight columns are the AVX2 variant's, at half the cost. */
void wh_tile_avx512(const wh_tile *t) {
  if (t->columns == 8) {
    wh_tile_avx2(t);
  } else if (t->columns < 16) {
    part_of(t);
  } else if (t->columns > 16) {
    switch (t->rows) {
      ROWS(2, 2)
      ROWS(3, 2)
      ROWS(4, 2)
      ROWS(5, 2)
      ROWS(6, 2)
      ROWS(7, 2)
      ROWS(8, 2)
    }
  } else {
    switch (t->rows) {
      ROWS(8, 1)
      case 1:
        row_of(t, 1, 0, false);
        return;
      case 5:
      case 6:
      case 7:
        tile_of(t, 7, 1, 0, false, false);
        return;
      default:
        tile_of(t, 4, 1, 0, false, false);
    }
  }
}

#include "../common/region_end.h"
#endif
typedef int wh_gemm_avx512;
