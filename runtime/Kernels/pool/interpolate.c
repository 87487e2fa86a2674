#include "../common/operands.h"

WH_COMPACT const char *wh_interpolate_check(const wh_call *call) {
  const wh_interpolate *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  if (p->outer < 0 || p->count < 0 || p->inner < 0 || p->out < 0 || p->taps < 0)
    return WH_BAD_EXTENT;
  const uint64_t table = wh_count3(p->out, p->taps, 1);
  if (!wh_holds(wh_input(call, 0), f32, wh_count3(p->outer, p->count, p->inner)) ||
      !wh_holds(wh_input(call, 1), WH_BIT(WH_INT32), table) ||
      !wh_holds(wh_input(call, 2), f32, table) ||
      !wh_holds(wh_output(call, 0), f32, wh_count3(p->outer, p->out, p->inner)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

int32_t wh_interpolate_run(const wh_call *call) {
  const wh_interpolate *p = call->parameters;
  const int32_t *indices = (const int32_t *)wh_input(call, 1)->data;
  const float *weights = (const float *)wh_input(call, 2)->data;
  const float *x = (const float *)wh_input(call, 0)->data;
  float *y = (float *)wh_output(call, 0)->data;
  const int64_t inner = p->inner;
  if (!inner || !p->out) return WHERRY_OK;
  for (int64_t n = 0; n < p->outer; n++, x += p->count * inner) {
    for (int64_t o = 0; o < p->out; o++, y += inner) {
      memset(y, 0, (size_t)inner * sizeof *y);
      for (int64_t t = 0; t < p->taps; t++) {
        const int64_t at = indices[o * p->taps + t];
        const float weight = weights[o * p->taps + t];
        if (at < 0 || at >= p->count) return WHERRY_BAD_VALUE;
        const float *from = x + at * inner;
        for (int64_t i = 0; i < inner; i++) y[i] += weight * from[i];
      }
    }
  }
  return WHERRY_OK;
}
