#include "conv.h"

enum { X, WEIGHTS, BIAS, RESIDUAL, NEAR_FLOATS = 2560, ROWS_FLOATS = 48 * 1024 };

WH_COMPACT const char *wh_depthwise_check(const wh_call *call) {
  const wh_conv *p = call->parameters;
  if (p->channels != 1 || p->filters != 1) return WH_BAD_EXTENT;
  return wh_conv_check_operands(call, wh_times(wh_count(p->kernel, 3), p->groups));
}

static wh_depthwise_function *variant(uint32_t cpu, int32_t channels) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512 && channels > 8) return wh_depthwise_avx512;
  if (cpu & WHERRY_CPU_AVX2) return wh_depthwise_avx2;
#endif
  (void)cpu, (void)channels;
  return wh_depthwise_scalar;
}

/* How many output positions along an axis, from one on, have its range of taps. */
WH_COMPACT static int32_t alike(const wh_conv *p, int axis, int32_t from, wh_range *taps) {
  int32_t count = 0;
  for (; from + count < p->out[axis]; count++) {
    const int64_t at = (int64_t)(from + count) * p->stride[axis] - p->pad[axis];
    const wh_range next = wh_window(at, p->kernel[axis], p->dilation[axis], p->in[axis]);
    if (count == 0) *taps = next;
    if (next.first != taps->first || next.end != taps->end) break;
  }
  return count;
}

/* A rectangle of output pixels from o on that have the same taps, by lines along its longer side. d
 * is set but for them and what follows from them. */
__attribute__((noinline)) static void rectangle(const wh_conv *p, wh_depthwise_function *variant,
                                                wh_depthwise d, const int32_t o[3],
                                                const wh_range taps[3], int32_t rows,
                                                int32_t columns) {
  const ptrdiff_t c = d.channels, width = c * p->out[2];
  const ptrdiff_t x_strides[] = {c * p->in[2] * p->in[1], c * p->in[2], c};
  const ptrdiff_t w_strides[] = {c * p->kernel[2] * p->kernel[1], c * p->kernel[2], c};
  bool any = true;
  for (int i = 0; i < 3; i++) {
    d.taps[i] = taps[i].end - taps[i].first;
    d.x_tap[i] = x_strides[i] * p->dilation[i];
    d.w_tap[i] = w_strides[i];
    any = any && d.taps[i] > 0;
  }
  for (int i = 0; i < 3 && any; i++) {
    const ptrdiff_t at = (ptrdiff_t)o[i] * p->stride[i] - p->pad[i];
    d.x += at * x_strides[i] + taps[i].first * d.x_tap[i];
    d.w += taps[i].first * w_strides[i];
  }
  if (!any) d.taps[0] = 0; /* x is not read */
  const ptrdiff_t y = (o[0] * (ptrdiff_t)p->out[1] + o[1]) * width + o[2] * c;
  d.y += y;
  if (d.residual) d.residual += y;
  const int along = columns >= rows ? 2 : 1;
  d.x_pixel = any ? x_strides[along] * p->stride[along] : 0;
  d.y_pixel = along == 2 ? c : width;
  d.pixels = along == 2 ? columns : rows;
  d.x_line = any ? x_strides[3 - along] * p->stride[3 - along] : 0;
  d.y_line = along == 2 ? width : c;
  d.lines = along == 2 ? rows : columns;
  /* So few channels that the windows of the next line are still in the first cache. */
  const ptrdiff_t fit = NEAR_FLOATS / (d.taps[1] * (ptrdiff_t)d.pixels + 1) & -16;
  const ptrdiff_t step = d.lines == 1 ? c : fit > 16 ? fit : 16;
  for (ptrdiff_t first = 0; first < c; first += step) {
    wh_depthwise some = d;
    if (any) some.x += first;
    if (any) some.w += first;
    if (some.bias) some.bias += first;
    if (some.residual) some.residual += first;
    some.y += first;
    some.channels = wh_min64(step, c - first);
    variant(&some);
  }
}

WH_COMPACT int32_t wh_depthwise_run(const wh_call *call) {
  const wh_conv *p = call->parameters;
  const wh_tensor *bias = wh_input(call, BIAS), *residual = wh_input(call, RESIDUAL);
  const ptrdiff_t c = p->groups;
  const ptrdiff_t in = c * p->in[0] * p->in[1] * p->in[2];
  const ptrdiff_t out = c * p->out[0] * p->out[1] * p->out[2];
  wh_depthwise d = {
      .x = (const float *)wh_input(call, X)->data,
      .w = (const float *)wh_input(call, WEIGHTS)->data,
      .bias = bias ? (const float *)bias->data : NULL,
      .residual = residual ? (const float *)residual->data : NULL,
      .y = (float *)wh_output(call, 0)->data,
      .channels = c,
      .low = p->low,
      .high = p->high,
  };
  if (!out) return WHERRY_OK;
  /* Rows of y whose windows the second cache holds. */
  const int32_t most = 1 + (int32_t)(ROWS_FLOATS / (c * p->in[2] * p->stride[1] + 1));
  for (int32_t n = 0; n < p->batch; n++) {
    int32_t o[3], rows, columns;
    wh_range taps[3];
    for (o[0] = 0; o[0] < p->out[0]; o[0]++) {
      taps[0] = wh_window((int64_t)o[0] * p->stride[0] - p->pad[0], p->kernel[0], p->dilation[0],
                          p->in[0]);
      for (o[1] = 0; o[1] < p->out[1]; o[1] += rows) {
        rows = alike(p, 1, o[1], &taps[1]);
        rows = rows < most ? rows : most;
        for (o[2] = 0; o[2] < p->out[2]; o[2] += columns) {
          columns = alike(p, 2, o[2], &taps[2]);
          rectangle(p, variant(call->cpu, p->groups), d, o, taps, rows, columns);
        }
      }
    }
    d.x += in;
    d.y += out;
    if (d.residual) d.residual += out;
  }
  return WHERRY_OK;
}
