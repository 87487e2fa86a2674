/* Indices are data: each is read once, checked, then used. */
#ifndef WHERRY_INDICES_H
#define WHERRY_INDICES_H

#include "../common/operands.h"

#define WH_INDEX_TYPES (WH_BIT(WH_INT32) | WH_BIT(WH_INT64))

/* Element i of an index tensor in 0 ..< count, counted from the end when negative; -1 out of range.
 */
int64_t wh_index(const wh_tensor *indices, int64_t i, int64_t count);

/* GatherND, ScatterND: parameters, x and indices. x's run of tuple i, or -1. */
const char *wh_check_nd(const wh_call *call, const wh_nd *p);
int64_t wh_tuple(const wh_tensor *indices, const wh_nd *p, int64_t i);

/* GatherElements, ScatterElements: parameters, x and indices; then x's offset for each index in
 * order. */
typedef struct wh_walk {
  int64_t count, base;
  int64_t strides[WH_MAX_RANK]; /* of x, 0 along the axis */
  int64_t axis_stride;
  int32_t at[WH_MAX_RANK];
} wh_walk;
const char *wh_check_elements(const wh_call *call, const wh_elements *p);
wh_walk wh_walk_begin(const wh_elements *p);
int64_t wh_walk_next(wh_walk *walk, const wh_elements *p, const wh_tensor *indices, int64_t i);

#endif
