#include "conv.h"

enum { X, WEIGHTS, BIAS, RESIDUAL };

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

/* One line of output pixels; d is set but for what varies along W. x and w are the line's first
 * valid tap of column 0, y and residual its first pixel. */
static void line(const wh_conv *p, wh_depthwise_function *run, wh_depthwise d) {
  const float *x = d.x, *w = d.w;
  for (int32_t ow = 0; ow < p->out[2]; ow += d.pixels) {
    const int64_t at = (int64_t)ow * p->stride[2] - p->pad[2];
    const wh_range range = wh_window(at, p->kernel[2], p->dilation[2], p->in[2]);
    d.pixels = 1;
    if (range.first == 0 && range.end == p->kernel[2]) {
      while (d.pixels < WH_DEPTHWISE_PIXELS && ow + d.pixels < p->out[2] &&
             at + d.pixels * p->stride[2] + (int64_t)(p->kernel[2] - 1) * p->dilation[2] < p->in[2])
        d.pixels++;
    }
    d.taps[2] = range.end - range.first;
    if (d.taps[2]) {
      d.x = x + (at + (int64_t)range.first * p->dilation[2]) * d.channels;
      d.w = w + range.first * d.w_tap[2];
    }
    run(&d);
    d.y += d.pixels * d.channels;
    if (d.residual) d.residual += d.pixels * d.channels;
  }
}

int32_t wh_depthwise_run(const wh_call *call) {
  const wh_conv *p = call->parameters;
  const wh_tensor *bias = wh_input(call, BIAS), *residual = wh_input(call, RESIDUAL);
  const float *x = (const float *)wh_input(call, X)->data;
  const float *w = (const float *)wh_input(call, WEIGHTS)->data;
  const ptrdiff_t c = p->groups, x_line = c * p->in[2], x_plane = x_line * p->in[1];
  const ptrdiff_t w_line = c * p->kernel[2], w_plane = w_line * p->kernel[1];
  wh_depthwise d = {
      .bias = bias ? (const float *)bias->data : NULL,
      .residual = residual ? (const float *)residual->data : NULL,
      .y = (float *)wh_output(call, 0)->data,
      .channels = c,
      .x_pixel = c * p->stride[2],
      .x_tap = {x_plane * p->dilation[0], x_line * p->dilation[1], c * p->dilation[2]},
      .w_tap = {w_plane, w_line, c},
      .low = p->low,
      .high = p->high,
  };
  if (!c || !p->out[0] || !p->out[1] || !p->out[2]) return WHERRY_OK;
  for (int32_t n = 0; n < p->batch; n++, x += x_plane * p->in[0]) {
    for (int32_t od = 0; od < p->out[0]; od++) {
      const int64_t at_d = (int64_t)od * p->stride[0] - p->pad[0];
      const wh_range kd = wh_window(at_d, p->kernel[0], p->dilation[0], p->in[0]);
      for (int32_t oh = 0; oh < p->out[1]; oh++) {
        const int64_t at_h = (int64_t)oh * p->stride[1] - p->pad[1];
        const wh_range kh = wh_window(at_h, p->kernel[1], p->dilation[1], p->in[1]);
        d.taps[0] = kd.end - kd.first;
        d.taps[1] = kh.end - kh.first;
        d.x = x;
        d.w = w;
        if (d.taps[0] && d.taps[1]) {
          d.x += (at_d + (int64_t)kd.first * p->dilation[0]) * x_plane +
                 (at_h + (int64_t)kh.first * p->dilation[1]) * x_line;
          d.w += kd.first * w_plane + kh.first * w_line;
        } else {
          d.taps[0] = d.taps[1] = 0;
        }
        wh_depthwise line_of = d;
        line(p, variant(call->cpu, p->groups), line_of);
        d.y += c * p->out[2];
        if (d.residual) d.residual += c * p->out[2];
      }
    }
  }
  return WHERRY_OK;
}
