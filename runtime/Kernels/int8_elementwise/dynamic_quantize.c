#include "../common/q8.h"
#include "bytes.h"
/**/
#include "../common/compact.h"

const char *wh_dynamic_quantize_check(const wh_call *call) {
  const wh_tensor *x = wh_input(call, 0);
  if (!wh_holds(x, WH_BIT(WH_FLOAT32), 0) ||
      !wh_holds(wh_output(call, 0), WH_BIT(WH_Q8) | WH_BIT(WH_UINT8), wh_capacity(x, 4)) ||
      !wh_holds(wh_output(call, 1), WH_BIT(WH_FLOAT32), 1) ||
      !wh_holds(wh_output(call, 2), WH_BIT(WH_UINT8), 1))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

int32_t wh_dynamic_quantize_run(const wh_call *call) {
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  const int64_t count = (int64_t)wh_capacity(x, 4);
  const float *values = (const float *)x->data;
  const wh_range r = wh_range_of(call->cpu)(values, count);
  const float scale = (r.most == r.least ? 1 : r.most - r.least) / 255.0f;
  const uint8_t zero = wh_q8_byte(0 - r.least / scale, &(wh_q8_range){0, 255, 0});
  const uint8_t flip = y->record->element == WH_UINT8 ? 0x80 : wh_q8_flip(call);
  wh_bytes_quantize(call->cpu)(values, scale, zero - 128, flip, y->data, count);
  *(float *)wh_output(call, 1)->data = scale;
  *wh_output(call, 2)->data = zero;
  return WHERRY_OK;
}

#include "../common/region_end.h"
