#if defined(__ARM_NEON)
#include "../common/vector.h"
#include "weights8.h"
#include "weights8_body.h"

VARIANT(neon)

void wh_weights8_widen_neon(const int8_t *weights, const float *scale, float *to, int64_t rows) {
  for (int64_t i = 0; i < rows; i++) {
    const columns c = weights_of(weights + 16 * i);
    WH_UNROLL
    for (int v = 0; v < WH_VECTORS; v++)
      v_store(to + 16 * i + v * WH_LANES, c.v[v] * v_load(scale + v * WH_LANES));
  }
}

#endif
typedef int wh_weights8_neon;
