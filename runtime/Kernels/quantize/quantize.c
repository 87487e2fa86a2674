#include <math.h>

#include "../common/numbers.h"
#include "../common/operands.h"
/**/
#include "../common/compact.h"

#define BYTES_AND_WORDS (WH_BIT(WH_INT8) | WH_BIT(WH_UINT8) | WH_BIT(WH_INT16) | WH_BIT(WH_UINT16))

static const char *check(const wh_call *call, uint32_t from, uint32_t to, bool zero_like_input) {
  const wh_quantize *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *scale = wh_input(call, 1), *zero = wh_input(call, 2);
  const wh_tensor *y = wh_output(call, 0);
  if (p->outer < 0 || p->count < 0 || p->inner < 0) return WH_BAD_EXTENT;
  const uint64_t size = wh_count3(p->outer, p->count, p->inner);
  if (!wh_holds(x, from, size) || !wh_holds(y, to, size) || !wh_holds(scale, WH_BIT(WH_FLOAT32), 1))
    return WH_BAD_BYTES;
  const uint32_t like = zero_like_input ? x->record->element : y->record->element;
  const uint64_t scales = scale->record->bytes == 4 ? 1 : (uint64_t)p->count;
  if (!wh_holds(scale, WH_BIT(WH_FLOAT32), scales) || !wh_may_hold(zero, WH_BIT(like), scales))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

const char *wh_quantize_check(const wh_call *call) {
  return check(call, WH_BIT(WH_FLOAT32), BYTES_AND_WORDS, false);
}

const char *wh_dequantize_check(const wh_call *call) {
  return check(call, BYTES_AND_WORDS | WH_BIT(WH_INT32), WH_BIT(WH_FLOAT32), true);
}

/* Half to even; exact for |x| < 2^22, where every element's range ends long before. */
static void quantize_span(const float *x, float scale, float zero, float low, float high,
                          int64_t *out, int count) {
  for (int i = 0; i < count; i++) {
    float v = x[i] / scale;
    v = v != v ? 0 : v;
    v = v < -1e6f ? -1e6f : v;
    v = v > 1e6f ? 1e6f : v;
    v = (v + 12582912.0f) - 12582912.0f + zero;
    v = v < low ? low : v;
    v = v > high ? high : v;
    out[i] = (int32_t)v;
  }
}

static void dequantize_span(const int64_t *x, float scale, int64_t zero, float *out, int count) {
  for (int i = 0; i < count; i++) out[i] = (float)(x[i] - zero) * scale;
}

static int32_t run(const wh_call *call, bool to_float) {
  const wh_quantize *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *scale = wh_input(call, 1), *zero = wh_input(call, 2);
  const wh_tensor *y = wh_output(call, 0);
  const uint32_t element = (to_float ? x : y)->record->element;
  const float low = (float)wh_saturate(element, -1e9), high = (float)wh_saturate(element, 1e9);
  const bool single = scale->record->bytes == 4;
  const int64_t lines = (int64_t)p->outer * p->count, inner = single ? lines * p->inner : p->inner;
  int64_t span[WH_SPAN];
  if (!lines || !inner) return WHERRY_OK;
  for (int64_t i = 0; i < (single ? 1 : lines); i++) {
    const int64_t c = single ? 0 : i % p->count;
    const float by = ((const float *)scale->data)[c];
    int64_t from = 0;
    if (zero) wh_load_integers(&from, element, zero->data, c, 0, 1);
    for (int64_t j = 0; j < inner; j += WH_SPAN) {
      const int n = (int)wh_min64(WH_SPAN, inner - j);
      const int64_t at = i * inner + j;
      if (to_float) {
        wh_load_integers(span, element, x->data, at, 1, n);
        dequantize_span(span, by, from, (float *)y->data + at, n);
      } else {
        quantize_span((const float *)x->data + at, by, (float)from, low, high, span, n);
        wh_store_integers(span, element, y->data, at, 1, n);
      }
    }
  }
  return WHERRY_OK;
}

int32_t wh_quantize_run(const wh_call *call) { return run(call, false); }
int32_t wh_dequantize_run(const wh_call *call) { return run(call, true); }

#include "../common/region_end.h"
