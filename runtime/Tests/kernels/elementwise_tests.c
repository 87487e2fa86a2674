#include "harness.h"

double wh_unary_real(const wh_unary *p, double x);

/* Largest error in units of the last place that a vectorised kind may have. */
static double allowance(int kind) {
  switch (kind) {
    case WH_GELU:
    case WH_GELU_TANH:
    case WH_MISH:
      return 6;
    case WH_ELU:
    case WH_CELU:
    case WH_SELU:
    case WH_SWISH:
    case WH_SIGMOID:
    case WH_SOFTSIGN:
      return 4;
    default:
      return 2.5;
  }
}

static void everyUnaryIsItsDefinition(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  const float special[] = {0,    -0.0f,  1,     -1,     INFINITY, -INFINITY, NAN,  88.8f, -88,
                           -104, 1e-20f, 1e30f, -1e30f, 0.625f,   0.5f,      1.5f, 2.5f,  -2.5f};
  const int specials = sizeof special / sizeof *special;
  for (int kind = WH_ABS; kind <= WH_AFFINE; kind++) {
    if (kind == WH_NOT || kind == WH_BIT_NOT || kind == WH_IS_NAN || kind == WH_IS_INF) continue;
    for (int round = 0; round < 6; round++) {
      const int count = random_in(1, 600), cpu = random_below(cpus);
      wh_unary p = {kind, WH_FLOAT32, 0.3f, 0.6f, 1.05f, 0};
      test_case c;
      begin(&c, &p);
      float *x = input(&c, WH_FLOAT32, count), *y = output(&c, WH_FLOAT32, count);
      const float range = round == 0 ? 1 : round == 1 ? 0.01f : round == 2 ? 100 : 8;
      random_floats(x, count, -range, range);
      for (int i = 0; i < count && i < specials && round > 3; i++) x[i] = special[i];
      EXPECT(run(&c, 7, masks[cpu]) == 0, "status");
      for (int i = 0; i < count; i++) {
        const double e = wh_unary_real(&p, (double)x[i]), v = (double)y[i];
        double unit =
            ldexp(1, (int)fmax(ilogb((float)e == 0 ? 1e-38 : (double)(float)e), -126) - 23);
        if (kind >= WH_GELU && kind <= WH_MISH) unit = fmax(unit, fabs((double)x[i]) * 0x1p-24);
        if (kind == WH_AFFINE || kind == WH_HARD_SIGMOID) unit = fmax(unit, 0x1p-24);
        if (kind == WH_SWISH) unit *= fmax(1, 0.3 * fabs((double)x[i])); /* e^x magnifies alpha x */
        const bool big = (double)(float)e == e || isfinite((float)e);
        EXPECT(near(v, big ? e : (double)(float)e, 0, allowance(kind) * unit) ||
                   (fabs(e) < 1.2e-38 && fabs(v) < 1.2e-38),
               "kind %d cpu %x: f(%.9g) = %.9g, not %.9g", kind, masks[cpu], (double)x[i], v, e);
      }
      end(&c);
    }
  }
}

static void variantsOfUnaryAgreeToTheBit(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int kind = WH_ABS; kind <= WH_AFFINE; kind++) {
    if (kind == WH_NOT || kind == WH_BIT_NOT || kind == WH_IS_NAN || kind == WH_IS_INF) continue;
    float x[77], y[2][77];
    random_floats(x, 77, -9, 9);
    for (int i = 0; i < cpus; i++) {
      wh_unary p = {kind, WH_FLOAT32, 0.3f, 0.6f, 1.05f, 0};
      test_case c;
      begin(&c, &p);
      memcpy(input(&c, WH_FLOAT32, 77), x, sizeof x);
      float *to = output_in_place(&c, 0);
      EXPECT(run(&c, 7, masks[i]) == 0, "status");
      memcpy(y[i > 0], to, sizeof x);
      EXPECT(i == 0 || !memcmp(y[0], y[1], sizeof x), "kind %d cpu %x", kind, masks[i]);
      end(&c);
    }
  }
}

