#include "pool8.h"
#include "../conv/window.h"

enum { MAX, AVERAGE, LARGEST_COUNT = 1 << 23 /* of elements whose sum fits in 31 bits */ };

WH_COMPACT const char *wh_qpool_check(const wh_call *call) {
  const wh_qpool *p = call->parameters;
  const uint32_t q8 = WH_BIT(WH_Q8);
  if (p->kind != MAX && p->kind != AVERAGE) return WH_BAD_KIND;
  if (p->batch < 0 || p->channels < 0) return WH_BAD_EXTENT;
  if (!wh_q8_range_sane(p->kind == AVERAGE ? p->y_zero : 0, p->low, p->high))
    return WH_BAD_QUANTIZATION;
  if (p->kind == AVERAGE && (p->x_zero < -128 || p->x_zero > 127 ||
                             !(p->ratio >= 0x1p-126 && p->ratio <= (double)WH_LARGEST_FACTOR)))
    return WH_BAD_QUANTIZATION;
  uint64_t plane = 1, window = 1;
  for (int i = 0; i < 3; i++) {
    if (!wh_window_sane(p->in[i], p->out[i], p->kernel[i], p->stride[i], p->dilation[i],
                        p->pad[i]) ||
        p->pad_end[i] < 0)
      return WH_BAD_EXTENT;
    plane = wh_times(plane, p->in[i] ? p->in[i] : 1);
    window = wh_times(window, wh_min64(p->kernel[i], p->in[i]));
  }
  if (wh_times(plane, p->channels) > INT64_MAX) return WH_BAD_EXTENT;
  if (p->kind == AVERAGE && window > LARGEST_COUNT) return WH_BAD_EXTENT;
  const uint64_t maps = wh_count3(p->batch, p->channels, 1);
  if (maps > INT64_MAX ||
      !wh_holds(wh_input(call, 0), q8, wh_times(wh_count(p->in, 3), (int64_t)maps)) ||
      !wh_holds(wh_output(call, 0), q8, wh_times(wh_count(p->out, 3), (int64_t)maps)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

/* One axis of the window: its valid taps and how many count. */
WH_COMPACT static double place(const wh_qpool *p, wh_pool8 *w, int axis, int64_t out) {
  const int64_t origin = out * p->stride[axis] - p->pad[axis];
  const wh_range range = wh_window(origin, p->kernel[axis], p->dilation[axis], p->in[axis]);
  w->taps[axis] = range.end - range.first;
  w->first[axis] = origin + (int64_t)range.first * p->dilation[axis];
  if (!p->count_include_pad) return w->taps[axis];
  const int64_t limit = (int64_t)p->in[axis] + p->pad_end[axis] - origin;
  const int64_t taps = limit > 0 ? (limit + p->dilation[axis] - 1) / p->dilation[axis] : 0;
  return (double)wh_min64(taps, p->kernel[axis]);
}

static wh_pool8_function *variant(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX2 && cpu & WH_CPU_UNSIGNED) return wh_pool8_avx2;
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return wh_pool8_neon;
#else
  return wh_pool8_scalar;
#endif
}

WH_COMPACT int32_t wh_qpool_run(const wh_call *call) {
  const wh_qpool *p = call->parameters;
  const ptrdiff_t c = p->channels;
  const uint8_t *x = wh_input(call, 0)->data;
  const bool average = p->kind == AVERAGE;
  const ptrdiff_t step[3] = {c * p->in[2] * p->in[1], c * p->in[2], c};
  wh_pool8 w = {.y = wh_output(call, 0)->data,
                .channels = c,
                .average = average,
                .flip = wh_q8_flip(call),
                .x_zero = p->x_zero,
                .y_zero = average ? p->y_zero : 0,
                .low = p->low,
                .high = p->high};
  wh_pool8_function *window = variant(call->cpu);
  double counts[3], counted = 0;
  w.range = wh_q8_range_of(call, w.y_zero, w.low, w.high);
  if (!c || !wh_count(p->out, 3)) return WHERRY_OK;
  for (int i = 0; i < 3; i++) w.tap[i] = step[i] * p->dilation[i];
  w.y_end = w.y + (ptrdiff_t)wh_count(p->out, 3) * p->batch * c;
  for (int32_t n = 0; n < p->batch; n++, x += step[0] * p->in[0]) {
    for (int32_t od = 0; od < p->out[0]; od++) {
      counts[0] = place(p, &w, 0, od);
      for (int32_t oh = 0; oh < p->out[1]; oh++) {
        counts[1] = place(p, &w, 1, oh);
        for (int32_t ow = 0; ow < p->out[2]; ow++, w.y += c) {
          counts[2] = place(p, &w, 2, ow);
          const bool empty = !w.taps[0] || !w.taps[1] || !w.taps[2];
          if (empty) w.taps[0] = 0;
          w.x = x;
          if (!empty) w.x += w.first[0] * step[0] + w.first[1] * step[1] + w.first[2] * step[2];
          const double count = counts[0] * counts[1] * counts[2];
          if (average && count != counted) {
            counted = count;
            w.factor = (float)(p->ratio / (count > 0 ? count : 1));
          }
          if (average)
            w.offset = w.taps[0] * w.taps[1] * w.taps[2] * (w.x_zero + (w.flip ? 128 : 0));
          window(&w);
          if (empty) place(p, &w, 0, od);
        }
      }
    }
  }
  return WHERRY_OK;
}
