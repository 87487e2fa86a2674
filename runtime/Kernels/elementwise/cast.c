#include "../common/numbers.h"
#include "../common/operands.h"

/* y[i] = x[i] ^ flip, in place or apart: a loop for the compiler's vectors. */
WH_HOT void flip_bytes(const uint8_t *x, uint8_t flip, uint8_t *y, int64_t count) {
  if (flip) {
#pragma clang loop interleave(disable)
    for (int64_t i = 0; i < count; i++) y[i] = x[i] ^ flip;
  } else if (count) {
    memmove(y, x, (size_t)count);
  }
}

/**/
#include "../common/compact.h"

const char *wh_cast_check(const wh_call *call) {
  const wh_tensor *x = wh_input(call, 0);
  const wh_tensor *y = wh_output(call, 0);
  const uint32_t bytes = WH_BIT(WH_INT8) | WH_BIT(WH_UINT8);
  if (!wh_holds(x, ~0u, 0)) return WH_BAD_OPERANDS;
  if (!wh_holds(y, ~0u, wh_capacity(x, wh_element_bytes(x->record->element)))) return WH_BAD_BYTES;
  const uint32_t from = x->record->element, to = y->record->element;
  if ((from == WH_Q8 && !(bytes & WH_BIT(to))) || (to == WH_Q8 && !(bytes & WH_BIT(from))))
    return WH_BAD_OPERANDS;
  return wh_check_outputs(call, 1);
}

static double real_of(int64_t value, uint32_t from, uint32_t to) {
  if (to == WH_FLOAT32) /* rounded once */
    return from == WH_UINT64 ? (double)(float)(uint64_t)value : (double)(float)value;
  return from == WH_UINT64 ? (double)(uint64_t)value : (double)value;
}

/* What a byte is to be xored with to be q in two's complement. */
static uint8_t signedness(const wh_call *call, uint32_t element) {
  return element == WH_Q8 ? wh_q8_flip(call) : element == WH_UINT8 ? 0x80 : 0;
}

int32_t wh_cast_run(const wh_call *call) {
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  const uint32_t from = x->record->element, to = y->record->element;
  const int64_t count = (int64_t)wh_capacity(x, wh_element_bytes(from));
  if (from == WH_Q8 || to == WH_Q8) {
    const uint8_t flip = signedness(call, from) ^ signedness(call, to);
    flip_bytes(x->data, flip, y->data, count);
    return WHERRY_OK;
  }
  int64_t integers[WH_SPAN];
  double reals[WH_SPAN];
  for (int64_t i = 0; i < count; i += WH_SPAN) {
    const int n = (int)wh_min64(count - i, WH_SPAN);
    if (wh_is_integer(from)) {
      wh_load_integers(integers, from, x->data, i, 1, n);
      for (int j = 0; j < n && !wh_is_integer(to); j++) reals[j] = real_of(integers[j], from, to);
    } else {
      wh_load_reals(reals, from, x->data, i, 1, n);
      for (int j = 0; j < n && wh_is_integer(to); j++) integers[j] = wh_saturate(to, reals[j]);
    }
    if (wh_is_integer(to))
      wh_store_integers(integers, to, y->data, i, 1, n);
    else
      wh_store_reals(reals, to, y->data, i, 1, n);
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