static double binary_of(int kind, double a, double b) {
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
      return pow(a, b);
    case WH_MIN:
      return a != a || b != b ? (double)NAN : a < b ? a : b;
    case WH_MAX:
      return a != a || b != b ? (double)NAN : a > b ? a : b;
    case WH_MOD:
      return a - floor(a / b) * b;
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

/* A shape with operands broadcast along random axes. */
static int64_t random_view(wh_binary *p, int64_t *strides, int64_t *needed) {
  int64_t step = 1, total = 1;
  *needed = 1;
  for (int i = p->rank - 1; i >= 0; i--) {
    strides[i] = random_below(3) ? step : 0;
    if (strides[i]) step *= p->shape[i];
    total *= p->shape[i];
  }
  if (p->rank > 1 && random_below(4) == 0) { /* transposed */
    const int64_t held = strides[0];
    strides[0] = strides[p->rank - 1];
    strides[p->rank - 1] = held;
  }
  for (int i = 0; i < p->rank; i++) *needed += strides[i] * (p->shape[i] - 1);
  return total;
}

static void binaryBroadcastsOfFloats(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int round = 0; round < 400; round++) {
    wh_binary p = {.kind = random_in(WH_ADD, WH_GREATER_EQUAL),
                   .element = WH_FLOAT32,
                   .rank = random_below(5),
                   .low = -INFINITY,
                   .high = INFINITY};
    const bool compares = p.kind >= WH_EQUAL, narrow = !compares && random_below(3) == 0;
    if (narrow) p.low = -0.5f, p.high = 1;
    for (int i = 0; i < p.rank; i++) p.shape[i] = random_in(1, i == p.rank - 1 ? 150 : 5);
    int64_t need_a, need_b;
    random_view(&p, p.a_strides, &need_a);
    const int64_t count = random_view(&p, p.b_strides, &need_b);
    test_case c;
    begin(&c, &p);
    float *a = input(&c, WH_FLOAT32, need_a), *b = input(&c, WH_FLOAT32, need_b);
    void *y = output(&c, compares ? WH_BOOL : WH_FLOAT32, count);
    random_floats(a, need_a, p.kind == WH_POW ? 0.1f : -3, 3);
    random_floats(b, need_b, -3, 3);
    if (round % 5 == 0 && p.kind != WH_MOD && p.kind != WH_POW) a[random_below((int)need_a)] = NAN;
    EXPECT(run(&c, 6, masks[round % cpus]) == 0, "status");
    for (int64_t i = 0; i < count; i++) {
      int64_t at_a = 0, at_b = 0, rest = i;
      for (int d = p.rank - 1; d >= 0; rest /= p.shape[d--]) {
        at_a += rest % p.shape[d] * p.a_strides[d];
        at_b += rest % p.shape[d] * p.b_strides[d];
      }
      double e = binary_of(p.kind, (double)a[at_a], (double)b[at_b]);
      if (narrow && e == e) e = fmin(fmax(e, -0.5), 1);
      const double v = compares ? ((uint8_t *)y)[i] : (double)((float *)y)[i];
      EXPECT(near(v, e, 1e-6, p.kind == WH_MOD ? 1e-5 : 1e-7), "kind %d: %g, not %g", p.kind, v, e);
    }
    end(&c);
  }
}

static void integersWrapAndNeverTrap(void) {
  static const uint32_t types[] = {WH_INT8, WH_UINT8, WH_INT16, WH_INT32, WH_INT64, WH_UINT64};
  for (int round = 0; round < 600; round++) {
    const uint32_t type = types[round % 6];
    wh_binary p = {.kind = random_in(WH_ADD, WH_SHIFT_RIGHT),
                   .element = (int32_t)type,
                   .rank = 1,
                   .shape = {100},
                   .a_strides = {1},
                   .b_strides = {random_below(2)}};
    const bool compares = p.kind >= WH_EQUAL && p.kind <= WH_XOR;
    test_case c;
    begin(&c, &p);
    int64_t *a = input(&c, type, 100), *b = input(&c, type, 100);
    uint8_t *y = output(&c, compares ? WH_BOOL : type, 100);
    const size_t size = c.records[0].bytes / 100;
    for (size_t i = 0; i < 100 * size; i++) {
      ((uint8_t *)a)[i] = random_below(3) ? (uint8_t)random_bits() : 0;
      ((uint8_t *)b)[i] = random_below(3) ? (uint8_t)random_bits() : 255;
    }
    memset(b, 0, size);
    EXPECT(run(&c, 6, 0) == 0, "status");
    for (int i = 0; i < 100 && type == WH_INT8; i++) {
      const int s = ((int8_t *)a)[i], t = ((int8_t *)b)[p.b_strides[0] ? i : 0], v = (int8_t)y[i];
      const int floor_mod = t ? ((s % t) + t) % t : 0;
      if (p.kind == WH_ADD) EXPECT(v == (int8_t)(s + t), "%d + %d = %d", s, t, v);
      if (p.kind == WH_MUL) EXPECT(v == (int8_t)(s * t), "%d * %d = %d", s, t, v);
      if (p.kind == WH_DIV) EXPECT(v == (t ? (int8_t)(s / t) : 0), "%d / %d = %d", s, t, v);
      if (p.kind == WH_MOD) EXPECT(v == floor_mod, "%d mod %d = %d", s, t, v);
      if (p.kind == WH_MAX) EXPECT(v == (s > t ? s : t), "max %d %d = %d", s, t, v);
      if (p.kind == WH_XOR) EXPECT(v == (!s != !t), "%d xor %d = %d", s, t, v);
      if (p.kind == WH_GREATER) EXPECT(v == (s > t), "%d > %d = %d", s, t, v);
    }
    end(&c);
  }
}

