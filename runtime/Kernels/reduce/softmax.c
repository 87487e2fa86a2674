#include <math.h>

#include "../elementwise/elementwise.h"
#include "axis.h"

enum { SOFTMAX, LOG_SOFTMAX, HARDMAX, COLUMNS = 32 };

WH_COMPACT const char *wh_softmax_check(const wh_call *call) {
  const wh_softmax *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0);
  if (p->kind < SOFTMAX || p->kind > HARDMAX) return WH_BAD_KIND;
  if (!wh_holds(x, WH_REALS, 0)) return WH_BAD_OPERANDS;
  const uint32_t element = x->record->element;
  const char *reason =
      wh_check_axis(call, element, p->outer, p->count, p->inner, 0, element, p->count);
  return reason ? reason : wh_check_outputs(call, 1);
}

/* One column, elements stride apart, in float64. */
WH_COMPACT static void column(int kind, uint32_t element, const void *x, void *y, int64_t at,
                              int64_t count, int64_t stride) {
  double most = -INFINITY, sum = 0, v;
  int64_t first = 0;
  for (int64_t i = 0; i < count; i++) {
    wh_load_reals(&v, element, x, at + i * stride, 0, 1);
    if (v > most) {
      most = v;
      first = i;
    }
  }
  for (int64_t i = 0; i < count && kind != HARDMAX; i++) {
    wh_load_reals(&v, element, x, at + i * stride, 0, 1);
    sum += exp(v - most);
  }
  const double log_sum = kind == LOG_SOFTMAX ? log(sum) : 0;
  for (int64_t i = 0; i < count; i++) {
    wh_load_reals(&v, element, x, at + i * stride, 0, 1);
    v = kind == HARDMAX ? i == first : kind == SOFTMAX ? exp(v - most) / sum : v - most - log_sum;
    wh_store_reals(&v, element, y, at + i * stride, 0, 1);
  }
}

/* Up to COLUMNS neighbouring columns of softmax, row by row. */
static void columns(uint32_t cpu, const float *x, float *y, int64_t count, int64_t inner, int n) {
  float most[COLUMNS], scale[COLUMNS];
  double sum[COLUMNS] = {0};
  const float no = -INFINITY;
  const wh_unary exponential = {.kind = WH_EXP, .element = WH_FLOAT32};
  for (int j = 0; j < n; j++) most[j] = no;
  for (int64_t i = 0; i < count; i++) {
    for (int j = 0; j < n; j++) most[j] = x[i * inner + j] > most[j] ? x[i * inner + j] : most[j];
  }
  for (int64_t i = 0; i < count; i++) {
    float shifted[COLUMNS], *to = y + i * inner;
    wh_binary_span(cpu, WH_SUB, x + i * inner, 1, most, 1, shifted, n, no, INFINITY);
    wh_unary_span(cpu, &exponential, shifted, to, n);
    for (int j = 0; j < n; j++) sum[j] += (double)to[j];
  }
  for (int j = 0; j < n; j++) scale[j] = (float)(1.0 / sum[j]);
  for (int64_t i = 0; i < count; i++)
    wh_binary_span(cpu, WH_MUL, y + i * inner, 1, scale, 1, y + i * inner, n, no, INFINITY);
}

WH_COMPACT int32_t wh_softmax_run(const wh_call *call) {
  const wh_softmax *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  const int64_t count = p->count, inner = p->inner;
  const bool fast = p->kind == SOFTMAX && x->record->element == WH_FLOAT32;
  if (!count || !inner) return WHERRY_OK;
  for (int64_t o = 0; o < p->outer; o++) {
    const int64_t at = o * count * inner;
    const float *from = (const float *)x->data;
    float *to = (float *)y->data;
    if (fast && inner == 1) {
      wh_softmax_span(call->cpu, from + at, to + at, count);
      continue;
    }
    for (int64_t i = 0; i < inner; i += fast ? COLUMNS : 1) {
      if (fast)
        columns(call->cpu, from + at + i, to + at + i, count, inner,
                (int)wh_min64(COLUMNS, inner - i));
      else
        column(p->kind, x->record->element, x->data, y->data, at + i, count, inner);
    }
  }
  return WHERRY_OK;
}
