#include "../common/numbers.h"
#include "../common/operands.h"
#include "indices.h"
/**/
#include "../common/compact.h"

const char *wh_gather_check(const wh_call *call) {
  const wh_gather *p = call->parameters;
  if (p->outer < 0 || p->inner < 0 || p->count < 0 || p->indices < 0) return WH_BAD_EXTENT;
  if (!wh_holds_bytes(wh_input(call, 0), p->element_size,
                      wh_count3(p->outer, p->count, p->inner)) ||
      !wh_holds(wh_input(call, 1), WH_INDEX_TYPES, (uint64_t)p->indices) ||
      !wh_holds_bytes(wh_output(call, 0), p->element_size,
                      wh_count3(p->outer, p->indices, p->inner)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

int32_t wh_gather_run(const wh_call *call) {
  const wh_gather *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *indices = wh_input(call, 1);
  const size_t run = (size_t)p->inner * (size_t)p->element_size;
  uint8_t *y = wh_output(call, 0)->data;
  if (!run || !p->indices) return WHERRY_OK;
  for (int64_t o = 0; o < p->outer; o++) {
    const uint8_t *from = x->data + (size_t)o * (size_t)p->count * run;
    for (int64_t i = 0; i < p->indices; i++, y += run) {
      const int64_t at = wh_index(indices, i, p->count);
      if (at < 0) return WHERRY_BAD_VALUE;
      wh_copy_run(y, from + (size_t)at * run, run);
    }
  }
  return WHERRY_OK;
}

const char *wh_gather_nd_check(const wh_call *call) {
  const wh_nd *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  const char *reason = wh_check_nd(call, p);
  if (reason) return reason;
  if (!y || y->record->element != x->record->element ||
      !wh_holds(y, ~0u, wh_count3(p->batch, p->tuples, p->inner)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

int32_t wh_gather_nd_run(const wh_call *call) {
  const wh_nd *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *indices = wh_input(call, 1);
  const size_t run = (size_t)p->inner * wh_element_bytes(x->record->element);
  uint8_t *y = wh_output(call, 0)->data;
  if (!run) return WHERRY_OK;
  for (int64_t i = 0; i < (int64_t)p->batch * p->tuples; i++, y += run) {
    const int64_t at = wh_tuple(indices, p, i);
    if (at < 0) return WHERRY_BAD_VALUE;
    wh_copy_run(y, x->data + (size_t)at * run, run);
  }
  return WHERRY_OK;
}

const char *wh_gather_elements_check(const wh_call *call) {
  const wh_elements *p = call->parameters;
  const char *reason = wh_check_elements(call, p);
  if (reason) return reason;
  if (!wh_holds(wh_output(call, 0), WH_BIT(p->element), wh_count(p->index_shape, p->rank)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

int32_t wh_gather_elements_run(const wh_call *call) {
  const wh_elements *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0);
  const size_t bytes = wh_element_bytes((uint32_t)p->element);
  uint8_t *y = wh_output(call, 0)->data;
  wh_walk walk = wh_walk_begin(p);
  for (int64_t i = 0; i < walk.count; i++, y += bytes) {
    const int64_t at = wh_walk_next(&walk, p, wh_input(call, 1), i);
    if (at < 0) return WHERRY_BAD_VALUE;
    wh_copy_run(y, x->data + (size_t)at * bytes, bytes);
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
