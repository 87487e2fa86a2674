#include <math.h>

#include "../common/numbers.h"
#include "../common/operands.h"
#include "elementwise.h"
/**/
#include "../common/compact.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double clip(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}
static double softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }

double wh_unary_real(const wh_unary *p, double x) {
  const double alpha = p->alpha, beta = p->beta, gamma = p->gamma;
  switch (p->kind) {
    case WH_ABS:
      return fabs(x);
    case WH_NEG:
      return -x;
    case WH_SIGN:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case WH_CEIL:
      return ceil(x);
    case WH_FLOOR:
      return floor(x);
    case WH_ROUND:
      return rint(x);
    case WH_SQRT:
      return sqrt(x);
    case WH_RECIPROCAL:
      return 1 / x;
    case WH_EXP:
      return exp(x);
    case WH_LOG:
      return log(x);
    case WH_SIN:
      return sin(x);
    case WH_COS:
      return cos(x);
    case WH_TAN:
      return tan(x);
    case WH_ASIN:
      return asin(x);
    case WH_ACOS:
      return acos(x);
    case WH_ATAN:
      return atan(x);
    case WH_SINH:
      return sinh(x);
    case WH_COSH:
      return cosh(x);
    case WH_TANH:
      return tanh(x);
    case WH_ASINH:
      return asinh(x);
    case WH_ACOSH:
      return acosh(x);
    case WH_ATANH:
      return atanh(x);
    case WH_ERF:
      return erf(x);
    case WH_SIGMOID:
      return sigmoid(x);
    case WH_SOFTPLUS:
      return softplus(x);
    case WH_SOFTSIGN:
      return x / (1 + fabs(x));
    case WH_CLIP:
      return clip(x, alpha, beta);
    case WH_LEAKY_RELU:
      return x < 0 ? alpha * x : x;
    case WH_ELU:
      return x < 0 ? alpha * expm1(x) : x;
    case WH_SELU:
      return gamma * (x > 0 ? x : alpha * expm1(x));
    case WH_CELU:
      return x < 0 ? alpha * expm1(x / alpha) : x;
    case WH_GELU:
      return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
    case WH_GELU_TANH:
      return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    case WH_HARD_SIGMOID:
      return clip(alpha * x + beta, 0, 1);
    case WH_HARD_SWISH:
      return x * clip(x / 6 + 0.5, 0, 1);
    case WH_MISH:
      return x * tanh(softplus(x));
    case WH_SWISH:
      return x * sigmoid(alpha * x);
    case WH_THRESHOLDED_RELU:
      return x <= alpha ? 0 : x;
    case WH_SHRINK:
      return x < -alpha ? x + beta : x > alpha ? x - beta : 0;
    case WH_AFFINE:
      return alpha * x + beta;
    case WH_IS_NAN:
      return x != x;
    case WH_IS_INF:
      return (alpha != 0 && x == -INFINITY) || (beta != 0 && x == INFINITY);
    default:
      return x;
  }
}

static int64_t of_integer(const wh_unary *p, int64_t x) {
  const uint32_t element = (uint32_t)p->element;
  const bool natural = element == WH_UINT64;
  switch (p->kind) {
    case WH_ABS:
      return x < 0 && !natural ? (int64_t)(0 - (uint64_t)x) : x;
    case WH_NEG:
      return (int64_t)(0 - (uint64_t)x);
    case WH_SIGN:
      return natural ? x != 0 : (x > 0) - (x < 0);
    case WH_NOT:
      return !x;
    case WH_BIT_NOT:
      return ~x;
    default: { /* WH_CLIP */
      const int64_t flip = natural ? INT64_MIN : 0;
      const int64_t low = wh_saturate(element, (double)p->alpha);
      const int64_t high = wh_saturate(element, (double)p->beta);
      if ((x ^ flip) < (low ^ flip)) x = low;
      return (x ^ flip) > (high ^ flip) ? high : x;
    }
  }
}

void wh_unary_span(uint32_t cpu, const wh_unary *p, const float *x, float *y, int64_t count) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512 && wh_unary_avx512(p, x, y, count)) return;
  if (cpu & WHERRY_CPU_AVX2) {
    if (wh_unary_avx2(p, x, y, count)) return;
  } else
#endif
  {
    (void)cpu;
    if (wh_unary_scalar(p, x, y, count)) return;
  }
  for (int64_t i = 0; i < count; i++) y[i] = (float)wh_unary_real(p, (double)x[i]);
}

void wh_softmax_span(uint32_t cpu, const float *x, float *y, int64_t count) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512) {
    wh_softmax_avx512(x, y, count);
    return;
  }
  if (cpu & WHERRY_CPU_AVX2) {
    wh_softmax_avx2(x, y, count);
    return;
  }
#endif
  (void)cpu;
  wh_softmax_scalar(x, y, count);
}

const char *wh_unary_check(const wh_call *call) {
  const wh_unary *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0);
  const uint32_t element = (uint32_t)p->element;
  uint32_t gives = element;
  if (p->kind < WH_ABS || p->kind > WH_AFFINE || element >= 32) return WH_BAD_KIND;
  if (p->kind == WH_IS_NAN || p->kind == WH_IS_INF) gives = WH_BOOL;
  if (wh_is_integer(element)) {
    if (p->kind != WH_ABS && p->kind != WH_NEG && p->kind != WH_SIGN && p->kind != WH_NOT &&
        p->kind != WH_BIT_NOT && p->kind != WH_CLIP)
      return WH_BAD_KIND;
  } else if (!(WH_BIT(element) & WH_REALS) || p->kind == WH_NOT || p->kind == WH_BIT_NOT) {
    return WH_BAD_KIND;
  }
  if (!wh_holds(x, WH_BIT(element), 0)) return WH_BAD_OPERANDS;
  if (!wh_holds(wh_output(call, 0), WH_BIT(gives), wh_capacity(x, wh_element_bytes(element))))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 1);
}

int32_t wh_unary_run(const wh_call *call) {
  const wh_unary *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  const uint32_t element = (uint32_t)p->element;
  const int64_t count = (int64_t)wh_capacity(x, wh_element_bytes(element));
  const bool to_bool = p->kind == WH_IS_NAN || p->kind == WH_IS_INF;
  if (element == WH_FLOAT32 && !to_bool) {
    wh_unary_span(call->cpu, p, (const float *)x->data, (float *)y->data, count);
    return WHERRY_OK;
  }
  for (int64_t i = 0; i < count; i += WH_SPAN) {
    const int n = (int)wh_min64(count - i, WH_SPAN);
    if (wh_is_integer(element)) {
      int64_t span[WH_SPAN];
      wh_load_integers(span, element, x->data, i, 1, n);
      for (int j = 0; j < n; j++) span[j] = of_integer(p, span[j]);
      wh_store_integers(span, element, y->data, i, 1, n);
    } else {
      double span[WH_SPAN];
      wh_load_reals(span, element, x->data, i, 1, n);
      for (int j = 0; j < n; j++) span[j] = wh_unary_real(p, span[j]);
      if (to_bool) {
        for (int j = 0; j < n; j++) y->data[i + j] = span[j] != 0;
      } else {
        wh_store_reals(span, element, y->data, i, 1, n);
      }
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
