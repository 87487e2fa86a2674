#include "../common/numbers.h"
#include "indices.h"
/**/
#include "../common/compact.h"

enum { NONE, ADD, MUL, MAX, MIN };

#define COMBINE                                         \
  switch (reduction) {                                  \
    case ADD:                                           \
      y[i] = y[i] + x[i];                               \
      break;                                            \
    case MUL:                                           \
      y[i] = y[i] * x[i];                               \
      break;                                            \
    case MAX:                                           \
      y[i] = x[i] > y[i] || x[i] != x[i] ? x[i] : y[i]; \
      break;                                            \
    default:                                            \
      y[i] = x[i] < y[i] || x[i] != x[i] ? x[i] : y[i]; \
  }

static void combine_reals(int reduction, double *y, const double *x, int count) {
  for (int i = 0; i < count; i++) COMBINE
}

static void combine_signed(int reduction, int64_t *y, const int64_t *x, int count) {
  for (int i = 0; i < count; i++) COMBINE
}

static void combine_unsigned(int reduction, uint64_t *y, const uint64_t *x, int count) {
  for (int i = 0; i < count; i++) COMBINE
}

/* y[to ..< to + count] = reduction of it and x[from ..< from + count]. */
static void update(uint32_t element, int reduction, uint8_t *y, int64_t to, const uint8_t *x,
                   int64_t from, int64_t count) {
  const size_t bytes = wh_element_bytes(element);
  if (reduction == NONE) {
    wh_copy_run(y + (size_t)to * bytes, x + (size_t)from * bytes, (size_t)count * bytes);
    return;
  }
  union {
    double reals[WH_SPAN];
    int64_t integers[WH_SPAN];
    uint64_t naturals[WH_SPAN];
  } a, b;
  for (; count > 0; count -= WH_SPAN, to += WH_SPAN, from += WH_SPAN) {
    const int n = (int)wh_min64(count, WH_SPAN);
    if (wh_is_integer(element)) {
      wh_load_integers(a.integers, element, y, to, 1, n);
      wh_load_integers(b.integers, element, x, from, 1, n);
      if (element == WH_UINT64 || reduction <= MUL)
        combine_unsigned(reduction, a.naturals, b.naturals, n);
      else
        combine_signed(reduction, a.integers, b.integers, n);
      wh_store_integers(a.integers, element, y, to, 1, n);
    } else {
      wh_load_reals(a.reals, element, y, to, 1, n);
      wh_load_reals(b.reals, element, x, from, 1, n);
      combine_reals(reduction, a.reals, b.reals, n);
      wh_store_reals(a.reals, element, y, to, 1, n);
    }
  }
}

static void begin(const wh_tensor *x, const wh_tensor *y, uint64_t count) {
  const size_t bytes = (size_t)count * wh_element_bytes(x->record->element);
  if (y->data != x->data && bytes) memmove(y->data, x->data, bytes);
}

const char *wh_scatter_elements_check(const wh_call *call) {
  const wh_elements *p = call->parameters;
  const char *reason = wh_check_elements(call, p);
  if (reason) return reason;
  if (p->reduction < NONE || p->reduction > MIN) return WH_BAD_KIND;
  if (!wh_holds(wh_input(call, 2), WH_BIT(p->element), wh_count(p->index_shape, p->rank)) ||
      !wh_holds(wh_output(call, 0), WH_BIT(p->element), wh_count(p->x_shape, p->rank)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 1);
}

int32_t wh_scatter_elements_run(const wh_call *call) {
  const wh_elements *p = call->parameters;
  const wh_tensor *updates = wh_input(call, 2), *y = wh_output(call, 0);
  wh_walk walk = wh_walk_begin(p);
  begin(wh_input(call, 0), y, wh_count(p->x_shape, p->rank));
  for (int64_t i = 0; i < walk.count; i++) {
    const int64_t at = wh_walk_next(&walk, p, wh_input(call, 1), i);
    if (at < 0) return WHERRY_BAD_VALUE;
    update((uint32_t)p->element, p->reduction, y->data, at, updates->data, i, 1);
  }
  return WHERRY_OK;
}

const char *wh_scatter_nd_check(const wh_call *call) {
  const wh_nd *p = call->parameters;
  const wh_tensor *updates = wh_input(call, 2), *y = wh_output(call, 0);
  const char *reason = wh_check_nd(call, p);
  if (reason) return reason;
  if (p->reduction < NONE || p->reduction > MIN) return WH_BAD_KIND;
  const uint32_t element = WH_BIT(wh_input(call, 0)->record->element);
  const uint64_t runs = wh_times(wh_count(p->extents, p->depth), p->batch);
  if (!wh_holds(updates, element, wh_count3(p->batch, p->tuples, p->inner)) ||
      !wh_holds(y, element, wh_times(runs, p->inner)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 1);
}

int32_t wh_scatter_nd_run(const wh_call *call) {
  const wh_nd *p = call->parameters;
  const wh_tensor *updates = wh_input(call, 2), *y = wh_output(call, 0);
  const uint64_t runs = wh_times(wh_count(p->extents, p->depth), p->batch);
  if (!p->inner) return WHERRY_OK;
  begin(wh_input(call, 0), y, wh_times(runs, p->inner));
  for (int64_t i = 0; i < (int64_t)p->batch * p->tuples; i++) {
    const int64_t at = wh_tuple(wh_input(call, 1), p, i);
    if (at < 0) return WHERRY_BAD_VALUE;
    update(y->record->element, p->reduction, y->data, at * p->inner, updates->data, i * p->inner,
           p->inner);
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
