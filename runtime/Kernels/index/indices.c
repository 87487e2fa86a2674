#include "indices.h"
/**/
#include "../common/compact.h"

int64_t wh_index(const wh_tensor *indices, int64_t i, int64_t count) {
  int64_t at;
  if (indices->record->element == WH_INT32)
    at = ((const int32_t *)indices->data)[i];
  else
    at = ((const int64_t *)indices->data)[i];
  if (at < 0) at += count;
  return at >= 0 && at < count ? at : -1;
}

const char *wh_check_nd(const wh_call *call, const wh_nd *p) {
  const wh_tensor *x = wh_input(call, 0);
  if (p->depth < 0 || p->depth > WH_MAX_RANK || p->batch < 0 || p->tuples < 0 || p->inner < 0)
    return WH_BAD_EXTENT;
  const uint64_t runs = wh_times(wh_count(p->extents, p->depth), p->batch);
  const uint64_t tuples = wh_count3(p->batch, p->tuples, 1);
  if (tuples > INT64_MAX) return WH_BAD_EXTENT;
  if (!x || x->record->element != (uint32_t)p->element ||
      !wh_holds(x, ~0u, wh_times(runs, p->inner)) ||
      !wh_holds(wh_input(call, 1), WH_INDEX_TYPES, wh_times(tuples, p->depth)))
    return WH_BAD_BYTES;
  return NULL;
}

int64_t wh_tuple(const wh_tensor *indices, const wh_nd *p, int64_t i) {
  int64_t at = i / p->tuples;
  for (int32_t d = 0; d < p->depth; d++) {
    const int64_t index = wh_index(indices, i * p->depth + d, p->extents[d]);
    if (index < 0) return -1;
    at = at * p->extents[d] + index;
  }
  return at;
}

const char *wh_check_elements(const wh_call *call, const wh_elements *p) {
  if (p->rank < 1 || p->rank > WH_MAX_RANK || p->axis < 0 || p->axis >= p->rank)
    return WH_BAD_EXTENT;
  if (p->element < 0 || p->element >= 32) return WH_BAD_KIND;
  for (int i = 0; i < p->rank; i++) {
    if (p->x_shape[i] < 0 || p->index_shape[i] < 0) return WH_BAD_EXTENT;
    if (i != p->axis && p->index_shape[i] > p->x_shape[i]) return WH_BAD_EXTENT;
  }
  if (!wh_holds(wh_input(call, 0), WH_BIT(p->element), wh_count(p->x_shape, p->rank)) ||
      !wh_holds(wh_input(call, 1), WH_INDEX_TYPES, wh_count(p->index_shape, p->rank)))
    return WH_BAD_BYTES;
  return NULL;
}

wh_walk wh_walk_begin(const wh_elements *p) {
  wh_walk walk = {.count = 1};
  uint64_t stride = 1;
  for (int i = p->rank - 1; i >= 0; i--) {
    walk.strides[i] = i == p->axis ? 0 : (int64_t)stride;
    if (i == p->axis) walk.axis_stride = (int64_t)stride;
    stride *= (uint64_t)p->x_shape[i];
    walk.count *= p->index_shape[i];
  }
  return walk;
}

int64_t wh_walk_next(wh_walk *walk, const wh_elements *p, const wh_tensor *indices, int64_t i) {
  const int64_t index = wh_index(indices, i, p->x_shape[p->axis]);
  const int64_t at = walk->base + index * walk->axis_stride;
  for (int d = p->rank - 1; d >= 0; d--) {
    walk->base += walk->strides[d];
    if (++walk->at[d] < p->index_shape[d]) break;
    walk->base -= walk->strides[d] * p->index_shape[d];
    walk->at[d] = 0;
  }
  return index < 0 ? -1 : at;
}

#include "../common/region_end.h"
