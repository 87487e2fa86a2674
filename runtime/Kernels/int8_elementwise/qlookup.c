#include "../common/operands.h"
#include "bytes.h"
/**/
#include "../common/compact.h"

const char *wh_qlookup_check(const wh_call *call) {
  const uint32_t bytes = WH_BIT(WH_Q8) | WH_BIT(WH_INT8) | WH_BIT(WH_UINT8);
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  if (!wh_holds(x, bytes, 0) || !wh_holds(y, bytes | WH_BIT(WH_FLOAT32), wh_capacity(x, 1)))
    return WH_BAD_BYTES;
  const uint32_t gives = y->record->element;
  if (!wh_holds(wh_input(call, 1), WH_BIT(gives == WH_Q8 ? WH_INT8 : gives), 256))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 1);
}

int32_t wh_qlookup_run(const wh_call *call) {
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  const uint8_t *values = wh_input(call, 1)->data;
  const int64_t count = (int64_t)wh_capacity(x, 1);
  /* Byte ^ in: q + 128, the index. */
  const uint32_t from = x->record->element;
  const uint8_t in = from == WH_UINT8 ? 0 : from == WH_INT8 ? 0x80 : wh_q8_flip(call) ^ 0x80;
  if (y->record->element == WH_FLOAT32) {
    for (int64_t i = 0; i < count; i++)
      ((float *)y->data)[i] = ((const float *)values)[x->data[i] ^ in];
    return WHERRY_OK;
  }
  const uint8_t out = y->record->element == WH_Q8 ? wh_q8_flip(call) : 0;
  uint8_t table[256];
  for (int i = 0; i < 256; i++) table[i] = values[i ^ in] ^ out;
  wh_bytes_lookup(call->cpu, count)(table, x->data, y->data, count);
  return WHERRY_OK;
}

#include "../common/region_end.h"
