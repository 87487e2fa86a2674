#include "../common/vector.h"
#include "normalize.h"
#include "normalize_body.h"

void wh_normalize_scalar(const wh_normalize *p, const float *x, float *y, const float *scale,
                         const float *bias) {
  row_of(p, x, y, scale, bias);
}
