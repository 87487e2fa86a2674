#include "numbers.h"

#include "operands.h"

#define SPAN(type, expression)                                                    \
  {                                                                               \
    const type *p = (const type *)base + start;                                   \
    WH_ROLLED for (int i = 0; i < count; i++, p += stride) out[i] = (expression); \
    break;                                                                        \
  }

void wh_load_integers(int64_t *out, uint32_t element, const void *base, int64_t start,
                      int64_t stride, int count) {
  switch (element) {
    case WH_BOOL:
    case WH_UINT8:
      SPAN(uint8_t, *p)
    case WH_INT8:
      SPAN(int8_t, *p)
    case WH_UINT16:
      SPAN(uint16_t, *p)
    case WH_INT16:
      SPAN(int16_t, *p)
    case WH_INT32:
      SPAN(int32_t, *p)
    case WH_UINT32:
      SPAN(uint32_t, *p)
    default:
      SPAN(int64_t, *p)
  }
}

void wh_load_reals(double *out, uint32_t element, const void *base, int64_t start, int64_t stride,
                   int count) {
  switch (element) {
    case WH_FLOAT16:
      SPAN(uint16_t, wh_half_to_real(*p))
    case WH_FLOAT32:
      SPAN(float, (double)*p)
    default:
      SPAN(double, *p)
  }
}

void wh_load_floats(float *out, const void *base, int64_t start, int64_t stride, int count) {
  const float *p = (const float *)base + start;
  for (int i = 0; i < count; i++, p += stride) out[i] = *p;
}

#define SPREAD(type, expression)                                                    \
  {                                                                                 \
    type *p = (type *)base + start;                                                 \
    WH_ROLLED for (int i = 0; i < count; i++, p += stride) *p = (type)(expression); \
    break;                                                                          \
  }

void wh_store_integers(const int64_t *in, uint32_t element, void *base, int64_t start,
                       int64_t stride, int count) {
  switch (element) {
    case WH_BOOL:
      SPREAD(uint8_t, in[i] != 0)
    case WH_UINT8:
    case WH_INT8:
      SPREAD(uint8_t, in[i])
    case WH_UINT16:
    case WH_INT16:
      SPREAD(uint16_t, in[i])
    case WH_INT32:
    case WH_UINT32:
      SPREAD(uint32_t, in[i])
    default:
      SPREAD(int64_t, in[i])
  }
}

void wh_store_reals(const double *in, uint32_t element, void *base, int64_t start, int64_t stride,
                    int count) {
  switch (element) {
    case WH_FLOAT16:
      SPREAD(uint16_t, wh_real_to_half(in[i]))
    case WH_FLOAT32:
      SPREAD(float, in[i])
    default:
      SPREAD(double, in[i])
  }
}

int64_t wh_saturate(uint32_t element, double value) {
  if (element == WH_BOOL) return value != 0;
  if (value != value) return 0;
  bool is_signed =
      element == WH_INT8 || element == WH_INT16 || element == WH_INT32 || element == WH_INT64;
  int bits = (int)wh_element_bytes(element) * 8;
  uint64_t top = UINT64_MAX >> (64 - bits + (is_signed ? 1 : 0));
  double limit = bits < 64 ? (double)top + 1 : is_signed ? 0x1p63 : 0x1p64;
  if (value >= limit) return (int64_t)top;
  if (!is_signed) return value <= 0 ? 0 : (int64_t)(uint64_t)value;
  if (value < -limit) return -(int64_t)top - 1;
  return (int64_t)value;
}

int64_t wh_order_key(uint32_t element, const void *base, int64_t index) {
  int64_t key;
  if (wh_is_integer(element)) {
    wh_load_integers(&key, element, base, index, 0, 1);
    return element == WH_UINT64 ? key ^ INT64_MIN : key;
  }
  double value;
  wh_load_reals(&value, element, base, index, 0, 1);
  if (value != value) return INT64_MAX;
  value += 0.0;
  memcpy(&key, &value, sizeof key);
  return key < 0 ? key ^ INT64_MAX : key;
}

double wh_half_to_real(uint16_t half) {
  int exponent = half >> 10 & 31, fraction = half & 1023;
  uint64_t bits = (uint64_t)(half >> 15) << 63;
  double value;
  if (exponent == 0) {
    value = fraction * 0x1p-24;
    return half >> 15 ? -value : value;
  }
  bits |= (uint64_t)(exponent == 31 ? 2047 : exponent + 1008) << 52 | (uint64_t)fraction << 42;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint16_t wh_real_to_half(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
  double magnitude = value < 0 ? -value : value;
  if (value != value) return sign | 0x7E00;
  if (magnitude >= 65520.0) return sign | 0x7C00;
  if (magnitude < 0x1p-14) { /* the sum's unit in the last place is that of subnormal halves */
    double rounded = magnitude + 0x1p28;
    memcpy(&bits, &rounded, sizeof bits);
    return sign | (uint16_t)(bits & 0x7FF);
  }
  bits &= INT64_MAX;
  bits += (1ull << 41) - 1 + (bits >> 42 & 1);
  return sign | (uint16_t)((bits >> 42) - (1008ull << 10));
}
