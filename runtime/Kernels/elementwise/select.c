#include "odometer.h"
/**/
#include "../common/compact.h"

const char *wh_select_check(const wh_call *call) {
  const wh_select *p = call->parameters;
  const wh_tensor *a = wh_input(call, 1), *b = wh_input(call, 2);
  if (p->rank < 0 || p->rank > WH_MAX_RANK) return WH_BAD_EXTENT;
  if (!wh_holds(wh_input(call, 0), WH_BIT(WH_BOOL), 0) || !wh_holds_bytes(a, p->element_size, 0) ||
      !wh_holds_bytes(b, p->element_size, 0) ||
      !wh_holds_bytes(wh_output(call, 0), p->element_size, wh_count(p->shape, p->rank)))
    return WH_BAD_BYTES;
  const unsigned bytes = (unsigned)p->element_size;
  if (!wh_view_fits(wh_capacity(wh_input(call, 0), 1), 0, p->rank, p->shape,
                    p->condition_strides) ||
      !wh_view_fits(wh_capacity(a, bytes), 0, p->rank, p->shape, p->a_strides) ||
      !wh_view_fits(wh_capacity(b, bytes), 0, p->rank, p->shape, p->b_strides))
    return WH_BAD_VIEW;
  return wh_check_outputs(call, 0);
}

#define CHOOSE(type)                                                                       \
  {                                                                                        \
    const type *s = (const type *)a + o.at[1], *t = (const type *)b + o.at[2];             \
    type *to = (type *)y + at;                                                             \
    for (int64_t i = 0; i < o.run; i++)                                                    \
      to[i] = when[i * o.run_stride[0]] ? s[i * o.run_stride[1]] : t[i * o.run_stride[2]]; \
    break;                                                                                 \
  }

int32_t wh_select_run(const wh_call *call) {
  const wh_select *p = call->parameters;
  const uint8_t *a = wh_input(call, 1)->data, *b = wh_input(call, 2)->data;
  uint8_t *y = wh_output(call, 0)->data;
  const int64_t *strides[] = {p->condition_strides, p->a_strides, p->b_strides};
  wh_odometer o = wh_odometer_begin(p->rank, p->shape, 3, strides);
  if (!o.run) return WHERRY_OK;
  int64_t at = 0;
  do {
    const uint8_t *when = wh_input(call, 0)->data + o.at[0];
    switch (p->element_size) {
      case 1:
        CHOOSE(uint8_t)
      case 2:
        CHOOSE(uint16_t)
      case 4:
        CHOOSE(uint32_t)
      default:
        CHOOSE(uint64_t)
    }
    at += o.run;
  } while (wh_odometer_next(&o));
  return WHERRY_OK;
}

#include "../common/region_end.h"
