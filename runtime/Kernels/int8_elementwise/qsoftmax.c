#include "../reduce/axis.h"
#include "rounding.h"
/**/
#include "../common/compact.h"

const char *wh_qsoftmax_check(const wh_call *call) {
  const wh_qsoftmax *p = call->parameters;
  const double largest = (double)WH_LARGEST_FACTOR;
  if (!wh_is_byte(p->y_zero) || !(p->inverse >= 1 / largest && p->inverse <= largest))
    return WH_BAD_SCALE;
  if (!wh_holds(wh_input(call, 1), WH_BIT(WH_UINT32), 256)) return WH_BAD_BYTES;
  const char *reason = wh_check_axis(call, WH_Q8, p->outer, p->count, p->inner, 0, WH_Q8, p->count);
  return reason ? reason : wh_check_outputs(call, 1);
}

/* One column, elements stride apart. */
static void column(const wh_qsoftmax *p, const uint32_t *table, uint8_t flip, const uint8_t *x,
                   uint8_t *y, int64_t stride) {
  int32_t most = -128;
  uint64_t sum = 0;
  for (int64_t i = 0; i < p->count; i++) {
    const int32_t q = (int8_t)(x[i * stride] ^ flip);
    most = q > most ? q : most;
  }
  for (int64_t i = 0; i < p->count; i++) sum += table[most - (int8_t)(x[i * stride] ^ flip)];
  const float k = sum ? (float)(p->inverse / (double)sum) : 0;
  for (int64_t i = 0; i < p->count; i++) {
    const float e = (float)table[most - (int8_t)(x[i * stride] ^ flip)];
    y[i * stride] = (uint8_t)wh_to_byte(e * k, p->y_zero, -128, 127) ^ flip;
  }
}

int32_t wh_qsoftmax_run(const wh_call *call) {
  const wh_qsoftmax *p = call->parameters;
  const uint32_t *table = (const uint32_t *)wh_input(call, 1)->data;
  const uint8_t *x = wh_input(call, 0)->data, flip = wh_q8_flip(call);
  uint8_t *y = wh_output(call, 0)->data;
  const int64_t inner = p->inner;
  if (!p->count || !inner) return WHERRY_OK;
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      const int64_t at = o * p->count * inner + i;
      column(p, table, flip, x + at, y + at, inner);
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
