#if !defined(__ARM_NEON) /* there NEON is what the build assumes, so it is the plain variant too \
                          */
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

/* Up to 4 rows by 1 panel, half a panel at a time: 8 sums fit the 16 registers of SSE2 and ARMv7.
 */
void wh_tile_scalar(const wh_tile *t) {
  if (t->rows == 1) {
    row_of(t, 2, 0, false);
    row_of(t, 2, 2, false);
  } else {
    tile_of(t, 4, 2, 0, false, false);
    tile_of(t, 4, 2, 2, false, false);
  }
}

#endif
typedef int wh_gemm_scalar;
