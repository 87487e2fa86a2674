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

/* What exp takes, for a function of x that is some arithmetic around it; *u: its own argument. */
WH_INLINE vf v_before_exp(int kind, const wh_unary *p, vf x, vf *u) {
  *u = x;
  switch (kind) {
    case WH_GELU_TANH:
      *u = (x + x * x * x * 0.044715f) * 0.797884561f;
      return v_abs(*u) + v_abs(*u);
    case WH_TANH:
      return v_abs(x) + v_abs(x);
    case WH_ERF:
      return v_erf_exponent(x);
    case WH_SWISH:
      return -(x * p->alpha);
    case WH_SIGMOID:
      return -x;
    case WH_CELU:
      return x / p->alpha;
    default:
      return x;
  }
}

/* The function from e^t and e^t - 1. */
WH_INLINE vf v_after_exp(int kind, const wh_unary *p, vf x, vf u, vf e, vf less) {
  switch (kind) {
    case WH_GELU_TANH:
      return x * 0.5f * (1.0f + v_tanh_of(u, e));
    case WH_TANH:
      return v_tanh_of(u, e);
    case WH_ERF:
      return v_erf_of(x, e);
    case WH_SWISH:
      return x * (1.0f / (1.0f + e));
    case WH_SIGMOID:
      return 1.0f / (1.0f + e);
    case WH_EXP:
      return e;
    case WH_SELU:
      return v_select(x > 0.0f, x, less * p->alpha) * p->gamma;
    default: /* ELU, CELU */
      return v_select(x < 0.0f, less * p->alpha, x);
  }
}

WH_INLINE bool around_exp(int kind, const wh_unary *p, const float *x, float *y, int64_t count) {
  WH_ROLLED
  for (int64_t i = 0; i < count; i += WH_LANES) {
    const vf v = v_load(x + i);
    vf u;
    vi n;
    const vf part = v_exp_parts(v_before_exp(kind, p, v, &u), &n), e = v_scale(part + 1.0f, n);
    v_store(y + i, v_after_exp(kind, p, v, u, e, v_select(n == 0, part, e - 1.0f)));
  }
  return true;
}

#define AROUND_EXP(name) \
  case WH_##name:        \
    return around_exp(WH_##name, p, x, y, count);

/* The functions of exp, and GELU. On boards the rarer ones share a loop, 5 to 20 % slower. */
static bool costly_vectors(const wh_unary *p, const float *x, float *y, int64_t count) {
  switch (p->kind) {
    AROUND_EXP(TANH)
    AROUND_EXP(SIGMOID)
#if defined(__x86_64__)
    AROUND_EXP(EXP)
    AROUND_EXP(ERF)
    AROUND_EXP(GELU_TANH)
    AROUND_EXP(SWISH)
    AROUND_EXP(ELU)
    AROUND_EXP(SELU)
    AROUND_EXP(CELU)
#else
    case WH_EXP:
    case WH_ERF:
    case WH_GELU_TANH:
    case WH_SWISH:
    case WH_ELU:
    case WH_SELU:
    case WH_CELU:
      return around_exp(p->kind, p, x, y, count);
#endif
    case WH_GELU:
      EACH(v_gelu(v))
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
