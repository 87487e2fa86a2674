#include "normalize.h"

WH_COMPACT const char *wh_normalize_check(const wh_call *call) {
  const wh_normalize *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  if (p->kind < WH_MEAN_VARIANCE || p->kind > WH_L2) return WH_BAD_KIND;
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

WH_COMPACT int32_t wh_normalize_run(const wh_call *call) {
  const wh_normalize *p = call->parameters;
  const wh_tensor *scale = wh_input(call, 1), *bias = wh_input(call, 2);
  const float *x = (const float *)wh_input(call, 0)->data;
  float *y = (float *)wh_output(call, 0)->data;
  wh_normalize_function *row = wh_normalize_scalar;
#if defined(__x86_64__)
  if (call->cpu & WHERRY_CPU_AVX2) row = wh_normalize_avx2;
#endif
  if (!p->count) return WHERRY_OK;
  for (int64_t r = 0; r < p->rows; r++) {
    const int64_t first = r % p->period * p->channels_per_row;
    row(p, x + r * p->count, y + r * p->count, scale ? (const float *)scale->data + first : NULL,
        bias ? (const float *)bias->data + first : NULL);
  }
  return WHERRY_OK;
}
