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
  uint8_t held[2][SPAN + 63];
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

/* Rows of one operand against a short row of the other, repeated: as runs against copies of it. */
typedef struct repetition {
  int64_t rows;
  int which; /* the repeated operand */
} repetition;

/* Takes the innermost outer axis from the odometer when it is such a repetition. */
static repetition repetition_of(wh_odometer *o) {
  for (int s = 0; s < 2 && o->rank && o->run < 256; s++) {
    const int other = 1 - s;
    if (o->stride[s][0] != 0 || o->stride[other][0] != o->run || o->run_stride[0] != 1 ||
        o->run_stride[1] != 1)
      continue;
    const repetition r = {o->extent[0], s};
    o->rank--;
    for (int i = 0; i < o->rank; i++) {
      o->extent[i] = o->extent[i + 1];
      for (int j = 0; j < 2; j++) o->stride[j][i] = o->stride[j][i + 1];
    }
    return r;
  }
  return (repetition){0};
}

static void repeated_run(const wh_call *call, const wh_odometer *o, repetition r, const uint8_t *a,
                         const uint8_t *b, uint8_t *y) {
  enum { HELD = 768 };
  uint8_t held[HELD + 63];
  const int64_t copies = wh_min64(HELD / o->run, r.rows);
  a += o->at[0];
  b += o->at[1];
  for (int64_t i = 0; i < copies; i++) memcpy(held + i * o->run, r.which ? b : a, (size_t)o->run);
  for (int64_t i = 0; i < r.rows; i += copies) {
    const int64_t at = i * o->run, n = wh_min64(copies, r.rows - i) * o->run;
    wh_bytes_binary(call->cpu, call->parameters, r.which ? a + at : held, 1,
                    r.which ? held : b + at, 1, y + at, n);
  }
}

int32_t wh_qbinary_run(const wh_call *call) {
  const wh_qbinary *p = call->parameters;
  const uint8_t *a = wh_input(call, 0)->data, *b = wh_input(call, 1)->data;
  uint8_t *y = wh_output(call, 0)->data;
  const int64_t *strides[] = {p->a_strides, p->b_strides};
  wh_odometer o = wh_odometer_begin(p->rank, p->shape, 2, strides);
  if (!o.run) return WHERRY_OK;
  const repetition r = repetition_of(&o);
  do {
    if (r.rows)
      repeated_run(call, &o, r, a, b, y);
    else
      run_of(call, &o, a, b, y);
    y += r.rows ? r.rows * o.run : o.run;
  } while (wh_odometer_next(&o));
  return WHERRY_OK;
}

#include "../common/region_end.h"
