/* Spans in the vectors of vector.h: whole vectors, then one padded vector for the rest. */
#include "transcendental_body.h"

WH_INLINE vf v_clip(vf x, float low, float high) {
  return v_at_most(v_all(high), v_at_least(v_all(low), x));
}

static bool cheap_vectors(const wh_unary *p, const float *x, float *y, int64_t count) {
  const float alpha = p->alpha, beta = p->beta;
  switch (p->kind) {
    case WH_ABS:
      EACH(v_abs(v))
    case WH_NEG:
      EACH(-v)
    case WH_RECIPROCAL:
      EACH(1.0f / v)
    case WH_SOFTSIGN:
      EACH(v / (1.0f + v_abs(v)))
    case WH_CLIP:
      EACH(v_clip(v, alpha, beta))
    case WH_LEAKY_RELU:
      EACH(v_select(v < 0.0f, v * alpha, v))
    case WH_HARD_SIGMOID:
      EACH(v_clip(v * alpha + beta, 0.0f, 1.0f))
    case WH_HARD_SWISH:
      EACH(v * v_clip(v * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f))
    case WH_THRESHOLDED_RELU:
      EACH(v_select(v <= alpha, (vf){0}, v))
    case WH_AFFINE:
      EACH(v * alpha + beta)
    default:
      return false;
  }
}

#define PAIRS(expression)                                               \
  {                                                                     \
    for (int64_t i = 0; i < count; i += WH_LANES) {                     \
      vf s = a_step ? v_load(a + i) : a_all;                            \
      vf t = b_step ? v_load(b + i) : b_all;                            \
      v_store(y + i, v_at_most(top, v_at_least(bottom, (expression)))); \
    }                                                                   \
    return;                                                             \
  }

static void binary_vectors(int kind, const float *a, int a_step, const float *b, int b_step,
                           float *y, int64_t count, float low, float high) {
  const vf bottom = v_all(low), top = v_all(high), a_all = v_all(*a), b_all = v_all(*b);
  switch (kind) {
    case WH_ADD:
      PAIRS(s + t)
    case WH_SUB:
      PAIRS(s - t)
    case WH_MUL:
      PAIRS(s * t)
    case WH_DIV:
      PAIRS(s / t)
    case WH_MIN:
      PAIRS(v_select((s < t) | (s != s), s, t))
    case WH_MAX:
      PAIRS(v_select((s > t) | (s != s), s, t))
    default:
      PAIRS(v_select(s < 0.0f, s * t, s))
  }
}

WH_INLINE void binary(int kind, const float *a, int a_step, const float *b, int b_step, float *y,
                      int64_t count, float low, float high) {
  const int64_t whole = count & -WH_LANES, part = count - whole;
  float last_a[WH_LANES], last_b[WH_LANES];
  if (whole) binary_vectors(kind, a, a_step, b, b_step, y, whole, low, high);
  if (!part) return;
  v_store(last_a, v_load_part(a + (a_step ? whole : 0), a_step ? part : 1));
  v_store(last_b, v_load_part(b + (b_step ? whole : 0), b_step ? part : 1));
  binary_vectors(kind, last_a, a_step, last_b, b_step, last_a, WH_LANES, low, high);
  v_store_part(y + whole, v_load(last_a), part);
}
