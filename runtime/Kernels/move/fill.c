#include "../common/operands.h"
/**/
#include "../common/compact.h"

const char *wh_fill_check(const wh_call *call) {
  const wh_fill *p = call->parameters;
  if (!wh_holds_bytes(wh_output(call, 0), p->element_size, 0)) return WH_BAD_OPERANDS;
  return wh_check_outputs(call, 0);
}

int32_t wh_fill_run(const wh_call *call) {
  const wh_fill *p = call->parameters;
  const wh_tensor *y = wh_output(call, 0);
  const size_t bytes = (size_t)p->element_size;
  const uint64_t count = y->record->bytes / bytes;
  uint64_t value = p->value;
  if (y->record->element == WH_Q8) value ^= wh_q8_flip(call);
  for (uint64_t i = 0; i < count; i++) memcpy(y->data + i * bytes, &value, bytes);
  return WHERRY_OK;
}

#include "../common/region_end.h"
