#include <math.h>

#include "../common/operands.h"
#include "../common/vector.h"

enum { MEAN_VARIANCE, RMS, L1, L2, BLOCK = 64 * WH_LANES };

WH_COMPACT const char *wh_normalize_check(const wh_call *call) {
  const wh_normalize *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  if (p->kind < MEAN_VARIANCE || p->kind > L2) return WH_BAD_KIND;
  if (p->rows < 0 || p->count < 0 || p->period < 1 || p->channels_per_row < 0 || p->span < 1)
    return WH_BAD_EXTENT;
  const uint64_t size = wh_count3(p->rows, p->count, 1);
  uint64_t channels = 0;
  if (p->count)
    channels = (uint64_t)(p->period - 1) * (uint64_t)p->channels_per_row +
               (uint64_t)((p->count - 1) / p->span) + 1;
  if (!wh_holds(wh_input(call, 0), f32, size) || !wh_holds(wh_output(call, 0), f32, size) ||
      !wh_may_hold(wh_input(call, 1), f32, channels) ||
      !wh_may_hold(wh_input(call, 2), f32, channels))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 1);
}

/* Sum of (x - mean)^2, |x| or x over a row: vectors within blocks, float64 across them. */
static double sum_of(int what, const float *x, int64_t count, float mean) {
  double total = 0;
  const vf from = v_all(mean);
  for (int64_t i = 0; i < count;) {
    vf sum = {0}, more = {0};
    const int64_t end = wh_min64(i + BLOCK, count);
    for (; i + 2 * WH_LANES <= end; i += 2 * WH_LANES) {
      vf a = v_load(x + i) - from, b = v_load(x + i + WH_LANES) - from;
      sum += what == L2 ? a * a : what == L1 ? v_abs(a) : a;
      more += what == L2 ? b * b : what == L1 ? v_abs(b) : b;
    }
    WH_ROLLED
    for (; i < end; i++) {
      const double a = (double)(x[i] - mean);
      total += what == L2 ? a * a : what == L1 ? fabs(a) : a;
    }
    sum += more;
    for (int j = 0; j < WH_LANES; j++) total += (double)sum[j];
  }
  return total;
}

/* y = (x - mean) * by over a run whose channel is the same. */
static void scale_run(const float *x, float *y, int64_t count, float mean, float by, float add) {
  const vf m = v_all(mean), b = v_all(by), a = v_all(add);
  int64_t i = 0;
  for (; i + WH_LANES <= count; i += WH_LANES) v_store(y + i, (v_load(x + i) - m) * b + a);
  WH_ROLLED
  for (; i < count; i++) y[i] = (x[i] - mean) * by + add;
}

static void row_of(const wh_normalize *p, const float *x, float *y, const float *scale,
                   const float *bias) {
  const int64_t count = p->count;
  float mean = 0;
  double by;
  if (p->kind == MEAN_VARIANCE) mean = (float)(sum_of(MEAN_VARIANCE, x, count, 0) / (double)count);
  if (p->kind == L1) {
    by = sum_of(L1, x, count, 0);
  } else {
    by = sum_of(L2, x, count, mean);
    if (p->kind != L2) by = by / (double)count + (double)p->epsilon;
    by = sqrt(by);
  }
  by = p->kind >= L1 && by == 0 ? 0 : 1 / by;
  if (p->span == 1 && (scale || bias)) {
    const float factor = (float)by;
    const vf m = v_all(mean), f = v_all(factor);
    int64_t i = 0;
    for (; i + WH_LANES <= count; i += WH_LANES) {
      vf v = (v_load(x + i) - m) * f;
      if (scale) v *= v_load(scale + i);
      if (bias) v += v_load(bias + i);
      v_store(y + i, v);
    }
    WH_ROLLED
    for (; i < count; i++) {
      float v = (x[i] - mean) * factor;
      if (scale) v *= scale[i];
      if (bias) v += bias[i];
      y[i] = v;
    }
    return;
  }
  const int64_t span = scale || bias ? p->span : count;
  for (int64_t i = 0, c = 0; i < count; i += span, c++)
    scale_run(x + i, y + i, wh_min64(span, count - i), mean,
              (float)(scale ? by * (double)scale[c] : by), bias ? bias[c] : 0);
}

int32_t wh_normalize_run(const wh_call *call) {
  const wh_normalize *p = call->parameters;
  const wh_tensor *scale = wh_input(call, 1), *bias = wh_input(call, 2);
  const float *x = (const float *)wh_input(call, 0)->data;
  float *y = (float *)wh_output(call, 0)->data;
  if (!p->count) return WHERRY_OK;
  for (int64_t r = 0; r < p->rows; r++) {
    const int64_t first = r % p->period * p->channels_per_row;
    row_of(p, x + r * p->count, y + r * p->count, scale ? (const float *)scale->data + first : NULL,
           bias ? (const float *)bias->data + first : NULL);
  }
  return WHERRY_OK;
}
