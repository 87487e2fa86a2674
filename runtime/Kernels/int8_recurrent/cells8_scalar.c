#include "../common/q8.h"
#include "cells8.h"
/**/
#include "../common/compact.h"

const int16_t wh_cell8_curve[3][16] = {
    {0, 8025, 15143, 20813, 24956, 27797, 29660, 30847, 31589, 32048, 32329, 32501, 32606, 32670,
     32708, 32732},
    {8275, 7752, 6449, 4865, 3411, 2269, 1460, 919, 570, 350, 216, 131, 77, 49, 29, 35},
    {-250, -634, -779, -722, -570, -406, -273, -177, -111, -69, -44, -26, -13, -11, -5, 0}};

static int32_t saturated(int32_t x) { return x < -32768 ? -32768 : x > 32767 ? 32767 : x; }

/* A pre-activation of 2^-12. */
static int32_t fixed(float t) { return (int32_t)wh_q8_clamp(t, -32768, 32767); }

/* Half up, of a product of two values of 2^-15. */
static int32_t multiply(int32_t a, int32_t b) { return (a * b + 16384) >> 15; }

/* 2^15 tanh(v / 2^13) */
static int32_t curve(int32_t v) {
  const int32_t a = v < -32767 ? 32767 : v < 0 ? -v : v, part = (a & 2047) << 4, k = a >> 11;
  const int32_t slope = wh_cell8_curve[1][k] + multiply(part, wh_cell8_curve[2][k]);
  const int32_t y = wh_cell8_curve[0][k] + multiply(part, slope);
  return v < 0 ? -y : y;
}

static int32_t sigmoid(float t) { return (curve(fixed(t)) >> 1) + 16384; }
static int32_t tangent(float t) { return curve(saturated(2 * fixed(t))); }

static uint8_t byte_of(const wh_cell8 *s, float t) {
  const wh_q8_range range = {(float)(-128 - s->zero), (float)(127 - s->zero),
                             (uint8_t)s->zero ^ s->flip};
  return wh_q8_byte(t, &range);
}

void wh_lstm8_scalar(const wh_cell8 *s) {
  const int64_t n = s->hidden;
  for (int64_t u = 0; u < n; u++) {
    const float *x = s->x + u, *r = s->r + u;
    const int32_t i = sigmoid(x[0] + r[0]), o = sigmoid(x[n] + r[n]);
    const int32_t f = sigmoid(x[2 * n] + r[2 * n]), g = tangent(x[3 * n] + r[3 * n]);
    const float kept = (float)f * 0x1p-15f * s->state[u];
    const float c = wh_cell8_state(kept + (float)(i * g) * 0x1p-30f);
    s->state[u] = c;
    s->h[u] = byte_of(s, (float)(o * tangent(c * 4096)) * (s->factor * 0x1p-30f));
  }
}

void wh_gru8_reset_scalar(const wh_cell8 *s) {
  const int64_t n = s->hidden;
  for (int64_t u = 0; u < n; u++) {
    const int32_t r = sigmoid(s->x[n + u] + s->r[n + u]);
    const int32_t h = (int8_t)(s->h[u] ^ s->flip) - s->zero;
    s->reset[u] = byte_of(s, (float)(r * h) * 0x1p-15f);
  }
}

void wh_gru8_scalar(const wh_cell8 *s) {
  const int64_t n = s->hidden;
  for (int64_t u = 0; u < n; u++) {
    const float *x = s->x + u, *r = s->r + u;
    const int32_t z = sigmoid(x[0] + r[0]);
    float t = r[2 * n];
    if (s->linear_before_reset) t *= (float)sigmoid(x[n] + r[n]) * 0x1p-15f;
    const int32_t g = tangent(x[2 * n] + t);
    const float kept = (float)z * 0x1p-15f * s->state[u];
    const float h = wh_cell8_state(kept + (float)((32768 - z) * g) * 0x1p-30f);
    s->state[u] = h;
    s->h[u] = byte_of(s, h * s->factor);
  }
}

#include "../common/region_end.h"
