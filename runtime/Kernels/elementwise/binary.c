#include <math.h>

#include "../common/numbers.h"
#include "elementwise.h"
#include "odometer.h"
/**/
#include "../common/compact.h"

static bool compares(int kind) { return kind >= WH_EQUAL && kind <= WH_XOR; }

const char *wh_binary_check(const wh_call *call) {
  const wh_binary *p = call->parameters;
  const wh_tensor *a = wh_input(call, 0), *b = wh_input(call, 1);
  const uint32_t element = (uint32_t)p->element;
  if (p->kind < WH_ADD || p->kind > WH_SHIFT_RIGHT || element >= 32) return WH_BAD_KIND;
  const bool real = (WH_BIT(element) & WH_REALS) != 0;
  if (!real && !wh_is_integer(element)) return WH_BAD_KIND;
  if (real && p->kind >= WH_AND) return WH_BAD_KIND;
  if (p->rank < 0 || p->rank > WH_MAX_RANK) return WH_BAD_EXTENT;
  const uint64_t count = wh_count(p->shape, p->rank);
  const uint32_t gives = compares(p->kind) ? WH_BOOL : element;
  if (!wh_holds(a, WH_BIT(element), 0) || !wh_holds(b, WH_BIT(element), 0) ||
      !wh_holds(wh_output(call, 0), WH_BIT(gives), count))
    return WH_BAD_BYTES;
  const unsigned bytes = wh_element_bytes(element);
  return wh_check_two_views(call, p->rank, p->shape, p->a_strides, p->b_strides, bytes);
}

static double of_reals(int kind, double a, double b, bool narrow) {
  double r;
  switch (kind) {
    case WH_ADD:
      return a + b;
    case WH_SUB:
      return a - b;
    case WH_MUL:
      return a * b;
    case WH_DIV:
      return a / b;
    case WH_POW:
      return narrow ? (double)powf((float)a, (float)b) : pow(a, b);
    case WH_MIN:
      return a < b || a != a ? a : b;
    case WH_MAX:
      return a > b || a != a ? a : b;
    case WH_MOD:
      r = fmod(a, b);
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    case WH_FMOD:
      return fmod(a, b);
    case WH_PRELU:
      return a < 0 ? a * b : a;
    case WH_EQUAL:
      return a == b;
    case WH_LESS:
      return a < b;
    case WH_LESS_EQUAL:
      return a <= b;
    case WH_GREATER:
      return a > b;
    default:
      return a >= b;
  }
}

static int64_t power(int64_t base, int64_t exponent, bool natural) {
  uint64_t result = 1, factor = (uint64_t)base;
  if (exponent < 0 && !natural) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  for (uint64_t e = (uint64_t)exponent; e; e >>= 1, factor *= factor) {
    if (e & 1) result *= factor;
  }
  return (int64_t)result;
}

/* Quotient or remainder rounded to zero; 0 when dividing by zero, wrapping at the least integer. */
static int64_t divide(int64_t a, int64_t b, bool natural, bool remainder) {
  if (b == 0) return 0;
  if (natural) return (int64_t)(remainder ? (uint64_t)a % (uint64_t)b : (uint64_t)a / (uint64_t)b);
  if (b == -1) return remainder ? 0 : (int64_t)(0 - (uint64_t)a);
  return remainder ? a % b : a / b;
}

static int64_t shift(int64_t a, int64_t by, int bits, bool natural, bool left) {
  if (by < 0 || by >= bits) return !left && !natural && a < 0 ? -1 : 0;
  if (left) return (int64_t)((uint64_t)a << by);
  return natural ? (int64_t)((uint64_t)a >> by) : a >> by;
}

static int64_t of_integers(int kind, int64_t a, int64_t b, uint32_t element) {
  const bool natural = element == WH_UINT64;
  const int64_t flip = natural ? INT64_MIN : 0;
  const bool less = (a ^ flip) < (b ^ flip);
  const int bits = (int)wh_element_bytes(element) * 8;
  int64_t r;
  switch (kind) {
    case WH_ADD:
      return (int64_t)((uint64_t)a + (uint64_t)b);
    case WH_SUB:
      return (int64_t)((uint64_t)a - (uint64_t)b);
    case WH_MUL:
      return (int64_t)((uint64_t)a * (uint64_t)b);
    case WH_DIV:
      return divide(a, b, natural, false);
    case WH_POW:
      return power(a, b, natural);
    case WH_MIN:
      return less ? a : b;
    case WH_MAX:
      return less ? b : a;
    case WH_MOD:
      r = divide(a, b, natural, true);
      return !natural && r != 0 && (r < 0) != (b < 0) ? r + b : r;
    case WH_FMOD:
      return divide(a, b, natural, true);
    case WH_PRELU:
      return a < 0 && !natural ? (int64_t)((uint64_t)a * (uint64_t)b) : a;
    case WH_EQUAL:
      return a == b;
    case WH_LESS:
      return less;
    case WH_LESS_EQUAL:
      return less || a == b;
    case WH_GREATER:
      return !less && a != b;
    case WH_GREATER_EQUAL:
      return !less;
    case WH_AND:
      return a && b;
    case WH_OR:
      return a || b;
    case WH_XOR:
      return !a != !b;
    case WH_BIT_AND:
      return a & b;
    case WH_BIT_OR:
      return a | b;
    case WH_BIT_XOR:
      return a ^ b;
    default:
      return shift(a, b, bits, natural, kind == WH_SHIFT_LEFT);
  }
}

