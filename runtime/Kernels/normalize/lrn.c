#include <math.h>

#include "../common/operands.h"
/**/
#include "../common/compact.h"

const char *wh_lrn_check(const wh_call *call) {
  const wh_lrn *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  const uint64_t size = wh_count3(p->rows, p->channels, 1);
  if (p->size < 1) return WH_BAD_EXTENT;
  if (!wh_holds(wh_input(call, 0), f32, size) || !wh_holds(wh_output(call, 0), f32, size))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

int32_t wh_lrn_run(const wh_call *call) {
  const wh_lrn *p = call->parameters;
  const float *x = (const float *)wh_input(call, 0)->data;
  float *y = (float *)wh_output(call, 0)->data;
  const int64_t channels = p->channels, before = (p->size - 1) / 2, after = p->size - 1 - before;
  const double step = (double)p->alpha / p->size;
  for (int64_t r = 0; r < p->rows; r++, x += channels, y += channels) {
    for (int64_t c = 0; c < channels; c++) {
      double sum = 0;
      const int64_t end = wh_min64(channels - 1, c + after);
      for (int64_t i = wh_max64(0, c - before); i <= end; i++) sum += (double)x[i] * (double)x[i];
      const double base = (double)p->bias + step * sum;
      const double root = sqrt(base);
      const double power = p->beta == 0.75f  ? root * sqrt(root)
                           : p->beta == 0.5f ? root
                                             : pow(base, (double)p->beta);
      y[c] = (float)((double)x[c] / power);
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
