#if !defined(__ARM_NEON) /* there NEON is what the build assumes, so it is the plain variant too \
                          */
#include "../common/vector.h"
#include "gemm.h"
#include "gemm_body.h"

WH_INLINE void one_tile(const wh_tile *t, const place *at) {
  for (int v = 0; v < 4; v += 2) {
    if (t->rows == 1)
      row_of(t, at, 2, v, false);
    else
      tile_of(t, at, 4, 2, v, false, false);
  }
}

/* Up to 4 rows by 1 panel, half a panel at a time: 8 sums fit the 16 registers of SSE2. */
void wh_tile_scalar(const wh_tile *t) { EVERY(t, one_tile) }

#endif
typedef int wh_gemm_scalar;