void wh_binary_span(uint32_t cpu, int kind, const float *a, int a_step, const float *b, int b_step,
                    float *y, int64_t count, float low, float high) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX2) {
    wh_binary_avx2(kind, a, a_step, b, b_step, y, count, low, high);
    return;
  }
#endif
  (void)cpu;
  wh_binary_scalar(kind, a, a_step, b, b_step, y, count, low, high);
}

/* A run of float32 of a kind wh_binary_span has; strides other than 0 and 1 go through buffers. */
static void float_run(uint32_t cpu, const wh_binary *p, const wh_odometer *o, const float *a,
                      const float *b, float *y) {
  float held[2][WH_SPAN];
  const int64_t sa = o->run_stride[0], sb = o->run_stride[1];
  const bool load_a = sa != 0 && sa != 1, load_b = sb != 0 && sb != 1;
  const int64_t step = load_a || load_b ? WH_SPAN : o->run;
  a += o->at[0];
  b += o->at[1];
  for (int64_t i = 0; i < o->run; i += step) {
    const int64_t n = wh_min64(step, o->run - i);
    if (load_a) wh_load_floats(held[0], a, i * sa, sa, (int)n);
    if (load_b) wh_load_floats(held[1], b, i * sb, sb, (int)n);
    wh_binary_span(cpu, p->kind, load_a ? held[0] : a + i * sa, sa != 0,
                   load_b ? held[1] : b + i * sb, sb != 0, y + i, n, p->low, p->high);
  }
}

static void any_run(const wh_binary *p, const wh_odometer *o, const uint8_t *a, const uint8_t *b,
                    uint8_t *y, int64_t at) {
  const uint32_t element = (uint32_t)p->element;
  const uint32_t gives = compares(p->kind) ? WH_BOOL : element;
  union {
    int64_t integers[WH_SPAN];
    double reals[WH_SPAN];
  } s, t;
  for (int64_t i = 0; i < o->run; i += WH_SPAN) {
    const int n = (int)wh_min64(WH_SPAN, o->run - i);
    const int64_t at_a = o->at[0] + i * o->run_stride[0], at_b = o->at[1] + i * o->run_stride[1];
    if (wh_is_integer(element)) {
      wh_load_integers(s.integers, element, a, at_a, o->run_stride[0], n);
      wh_load_integers(t.integers, element, b, at_b, o->run_stride[1], n);
      for (int j = 0; j < n; j++)
        s.integers[j] = of_integers(p->kind, s.integers[j], t.integers[j], element);
      wh_store_integers(s.integers, gives, y, at + i, 1, n);
      continue;
    }
    wh_load_reals(s.reals, element, a, at_a, o->run_stride[0], n);
    wh_load_reals(t.reals, element, b, at_b, o->run_stride[1], n);
    for (int j = 0; j < n; j++) {
      double r = of_reals(p->kind, s.reals[j], t.reals[j], element == WH_FLOAT32);
      if (gives == WH_BOOL) {
        y[at + i + j] = r != 0;
        continue;
      }
      if (element == WH_FLOAT32) {
        r = r < (double)p->low ? (double)p->low : r;
        r = r > (double)p->high ? (double)p->high : r;
      }
      s.reals[j] = r;
    }
    if (gives != WH_BOOL) wh_store_reals(s.reals, element, y, at + i, 1, n);
  }
}

int32_t wh_binary_run(const wh_call *call) {
  const wh_binary *p = call->parameters;
  const uint8_t *a = wh_input(call, 0)->data, *b = wh_input(call, 1)->data;
  uint8_t *y = wh_output(call, 0)->data;
  const int64_t *strides[] = {p->a_strides, p->b_strides};
  wh_odometer o = wh_odometer_begin(p->rank, p->shape, 2, strides);
  const bool fast =
      p->element == WH_FLOAT32 && p->kind != WH_POW && (p->kind <= WH_MAX || p->kind == WH_PRELU);
  if (!o.run) return WHERRY_OK;
  int64_t at = 0;
  do {
    if (fast)
      float_run(call->cpu, p, &o, (const float *)a, (const float *)b, (float *)y + at);
    else
      any_run(p, &o, a, b, y, at);
    at += o.run;
  } while (wh_odometer_next(&o));
  return WHERRY_OK;
}

#include "../common/region_end.h"
