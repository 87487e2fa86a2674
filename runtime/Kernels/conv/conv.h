#ifndef WHERRY_CONV_H
#define WHERRY_CONV_H

#include "window.h"

/* Everything a check of Conv and DepthwiseConv proves, given the floats their weights must hold. */
const char *wh_conv_check_operands(const wh_call *call, uint64_t weights);

/* Lines of output pixels, along any axis, that all have the same taps. x and w point at the first
 * valid tap of the first pixel, channel 0. */
typedef struct wh_depthwise {
  const float *x, *w, *bias, *residual;
  float *y;
  ptrdiff_t channels;
  ptrdiff_t x_pixel, y_pixel;   /* between neighbouring outputs' windows, and outputs */
  ptrdiff_t x_line, y_line;     /* between lines of them */
  ptrdiff_t x_tap[3], w_tap[3]; /* between taps along D, H, W */
  int32_t taps[3];
  int32_t pixels, lines;
  float low, high;
} wh_depthwise;

typedef void wh_depthwise_function(const wh_depthwise *lines);
wh_depthwise_function wh_depthwise_scalar, wh_depthwise_avx2, wh_depthwise_avx512;

#endif
