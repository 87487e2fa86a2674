/* What Conv, DepthwiseConv and Pool share: spatial windows over channels-last maps. */
#ifndef WHERRY_WINDOW_H
#define WHERRY_WINDOW_H

#include "../common/operands.h"

/* First and last + 1 valid kernel index of one axis. */
typedef struct wh_range {
  int32_t first, end;
} wh_range;

/* The indices k below kernel with 0 <= origin + k * dilation < limit. */
static inline wh_range wh_window(int64_t origin, int32_t kernel, int32_t dilation, int64_t limit) {
  if (dilation == 1) {
    const int64_t end = wh_max64(0, wh_min64(limit - origin, kernel));
    return (wh_range){(int32_t)wh_min64(wh_max64(0, -origin), end), (int32_t)end};
  }
  int64_t first = origin < 0 ? (-origin + dilation - 1) / dilation : 0;
  int64_t end = limit > origin ? (limit - origin + dilation - 1) / dilation : 0;
  end = wh_min64(end, kernel);
  first = wh_min64(first, end);
  return (wh_range){(int32_t)first, (int32_t)end};
}

/* Extents of one axis small enough that every position fits in 31 bits. */
bool wh_window_sane(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                    int32_t pad);

#endif
