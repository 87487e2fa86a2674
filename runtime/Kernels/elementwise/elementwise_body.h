/* Spans in the vectors of vector.h: whole vectors, then one padded vector for the rest. */
#include "math_body.h"

/* count is whole vectors; the callers pad the rest, so that each expression is compiled once. */
#define EACH(expression)                            \
  {                                                 \
    for (int64_t i = 0; i < count; i += WH_LANES) { \
      vf v = v_load(x + i);                         \
      v_store(y + i, (expression));                 \
    }                                               \
    return true;                                    \
  }

WH_INLINE vf v_clip(vf x, float low, float high) {
  return v_at_most(v_all(high), v_at_least(v_all(low), x));
}

static bool unary_vectors(const wh_unary *p, const float *x, float *y, int64_t count) {
  const float alpha = p->alpha, beta = p->beta;
  switch (p->kind) {
    case WH_ABS:
      EACH(v_abs(v))
    case WH_NEG:
      EACH(-v)
    case WH_RECIPROCAL:
      EACH(1.0f / v)
    case WH_EXP:
      EACH(v_exp(v))
    case WH_TANH:
      EACH(v_tanh(v))
    case WH_ERF:
      EACH(v_erf(v))
    case WH_SIGMOID:
      EACH(v_sigmoid(v))
    case WH_SOFTSIGN:
      EACH(v / (1.0f + v_abs(v)))
    case WH_CLIP:
      EACH(v_clip(v, alpha, beta))
    case WH_LEAKY_RELU:
      EACH(v_select(v < 0.0f, v * alpha, v))
    case WH_ELU:
      EACH(v_select(v < 0.0f, v_expm1(v) * alpha, v))
    case WH_SELU:
      EACH(v_select(v > 0.0f, v, v_expm1(v) * alpha) * p->gamma)
    case WH_CELU:
      EACH(v_select(v < 0.0f, v_expm1(v / alpha) * alpha, v))
    case WH_GELU:
      EACH(v * 0.5f * (1.0f + v_erf(v * 0.707106781f)))
    case WH_GELU_TANH:
      EACH(v * 0.5f * (1.0f + v_tanh((v + v * v * v * 0.044715f) * 0.797884561f)))
    case WH_HARD_SIGMOID:
      EACH(v_clip(v * alpha + beta, 0.0f, 1.0f))
    case WH_HARD_SWISH:
      EACH(v * v_clip(v * (1.0f / 6.0f) + 0.5f, 0.0f, 1.0f))
    case WH_SWISH:
      EACH(v * v_sigmoid(v * alpha))
    case WH_THRESHOLDED_RELU:
      EACH(v_select(v <= alpha, (vf){0}, v))
    case WH_AFFINE:
      EACH(v * alpha + beta)
    default:
      return false;
  }
}

WH_INLINE bool unary(const wh_unary *p, const float *x, float *y, int64_t count) {
  const int64_t whole = count & -WH_LANES;
  float last[WH_LANES];
  if (!unary_vectors(p, x, y, whole)) return false;
  if (whole == count) return true;
  v_store(last, v_load_part(x + whole, count - whole));
  unary_vectors(p, last, last, WH_LANES);
  v_store_part(y + whole, v_load(last), count - whole);
  return true;
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

/* Sums in vectors for 32 steps, then in float64. */
WH_INLINE double exp_sum(const float *x, float shift, float *y, int64_t count) {
  const vf by = v_all(shift);
  double total = 0;
  for (int64_t i = 0; i < count;) {
    vf sum = {0};
    for (int step = 0; step < 32 && i < count; step++, i += WH_LANES) {
      const int64_t part = count - i;
      const bool whole = part >= WH_LANES;
      vf e = v_exp((whole ? v_load(x + i) : v_load_part(x + i, part)) - by);
      if (whole) {
        v_store(y + i, e);
      } else {
        v_store_part(y + i, e, part);
        e = v_load_part(y + i, part);
      }
      sum += e;
    }
    for (int j = 0; j < WH_LANES; j++) total += (double)sum[j];
  }
  return total;
}