static void castsBetweenAllPairs(void) {
  static const uint32_t types[] = {WH_FLOAT32, WH_UINT8,   WH_INT8,   WH_UINT16,
                                   WH_INT16,   WH_INT32,   WH_INT64,  WH_BOOL,
                                   WH_FLOAT16, WH_FLOAT64, WH_UINT32, WH_UINT64};
  for (int i = 0; i < 144; i++) {
    test_case c;
    begin(&c, NULL);
    uint8_t *x = input(&c, types[i / 12], 130), *y = output(&c, types[i % 12], 130);
    for (size_t j = 0; j < c.records[0].bytes; j++) x[j] = (uint8_t)random_bits();
    EXPECT(run(&c, 8, 0) == 0, "status");
    if (types[i / 12] == WH_FLOAT32 && types[i % 12] == WH_INT8) {
      for (int j = 0; j < 130; j++) {
        const float v = ((float *)x)[j];
        const double e = v != v ? 0 : fmax(-128, fmin(127, trunc((double)v)));
        EXPECT(((int8_t *)y)[j] == (int)e, "%g", (double)v);
      }
    }
    end(&c);
  }
}

static void halvesRoundTrip(void) {
  test_case c, d;
  begin(&c, NULL);
  begin(&d, NULL);
  uint16_t *half = input(&c, WH_FLOAT16, 65536);
  float *real = output(&c, WH_FLOAT32, 65536), *from = input(&d, WH_FLOAT32, 65536);
  uint16_t *back = output(&d, WH_FLOAT16, 65536);
  for (int i = 0; i < 65536; i++) half[i] = (uint16_t)i;
  EXPECT(run(&c, 8, 0) == 0, "status");
  memcpy(from, real, 65536 * sizeof *from);
  EXPECT(run(&d, 8, 0) == 0, "status");
  for (int i = 0; i < 65536; i++)
    EXPECT(back[i] == i || real[i] != real[i], "%x became %x by %g", i, back[i], (double)real[i]);
  EXPECT(real[0x3C00] == 1 && real[0x0001] == 0x1p-24f && real[0xFC00] == -INFINITY, "values");
  for (int i = 0; i < 0x7BFF; i++) { /* half way rounds to even, a little more rounds up */
    from[2 * (i % 32768)] = (real[i] + real[i + 1]) / 2;
    from[2 * (i % 32768) + 1] = nextafterf((real[i] + real[i + 1]) / 2, INFINITY);
  }
  EXPECT(run(&d, 8, 0) == 0, "status");
  for (int i = 0; i < 0x7BFF; i++)
    EXPECT(back[2 * i] == i + (i & 1) && back[2 * i + 1] == i + 1, "%x between", i);
  end(&c);
  end(&d);
}

const test elementwise_tests[] = {{"everyUnaryIsItsDefinition", everyUnaryIsItsDefinition},
                                  {"variantsOfUnaryAgreeToTheBit", variantsOfUnaryAgreeToTheBit},
                                  {"binaryBroadcastsOfFloats", binaryBroadcastsOfFloats},
                                  {"integersWrapAndNeverTrap", integersWrapAndNeverTrap},
                                  {"castsBetweenAllPairs", castsBetweenAllPairs},
                                  {"halvesRoundTrip", halvesRoundTrip},
                                  {NULL, NULL}};
