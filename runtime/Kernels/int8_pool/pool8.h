/* QPool: maxima and averages of windows over channels-last maps of 8-bit values. */
#ifndef WHERRY_POOL8_H
#define WHERRY_POOL8_H

#include "../common/q8.h"

/* One window: its valid taps along D, H and W, none when taps[0] is 0. */
typedef struct wh_pool8 {
  const uint8_t *x; /* channel 0 of the first valid tap */
  uint8_t *y;
  const uint8_t *y_end; /* of the whole output */
  ptrdiff_t channels;
  int32_t taps[3];
  ptrdiff_t tap[3]; /* bytes between taps */
  int64_t first[3]; /* position of the first valid tap */
  bool average;
  uint8_t flip; /* as wh_q8_flip */
  int32_t x_zero, y_zero, low, high;
  wh_q8_range range; /* of these */
  int32_t offset;    /* average: what the stored bytes' sum is too large by */
  float factor;      /* average: ratio / count */
} wh_pool8;

/* The first is the definition. The others take the storage their processor prefers, windows in the
 * order of y, and write vectors past a window's channels where y goes on. */
typedef void wh_pool8_function(const wh_pool8 *w);
wh_pool8_function wh_pool8_scalar, wh_pool8_avx2, wh_pool8_neon;

#endif
