#include "../common/q8.h"
#include "bytes.h"
/**/
#include "../common/compact.h"

enum { X, INDICES0, WEIGHTS0, INDICES1, WEIGHTS1 };

const char *wh_qresize_check(const wh_call *call) {
  const wh_qresize *p = call->parameters;
  const uint32_t q8 = WH_BIT(WH_Q8), i32 = WH_BIT(WH_INT32);
  const int32_t from[] = {p->outer, p->in[0], p->in[1], p->inner};
  const int32_t to[] = {p->outer, p->out[0], p->out[1], p->inner};
  if (!wh_q8_range_sane(p->x_zero, 0, 0) || !wh_q8_range_sane(p->y_zero, 0, 0) ||
      !wh_q8_factor_sane(p->factor))
    return WH_BAD_QUANTIZATION;
  for (unsigned i = 0; i < 2; i++) {
    const uint64_t table = wh_count3(p->out[i], p->taps[i], 1);
    if (!wh_holds(wh_input(call, INDICES0 + 2 * i), i32, table) ||
        !wh_holds(wh_input(call, WEIGHTS0 + 2 * i), i32, table))
      return WH_BAD_BYTES;
  }
  if (!wh_holds(wh_input(call, X), q8, wh_count(from, 4)) ||
      !wh_holds(wh_output(call, 0), q8, wh_count(to, 4)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

static bool inside(const int32_t *indices, int64_t count, int32_t limit) {
  for (int64_t i = 0; i < count; i++) {
    if (indices[i] < 0 || indices[i] >= limit) return false;
  }
  return true;
}

int32_t wh_qresize_run(const wh_call *call) {
  const wh_qresize *p = call->parameters;
  const uint8_t *x = wh_input(call, X)->data;
  uint8_t *y = wh_output(call, 0)->data;
  wh_resize_function *const row = wh_resize(call->cpu, p);
  wh_resize_taps first;
  for (unsigned i = 0; i < 2; i++) {
    first.indices[i] = (const int32_t *)wh_input(call, INDICES0 + 2 * i)->data;
    first.weights[i] = (const int32_t *)wh_input(call, WEIGHTS0 + 2 * i)->data;
    if (!inside(first.indices[i], (int64_t)p->out[i] * p->taps[i], p->in[i]))
      return WHERRY_BAD_VALUE;
  }
  if (!p->inner || !p->out[0] || !p->out[1]) return WHERRY_OK;
  for (int64_t n = 0; n < p->outer; n++, x += (int64_t)p->in[0] * p->in[1] * p->inner) {
    wh_resize_taps taps = first;
    for (int64_t i = 0; i < p->out[0]; i++, y += (int64_t)p->out[1] * p->inner) {
      row(p, wh_q8_flip(call), &taps, x, y);
      taps.indices[0] += p->taps[0];
      taps.weights[0] += p->taps[0];
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
