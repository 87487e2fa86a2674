/* QPool: maxima and averages of windows over channels-last maps of 8-bit values. */
#ifndef WHERRY_POOL8_H
#define WHERRY_POOL8_H

#include "../common/operands.h"

/* One window: its valid taps along D, H and W, none when taps[0] is 0. */
typedef struct wh_pool8 {
  const uint8_t *x; /* channel 0 of the first valid tap */
  uint8_t *y;
  ptrdiff_t channels;
  int32_t taps[3];
  ptrdiff_t tap[3]; /* bytes between taps */
  int64_t first[3]; /* position of the first valid tap */
  bool average;
  uint8_t flip; /* as wh_q8_flip */
  int32_t x_zero, y_zero, low, high;
  float factor; /* average: ratio / count */
} wh_pool8;

/* The definition, from channel c on. */
void wh_pool8_scalar(const wh_pool8 *w, ptrdiff_t c);

#endif
