/* Rows in the vectors of vector.h. */
#include <math.h>

enum { BLOCK = 64 * WH_LANES };

/* Sum of (x - mean)^2, |x| or x over a row: vectors within blocks, float64 across them. */
static double sum_of(int what, const float *x, int64_t count, float mean) {
  double total = 0;
  const vf from = v_all(mean);
  for (int64_t i = 0; i < count;) {
    vf sum = {0}, more = {0};
    const int64_t end = wh_min64(i + BLOCK, count);
    for (; i + 2 * WH_LANES <= end; i += 2 * WH_LANES) {
      vf a = v_load(x + i) - from, b = v_load(x + i + WH_LANES) - from;
      sum += what == WH_L2 ? a * a : what == WH_L1 ? v_abs(a) : a;
      more += what == WH_L2 ? b * b : what == WH_L1 ? v_abs(b) : b;
    }
    WH_ROLLED
    for (; i < end; i++) {
      const double a = (double)(x[i] - mean);
      total += what == WH_L2 ? a * a : what == WH_L1 ? fabs(a) : a;
    }
    total += (double)v_total(sum + more);
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

WH_INLINE void row_of(const wh_normalize *p, const float *x, float *y, const float *scale,
                      const float *bias) {
  const int64_t count = p->count;
  const double share = 1 / (double)count;
  float mean = 0;
  double by;
  if (p->kind == WH_MEAN_VARIANCE) mean = (float)(sum_of(WH_MEAN_VARIANCE, x, count, 0) * share);
  if (p->kind == WH_L1) {
    by = sum_of(WH_L1, x, count, 0);
  } else {
    by = sum_of(WH_L2, x, count, mean);
    if (p->kind != WH_L2) by = by * share + (double)p->epsilon;
    by = sqrt(by);
  }
  by = p->kind >= WH_L1 && by == 0 ? 0 : 1 / by;
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
