#include "odometer.h"
/**/
#include "../common/compact.h"

static bool continues(const int64_t *const *strides, int streams, int outer, const int64_t *inner,
                      int64_t extent) {
  for (int s = 0; s < streams; s++) {
    if (strides[s][outer] != inner[s] * extent) return false;
  }
  return true;
}

wh_odometer wh_odometer_begin(int rank, const int32_t *shape, int streams,
                              const int64_t *const *strides) {
  wh_odometer o = {.run = 1};
  int64_t extent = 1, inner[WH_STREAMS] = {0};
  bool first = true;
  /* Only without an empty axis do the checked strides bound the products below. */
  for (int i = 0; i < rank; i++) {
    if (shape[i] == 0) return (wh_odometer){.run = 0};
  }
  for (int i = rank - 1; i >= 0; i--) {
    if (shape[i] == 1) continue;
    if (!first && continues(strides, streams, i, inner, extent)) {
      extent *= shape[i];
    } else {
      if (!first) {
        o.extent[o.rank] = extent;
        for (int s = 0; s < streams; s++) o.stride[s][o.rank] = inner[s];
        o.rank++;
      }
      extent = shape[i];
      for (int s = 0; s < streams; s++) inner[s] = strides[s][i];
    }
    if (first || o.rank == 0) {
      o.run = extent;
      for (int s = 0; s < streams; s++) o.run_stride[s] = inner[s];
    }
    first = false;
  }
  if (o.rank > 0) { /* axis 0 was the run; the last one is still pending */
    o.extent[o.rank] = extent;
    for (int s = 0; s < streams; s++) o.stride[s][o.rank] = inner[s];
    for (int i = 0; i < o.rank; i++) {
      o.extent[i] = o.extent[i + 1];
      for (int s = 0; s < streams; s++) o.stride[s][i] = o.stride[s][i + 1];
    }
  }
  return o;
}

bool wh_odometer_next(wh_odometer *o) {
  for (int i = 0; i < o->rank; i++) {
    for (int s = 0; s < WH_STREAMS; s++) o->at[s] += o->stride[s][i];
    if (++o->index[i] < o->extent[i]) return true;
    for (int s = 0; s < WH_STREAMS; s++) o->at[s] -= o->stride[s][i] * o->extent[i];
    o->index[i] = 0;
  }
  return false;
}

const char *wh_check_two_views(const wh_call *call, int32_t rank, const int32_t *shape,
                               const int64_t *a_strides, const int64_t *b_strides, unsigned bytes) {
  const int64_t *strides[] = {a_strides, b_strides};
  uint32_t in_place = 0;
  for (unsigned s = 0; s < 2; s++) {
    if (!wh_view_fits(wh_capacity(wh_input(call, s), bytes), 0, rank, shape, strides[s]))
      return WH_BAD_VIEW;
    const uint64_t count = wh_count(shape, rank);
    int64_t dense = 1;
    in_place |= 1u << s;
    for (int i = rank - 1; i >= 0 && count; i--) {
      if (shape[i] > 1 && strides[s][i] != dense) in_place &= ~(1u << s);
      dense *= shape[i];
    }
  }
  return wh_check_outputs(call, in_place);
}

#include "../common/region_end.h"
