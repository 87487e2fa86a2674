#include "../common/q8.h"
#include "../elementwise/odometer.h"
#include "bytes.h"
/**/
#include "../common/compact.h"

const char *wh_qbinary_check(const wh_call *call) {
  const wh_qbinary *p = call->parameters;
  const wh_tensor *a = wh_input(call, 0), *b = wh_input(call, 1);
  const uint32_t q8 = WH_BIT(WH_Q8);
  if (p->kind < WH_ADD || p->kind > WH_MUL) return WH_BAD_KIND;
  if (p->rank < 0 || p->rank > WH_MAX_RANK) return WH_BAD_EXTENT;
  if (!wh_q8_range_sane(p->a_zero, 0, 0) || !wh_q8_range_sane(p->b_zero, 0, 0) ||
      !wh_q8_range_sane(p->y_zero, p->low, p->high) || !wh_q8_factor_sane(p->a_factor) ||
      (p->kind == WH_MUL ? p->b_factor != 0 : !wh_q8_factor_sane(p->b_factor)))
    return WH_BAD_QUANTIZATION;
  if (!wh_holds(a, q8, 0) || !wh_holds(b, q8, 0) ||
      !wh_holds(wh_output(call, 0), q8, wh_count(p->shape, p->rank)))
    return WH_BAD_BYTES;
  return wh_check_two_views(call, p->rank, p->shape, p->a_strides, p->b_strides, 1);
}

enum { SPAN = 768 };

/* Rows of one operand against a short row of the other, repeated: as runs against copies of it. */
typedef struct repetition {
  int64_t rows;
  int which; /* the repeated operand */
} repetition;

/* Takes the innermost outer axis from the odometer when it is such a repetition. */
static repetition repetition_of(wh_odometer *o) {
  for (int s = 0; s < 2 && o->rank && o->run < SPAN / 3; s++) {
    if (o->stride[s][0] || o->stride[!s][0] != o->run || o->run_stride[0] != 1 ||
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
  return (repetition){1, -1};
}

/* Strides other than 0 and 1, and repetitions, go through buffers. */
static void run_of(const wh_call *call, const wh_odometer *o, repetition r,
                   const uint8_t *const x[2], uint8_t *y) {
  const int64_t count = o->run * r.rows;
  wh_bytes_binary_function *const run = wh_bytes_binary(call->cpu, call->parameters);
  uint8_t held[2][SPAN + 63];
  const uint8_t *from[2];
  int64_t step = count;
  for (int s = 0; s < 2; s++) {
    from[s] = x[s] + o->at[s];
    if (o->run_stride[s] >> 1) step = SPAN; /* not 0 or 1 */
    if (r.which != s) continue;
    step = SPAN / o->run * o->run;
    for (int64_t i = 0; i < step; i += o->run) memcpy(held[s] + i, from[s], (size_t)o->run);
  }
  for (int64_t i = 0; i < count; i += step) {
    const int64_t n = wh_min64(step, count - i);
    const uint8_t *at[2];
    for (int s = 0; s < 2; s++) {
      const int64_t stride = o->run_stride[s];
      at[s] = stride >> 1 || r.which == s ? held[s] : from[s] + i * stride;
      for (int64_t j = 0; stride >> 1 && j < n; j++) held[s][j] = from[s][(i + j) * stride];
    }
    run(call->parameters, wh_q8_flip(call), at[0], o->run_stride[0] != 0, at[1],
        o->run_stride[1] != 0, y + i, n);
  }
}

int32_t wh_qbinary_run(const wh_call *call) {
  const wh_qbinary *p = call->parameters;
  const uint8_t *const x[] = {wh_input(call, 0)->data, wh_input(call, 1)->data};
  uint8_t *y = wh_output(call, 0)->data;
  const int64_t *strides[] = {p->a_strides, p->b_strides};
  wh_odometer o = wh_odometer_begin(p->rank, p->shape, 2, strides);
  if (!o.run) return WHERRY_OK;
  const repetition r = repetition_of(&o);
  do {
    run_of(call, &o, r, x, y);
    y += r.rows * o.run;
  } while (wh_odometer_next(&o));
  return WHERRY_OK;
}

#include "../common/region_end.h"
