#include "axis.h"
/**/
#include "../common/compact.h"

const char *wh_arg_reduce_check(const wh_call *call) {
  const wh_arg_reduce *p = call->parameters;
  if (p->count < 1) return WH_BAD_EXTENT;
  const char *reason =
      wh_check_axis(call, (uint32_t)p->element, p->outer, p->count, p->inner, 0, WH_INT64, 1);
  return reason ? reason : wh_check_outputs(call, 0);
}

int32_t wh_arg_reduce_run(const wh_call *call) {
  const wh_arg_reduce *p = call->parameters;
  const uint8_t *x = wh_input(call, 0)->data;
  int64_t *y = (int64_t *)wh_output(call, 0)->data;
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t i = 0; i < p->inner; i++) {
      const int64_t at = o * p->count * p->inner + i;
      int64_t best = 0, found = wh_order_key((uint32_t)p->element, x, at);
      for (int64_t c = 1; c < p->count; c++) {
        const int64_t key = wh_order_key((uint32_t)p->element, x, at + c * p->inner);
        if ((p->minimum ? key < found : key > found) || (p->last && key == found)) {
          best = c;
          found = key;
        }
      }
      *y++ = best;
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
