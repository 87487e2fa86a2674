#include <math.h>

#include "../common/numbers.h"
#include "../common/operands.h"
#include "../int8_elementwise/bytes.h"
/**/
#include "../common/compact.h"

#define BYTES (WH_BIT(WH_INT8) | WH_BIT(WH_UINT8))
#define BYTES_AND_WORDS (BYTES | WH_BIT(WH_Q8) | WH_BIT(WH_INT16) | WH_BIT(WH_UINT16))

static const char *check(const wh_call *call, uint32_t from, uint32_t to, bool zero_like_input) {
  const wh_quantize *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *scale = wh_input(call, 1), *zero = wh_input(call, 2);
  const wh_tensor *y = wh_output(call, 0);
  if (p->outer < 0 || p->count < 0 || p->inner < 0) return WH_BAD_EXTENT;
  const uint64_t size = wh_count3(p->outer, p->count, p->inner);
  if (!wh_holds(x, from, size) || !wh_holds(y, to, size) || !wh_holds(scale, WH_BIT(WH_FLOAT32), 1))
    return WH_BAD_BYTES;
  const uint32_t element = zero_like_input ? x->record->element : y->record->element;
  const uint32_t like = element == WH_Q8 ? BYTES : WH_BIT(element);
  const uint64_t scales = scale->record->bytes == 4 ? 1 : (uint64_t)p->count;
  if (!wh_holds(scale, WH_BIT(WH_FLOAT32), scales) || !wh_may_hold(zero, like, scales))
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

/* int8, uint8 and WH_Q8: the spans of bytes.h, zero points in the signed view. */
static void byte_run(const wh_call *call, bool to_float, float scale, int64_t c, int64_t at,
                     int64_t count) {
  const wh_tensor *x = wh_input(call, 0), *zero = wh_input(call, 2), *y = wh_output(call, 0);
  const uint32_t element = (to_float ? x : y)->record->element;
  const bool natural = (zero ? zero->record->element : element) == WH_UINT8;
  const uint8_t flip = element == WH_Q8 ? wh_q8_flip(call) : element == WH_UINT8 ? 0x80 : 0;
  const int32_t from = (int8_t)((zero ? zero->data[c] : 0) ^ (natural ? 0x80 : 0));
  if (to_float)
    wh_bytes_dequantize(call->cpu, scale)(x->data + at, flip, from, scale, (float *)y->data + at,
                                          count);
  else
    wh_bytes_quantize(call->cpu)((const float *)x->data + at, scale, from, flip, y->data + at,
                                 count);
}

static void wide_run(const wh_call *call, bool to_float, float scale, int64_t c, int64_t start,
                     int64_t count) {
  const wh_tensor *x = wh_input(call, 0), *zero = wh_input(call, 2), *y = wh_output(call, 0);
  const uint32_t element = (to_float ? x : y)->record->element;
  const float low = (float)wh_saturate(element, -1e9), high = (float)wh_saturate(element, 1e9);
  int64_t span[WH_SPAN], from = 0;
  if (zero) wh_load_integers(&from, element, zero->data, c, 0, 1);
  for (int64_t j = 0; j < count; j += WH_SPAN) {
    const int n = (int)wh_min64(WH_SPAN, count - j);
    const int64_t at = start + j;
    if (to_float) {
      wh_load_integers(span, element, x->data, at, 1, n);
      dequantize_span(span, scale, from, (float *)y->data + at, n);
    } else {
      quantize_span((const float *)x->data + at, scale, (float)from, low, high, span, n);
      wh_store_integers(span, element, y->data, at, 1, n);
    }
  }
}

static int32_t run(const wh_call *call, bool to_float) {
  const wh_quantize *p = call->parameters;
  const wh_tensor *scale = wh_input(call, 1);
  const bool single = scale->record->bytes == 4;
  const int64_t lines = (int64_t)p->outer * p->count, inner = single ? lines * p->inner : p->inner;
  if (!lines || !inner) return WHERRY_OK;
  const bool bytes =
      wh_element_bytes((to_float ? wh_input(call, 0) : wh_output(call, 0))->record->element) == 1;
  for (int64_t i = 0; i < (single ? 1 : lines); i++) {
    const int64_t c = single ? 0 : i % p->count;
    (bytes ? byte_run : wide_run)(call, to_float, ((const float *)scale->data)[c], c, i * inner,
                                  inner);
  }
  return WHERRY_OK;
}

int32_t wh_quantize_run(const wh_call *call) { return run(call, false); }
int32_t wh_dequantize_run(const wh_call *call) { return run(call, true); }

#include "../common/region_end.h"
