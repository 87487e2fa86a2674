#include "pool8.h"

enum { RUN = 16 };

WH_COMPACT static void run_of(const wh_pool8 *w, ptrdiff_t from, int count) {
  int32_t sums[RUN];
  for (int c = 0; c < RUN; c++) sums[c] = w->average ? 0 : -128;
  for (int32_t d = 0; d < w->taps[0]; d++) {
    for (int32_t h = 0; h < w->taps[1]; h++) {
      const uint8_t *x = w->x + d * w->tap[0] + h * w->tap[1] + from;
      for (int32_t k = 0; k < w->taps[2]; k++, x += w->tap[2]) {
        for (int c = 0; c < count; c++) {
          const int32_t q = (int8_t)(x[c] ^ w->flip);
          if (w->average)
            sums[c] += q - w->x_zero;
          else
            sums[c] = q > sums[c] ? q : sums[c];
        }
      }
    }
  }
  for (int c = 0; c < count; c++) {
    const float t = (float)sums[c] * (w->average ? w->factor : 1);
    w->y[from + c] = wh_q8_byte(t, &w->range);
  }
}

WH_COMPACT void wh_pool8_scalar(const wh_pool8 *w) {
  for (ptrdiff_t c = 0; c < w->channels; c += RUN)
    run_of(w, c, (int)wh_min64(RUN, w->channels - c));
}
