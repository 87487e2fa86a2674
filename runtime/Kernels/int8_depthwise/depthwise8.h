/* QDepthwiseConv: one 8-bit filter a channel over channels-last maps. */
#ifndef WHERRY_DEPTHWISE8_H
#define WHERRY_DEPTHWISE8_H

#include "../common/operands.h"

/* A call with its operands looked up. */
typedef struct wh_depthwise8 {
  const wh_qconv *p;
  const uint8_t *x, *stream;
  const uint8_t *residual; /* dense, or null */
  uint8_t *y;              /* element 0, y_offset counted in */
  int32_t taps;            /* of the window */
  uint8_t flip;            /* as wh_q8_flip */
} wh_depthwise8;

/* Bytes of the stream of a block of 16 channels. */
static inline ptrdiff_t wh_depthwise8_block(const wh_depthwise8 *d) {
  return WH_QDEPTHWISE_HEAD + (ptrdiff_t)d->taps * 16;
}

/* The definition, for the blocks of 16 channels first ..< end. */
void wh_depthwise8_scalar(const wh_depthwise8 *d, int32_t first, int32_t end);

/* y = the sum of count 8-bit results c and their residuals, as wh_qconv says; r = y allowed. */
void wh_add_residual8(const wh_depthwise8 *d, const uint8_t *c, const uint8_t *r, uint8_t *y,
                      ptrdiff_t count);

#endif
