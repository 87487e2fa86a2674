#include "bytes.h"

#include <string.h>

#include "../common/q8.h"

/* Eight at a time: what is done where no shuffle is. */
void wh_bytes_lookup_scalar(const uint8_t table[256], const uint8_t *x, uint8_t *y, int64_t count) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint8_t eight[8];
    for (int j = 0; j < 8; j++) eight[j] = table[x[i + j]];
    memcpy(y + i, eight, 8);
  }
  for (; i < count; i++) y[i] = table[x[i]];
}

/**/
#include "../common/compact.h"

static uint8_t byte_of(float t, int32_t zero, int32_t low, int32_t high, uint8_t flip) {
  const wh_q8_range range = {(float)(low - zero), (float)(high - zero), (uint8_t)zero ^ flip};
  return wh_q8_byte(t, &range);
}

static float term(const wh_qbinary *p, int32_t a, int32_t b) {
  if (p->kind == WH_MUL) return (float)(a * b) * p->a_factor;
  const float s = (float)a * p->a_factor, t = (float)b * p->b_factor;
  return p->kind == WH_ADD ? s + t : s - t;
}

void wh_bytes_binary_scalar(const wh_qbinary *p, uint8_t flip, const uint8_t *a, int a_step,
                            const uint8_t *b, int b_step, uint8_t *y, int64_t count) {
  for (int64_t i = 0; i < count; i++, a += a_step, b += b_step) {
    const float t = term(p, (int8_t)(*a ^ flip) - p->a_zero, (int8_t)(*b ^ flip) - p->b_zero);
    y[i] = byte_of(t, p->y_zero, p->low, p->high, flip);
  }
}

void wh_bytes_quantize_scalar(const float *x, float scale, int32_t zero, uint8_t flip, uint8_t *y,
                              int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = byte_of(x[i] / scale, zero, -128, 127, flip);
}

void wh_bytes_dequantize_scalar(const uint8_t *x, uint8_t flip, int32_t zero, float scale, float *y,
                                int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = (float)((int8_t)(x[i] ^ flip) - zero) * scale;
}

wh_range wh_range_scalar(const float *x, int64_t count) {
  wh_range r = {0, 0};
  for (int64_t i = 0; i < count; i++) {
    if (x[i] < r.least) r.least = x[i];
    if (x[i] > r.most) r.most = x[i];
  }
  return r;
}

void wh_softmax_table_scalar(const float *reversed, float k, int32_t zero, uint8_t flip,
                             uint8_t table[256]) {
  for (int u = 0; u < 256; u++)
    table[(uint8_t)(u - 128) ^ flip] = byte_of(reversed[u] * k, zero, -128, 127, flip);
}

/* Sums wrap: what a sound file holds stays below 2^31. */
static int32_t pixel_sum(const wh_qresize *p, const wh_resize_taps *taps, uint8_t flip,
                         const uint8_t *x) {
  uint32_t sum = 0;
  for (int64_t s = 0; s < p->taps[0]; s++) {
    for (int64_t t = 0; t < p->taps[1]; t++) {
      const int64_t at = (int64_t)taps->indices[0][s] * p->in[1] + taps->indices[1][t];
      const int32_t q = (int8_t)(x[at * p->inner] ^ flip);
      sum +=
          (uint32_t)taps->weights[0][s] * (uint32_t)taps->weights[1][t] * (uint32_t)(q - p->x_zero);
    }
  }
  return (int32_t)sum;
}

void wh_resize_scalar(const wh_qresize *p, uint8_t flip, const wh_resize_taps *row,
                      const uint8_t *x, uint8_t *y) {
  wh_resize_taps taps = *row;
  for (int64_t o = 0; o < p->out[1]; o++) {
    for (int64_t i = 0; i < p->inner; i++) {
      const float t = (float)pixel_sum(p, &taps, flip, x + i) * p->factor;
      *y++ = byte_of(t, p->y_zero, -128, 127, flip);
    }
    taps.indices[1] += p->taps[1];
    taps.weights[1] += p->taps[1];
  }
}

#include "../common/region_end.h"
