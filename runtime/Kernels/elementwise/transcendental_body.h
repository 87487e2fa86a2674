/* Spans of the costly elementary functions in the vectors of vector.h, and softmax. */
#include "../common/operands.h"
#include "math_body.h"

/* count is whole vectors; the callers pad the rest, so that each expression is compiled once. */
#define EACH(expression)                            \
  {                                                 \
    WH_ROLLED                                       \
    for (int64_t i = 0; i < count; i += WH_LANES) { \
      vf v = v_load(x + i);                         \
      v_store(y + i, (expression));                 \
    }                                               \
    return true;                                    \
  }

static bool costly_vectors(const wh_unary *p, const float *x, float *y, int64_t count) {
  switch (p->kind) {
    case WH_EXP:
      EACH(v_exp(v))
    case WH_TANH:
      EACH(v_tanh(v))
    case WH_ERF:
      EACH(v_erf(v))
    case WH_SIGMOID:
      EACH(v_sigmoid(v))
    case WH_GELU:
      EACH(v_gelu(v))
    case WH_GELU_TANH:
      EACH(v * 0.5f * (1.0f + v_tanh((v + v * v * v * 0.044715f) * 0.797884561f)))
    case WH_SWISH:
      EACH(v * v_sigmoid(v * p->alpha))
    default:
      return false;
  }
}

typedef bool whole_vectors(const wh_unary *p, const float *x, float *y, int64_t count);

static __attribute__((noinline)) bool unary(whole_vectors *vectors, const wh_unary *p,
                                            const float *x, float *y, int64_t count) {
  const int64_t whole = count & -WH_LANES;
  float last[WH_LANES];
  if (!vectors(p, x, y, whole)) return false;
  if (whole == count) return true;
  v_store(last, v_load_part(x + whole, count - whole));
  vectors(p, last, last, WH_LANES);
  v_store_part(y + whole, v_load(last), count - whole);
  return true;
}

/* y = softmax(x). Exponentials are summed in vectors for 32 steps, then in float64. */
static void softmax(const float *x, float *y, int64_t count) {
  vf most = v_all(-__builtin_inff());
  int64_t i = 0;
  WH_ROLLED
  for (; i + WH_LANES <= count; i += WH_LANES) {
    const vf v = v_load(x + i);
    most = v_select(v > most, v, most);
  }
  float largest = v_most(most);
  WH_ROLLED
  for (; i < count; i++) largest = x[i] > largest ? x[i] : largest;
  const vf by = v_all(largest);
  double total = 0;
  for (i = 0; i < count;) {
    vf sum = {0};
    WH_ROLLED
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
    total += (double)v_total(sum);
  }
  const float scale = (float)(1.0 / total);
  WH_ROLLED
  for (i = 0; i + WH_LANES <= count; i += WH_LANES) v_store(y + i, v_load(y + i) * scale);
  WH_ROLLED
  for (; i < count; i++) y[i] *= scale;
}
