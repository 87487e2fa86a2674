#include "window.h"

bool wh_window_sane(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                    int32_t pad) {
  if (in < 0 || out < 0 || kernel <= 0 || stride <= 0 || dilation <= 0 || pad < 0) return false;
  const int64_t starts = (int64_t)out * stride, reach = (int64_t)kernel * dilation;
  return starts <= INT32_MAX / 4 && reach <= INT32_MAX / 4 && pad <= INT32_MAX / 4;
}
