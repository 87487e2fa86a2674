#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

/* Up to 6 rows by 1 panel: 12 sums, 2 columns, 1 element. */
void wh_tile_avx2(const wh_tile *t) {
  if (t->rows == 1)
    row_of(t, 2, 0);
  else if (t->rows <= 3)
    tile_of(t, 3, 2, 0);
  else
    tile_of(t, 6, 2, 0);
}

#include "../common/region_end.h"
#endif
typedef int wh_gemm_avx2;
