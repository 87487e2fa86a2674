#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

/* Up to 8 rows by 2 panels: 16 sums. */
void wh_tile_avx512(const wh_tile *t) {
  if (t->rows == 1)
    row_of(t, 1, 0);
  else if (t->panels == 2)
    t->rows <= 4 ? tile_of(t, 4, 2, 0) : tile_of(t, 8, 2, 0);
  else
    t->rows <= 4 ? tile_of(t, 4, 1, 0) : tile_of(t, 8, 1, 0);
}

#include "../common/region_end.h"
#endif
typedef int wh_gemm_avx512;
