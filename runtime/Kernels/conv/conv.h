#ifndef WHERRY_CONV_H
#define WHERRY_CONV_H

#include "window.h"

/* Everything a check of Conv and DepthwiseConv proves, given the floats their weights must hold. */
const char *wh_conv_check_operands(const wh_call *call, uint64_t weights);

/* One run of up to WH_DEPTHWISE_PIXELS neighbouring output pixels along W with the same taps.
 * x and w point at the first valid tap of channel 0. */
typedef struct wh_depthwise {
  const float *x, *w, *bias, *residual;
  float *y;
  ptrdiff_t channels;
  ptrdiff_t x_pixel;            /* between neighbouring outputs' windows */
  ptrdiff_t x_tap[3], w_tap[3]; /* between taps along D, H, W */
  int32_t taps[3];
  int32_t pixels;
  float low, high;
} wh_depthwise;

#define WH_DEPTHWISE_PIXELS 4

typedef void wh_depthwise_function(const wh_depthwise *run);
wh_depthwise_function wh_depthwise_scalar, wh_depthwise_avx2, wh_depthwise_avx512;

#endif
