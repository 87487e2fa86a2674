#include "depthwise8.h"

enum { BLOCK = 16 };

#if defined(__ARM_NEON)
#define HOT WH_COMPACT /* it serves only windows too large for strips */
#else
#define HOT
#endif

/* Where a window begins, as positions of x that may lie outside. */
typedef struct place {
  int64_t at[3];
  const uint8_t *image;
} place;

/* Sums of products of one block's channels over one window, 16 even where fewer are left: those
 * read bytes after x. Sums wrap, which no valid stream makes them do. */
HOT static __attribute__((noinline)) void sums_of(const wh_depthwise8 *d, const place *place,
                                                  int32_t block, uint32_t sums[BLOCK]) {
  const wh_qconv *p = d->p;
  const int8_t *w = (const int8_t *)d->stream + block * wh_depthwise8_block(d) + WH_QDEPTHWISE_HEAD;
  uint8_t pad[BLOCK];
  memset(pad, (uint8_t)p->x_zero ^ d->flip, sizeof pad);
  for (int32_t kd = 0; kd < p->kernel[0]; kd++) {
    const int64_t z = place->at[0] + (int64_t)kd * p->dilation[0];
    for (int32_t kh = 0; kh < p->kernel[1]; kh++) {
      const int64_t h = place->at[1] + (int64_t)kh * p->dilation[1];
      for (int32_t kw = 0; kw < p->kernel[2]; kw++, w += BLOCK) {
        const int64_t v = place->at[2] + (int64_t)kw * p->dilation[2];
        const bool there =
            z >= 0 && z < p->in[0] && h >= 0 && h < p->in[1] && v >= 0 && v < p->in[2];
        const uint8_t *x = pad;
        if (there) {
          const ptrdiff_t pixel = (ptrdiff_t)((z * p->in[1] + h) * p->in[2] + v);
          x = place->image + pixel * p->groups + (ptrdiff_t)block * BLOCK;
        }
        for (int c = 0; c < BLOCK; c++) sums[c] += (uint32_t)((int8_t)(x[c] ^ d->flip) * w[c]);
      }
    }
  }
}

WH_COMPACT void wh_depthwise8_scalar(const wh_depthwise8 *d, int32_t first, int32_t end) {
  const wh_qconv *p = d->p;
  const ptrdiff_t image = (ptrdiff_t)p->in[0] * p->in[1] * p->in[2] * p->groups;
  const ptrdiff_t pixels = (ptrdiff_t)p->batch * p->out[0] * p->out[1] * p->out[2];
  for (ptrdiff_t i = 0; i < pixels; i++) {
    ptrdiff_t rest = i;
    place place;
    for (int axis = 2; axis >= 0; axis--) {
      place.at[axis] = (int64_t)(rest % p->out[axis]) * p->stride[axis] - p->pad[axis];
      rest /= p->out[axis];
    }
    place.image = d->x + rest * image;
    for (int32_t block = first; block < end; block++) {
      const uint8_t *head = d->stream + block * wh_depthwise8_block(d);
      const ptrdiff_t channel = (ptrdiff_t)block * BLOCK;
      const int count = (int)wh_min64(BLOCK, p->groups - channel);
      uint32_t sums[BLOCK];
      float scales[BLOCK];
      uint8_t bytes[BLOCK];
      memcpy(sums, head, sizeof sums);
      memcpy(scales, head + sizeof sums, sizeof scales);
      sums_of(d, &place, block, sums);
      for (int c = 0; c < BLOCK; c++)
        bytes[c] = wh_requantize((int32_t)sums[c], scales[c], &d->own);
      uint8_t *y = d->y + i * p->y_row + channel;
      if (d->residual)
        wh_add_residual8(d, bytes, d->residual + i * p->groups + channel, y, count);
      else
        memcpy(y, bytes, (size_t)count);
    }
  }
}

WH_COMPACT void wh_add_residual8(const wh_depthwise8 *d, const uint8_t *c, const uint8_t *r,
                                 uint8_t *y, ptrdiff_t count) {
  const wh_qconv *p = d->p;
  for (ptrdiff_t i = 0; i < count; i++) {
    const float own = (float)((int8_t)(c[i] ^ d->flip) - p->c_zero) * p->c_factor;
    const float other = (float)((int8_t)(r[i] ^ d->flip) - p->r_zero) * p->r_factor;
    y[i] = wh_q8_byte(own + other, &d->sum);
  }
}
