#include "../elementwise/odometer.h"
#include "bytes.h"
#include "rounding.h"
/**/
#include "../common/compact.h"

const char *wh_qbinary_check(const wh_call *call) {
  const wh_qbinary *p = call->parameters;
  const wh_tensor *a = wh_input(call, 0), *b = wh_input(call, 1);
  const uint32_t q8 = WH_BIT(WH_Q8);
  if (p->kind < WH_ADD || p->kind > WH_MUL) return WH_BAD_KIND;
  if (p->rank < 0 || p->rank > WH_MAX_RANK) return WH_BAD_EXTENT;
  if (!wh_is_byte(p->a_zero) || !wh_is_byte(p->b_zero) || !wh_is_byte(p->y_zero) ||
      !wh_is_byte(p->low) || !wh_is_byte(p->high) || p->low > p->high || !wh_is_factor(p->a_factor))
    return WH_BAD_SCALE;
  if (p->kind == WH_MUL ? p->b_factor != 0 : !wh_is_factor(p->b_factor)) return WH_BAD_SCALE;
  const uint64_t count = wh_count(p->shape, p->rank);
  if (!wh_holds(a, q8, 0) || !wh_holds(b, q8, 0) || !wh_holds(wh_output(call, 0), q8, count))
    return WH_BAD_BYTES;
  if (!wh_view_fits(wh_capacity(a, 1), 0, p->rank, p->shape, p->a_strides) ||
      !wh_view_fits(wh_capacity(b, 1), 0, p->rank, p->shape, p->b_strides))
    return WH_BAD_VIEW;
  int64_t dense = 1;
  uint32_t in_place = 3; /* an operand may be y where its strides are y's */
  for (int i = p->rank - 1; i >= 0 && count; i--) {
    if (p->shape[i] > 1 && p->a_strides[i] != dense) in_place &= ~1u;
    if (p->shape[i] > 1 && p->b_strides[i] != dense) in_place &= ~2u;
    dense *= p->shape[i];
  }
  return wh_check_outputs(call, in_place);
}

static void gather(uint8_t *to, const uint8_t *from, int64_t stride, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = from[i * stride];
}

/* Strides other than 0 and 1 go through buffers. */
static void run_of(const wh_call *call, const wh_odometer *o, const uint8_t *a, const uint8_t *b,
                   uint8_t *y) {
  enum { SPAN = 256 };
  uint8_t held[2][SPAN];
  const int64_t sa = o->run_stride[0], sb = o->run_stride[1];
  const bool load_a = sa != 0 && sa != 1, load_b = sb != 0 && sb != 1;
  const int64_t step = load_a || load_b ? SPAN : o->run;
  a += o->at[0];
  b += o->at[1];
  for (int64_t i = 0; i < o->run; i += step) {
    const int64_t n = wh_min64(step, o->run - i);
    if (load_a) gather(held[0], a + i * sa, sa, n);
    if (load_b) gather(held[1], b + i * sb, sb, n);
    wh_bytes_binary(call->cpu, call->parameters, load_a ? held[0] : a + i * sa, sa != 0,
                    load_b ? held[1] : b + i * sb, sb != 0, y + i, n);
  }
}

int32_t wh_qbinary_run(const wh_call *call) {
  const wh_qbinary *p = call->parameters;
  const uint8_t *a = wh_input(call, 0)->data, *b = wh_input(call, 1)->data;
  uint8_t *y = wh_output(call, 0)->data;
  const int64_t *strides[] = {p->a_strides, p->b_strides};
  wh_odometer o = wh_odometer_begin(p->rank, p->shape, 2, strides);
  if (!o.run) return WHERRY_OK;
  do {
    run_of(call, &o, a, b, y);
    y += o.run;
  } while (wh_odometer_next(&o));
  return WHERRY_OK;
}

#include "../common/region_end.h"
