#include "harness.h"

/* Where floats become 8-bit values and back: Cast, Quantize, Dequantize, DynamicQuantize,
 * MatMulWeights8. */

/* The signed view of a byte of an element type. */
static int value_of(uint32_t cpu, uint32_t element, uint8_t byte) {
  const bool natural = element == WH_UINT8 || (element == WH_Q8 && cpu & WH_CPU_UNSIGNED);
  return natural ? (int)byte - 128 : (int8_t)byte;
}

static int quantized(float x, float scale, int zero) {
  const float v = x / scale;
  return (int)fmin(fmax(rint(v != v ? 0 : (double)v) + zero, -128), 127);
}

static float random_value(float scale) {
  static const float some[] = {0, -0.0f, NAN, INFINITY, -INFINITY, 1e-45f, -1e-40f, 3e38f, -3e38f};
  if (random_below(20) == 0) return some[random_below(9)];
  if (random_below(3) == 0) return (float)random_in(-300, 300) * 0.5f * scale; /* ties */
  return random_real(-150, 150) * scale;
}

static float random_scale(void) {
  static const float some[] = {1,      0.5f,  0.1f,     1e-30f, 1e30f, 0,
                               1e-40f, -0.3f, INFINITY, NAN,    3e38f, 0x1p-126f};
  return random_below(3) ? random_real(0.001f, 2) : some[random_below(12)];
}

static const uint32_t byte_types[] = {WH_Q8, WH_INT8, WH_UINT8};

static void castsKeepTheSignedValue(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 40; round++) {
    const uint32_t cpu = masks[round % cpus], bytes = byte_types[1 + random_below(2)];
    const bool into = random_below(2);
    const uint32_t from = into ? bytes : WH_Q8, to = into ? WH_Q8 : bytes;
    const int count = random_in(0, 300);
    uint8_t held[300];
    test_case c;
    begin(&c, NULL);
    uint8_t *x = input(&c, from, count);
    for (int i = 0; i < count; i++) held[i] = x[i] = (uint8_t)random_bits();
    const uint8_t *y = random_below(2) ? output(&c, to, count) : output_in_place(&c, 0);
    const wh_tensor_record as_y = {.element = to, .bytes = (uint64_t)count};
    if (y == x) { /* in place, y has a record of its own */
      c.records[2] = as_y;
      c.tensors[2] = (wh_tensor){x, &c.records[2]};
      c.operands[1] = 2;
    }
    EXPECT(run(&c, 8, cpu) == 0, "status");
    for (int i = 0; i < count; i++)
      EXPECT(value_of(cpu, to, y[i]) == value_of(cpu, from, held[i]), "%u to %u", from, to);
    end(&c);
  }
}

static void quantizationDividesAndRoundsHalfToEven(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 400; round++) {
    const uint32_t cpu = masks[round % cpus], element = byte_types[random_below(3)];
    const uint32_t zeros = element == WH_Q8 ? byte_types[1 + random_below(2)] : element;
    const bool each = random_below(2);
    wh_quantize p = {
        .outer = random_in(1, 3), .count = each ? random_in(1, 5) : 1, .inner = random_in(1, 200)};
    const int size = p.outer * p.count * p.inner, scales = each ? p.count : 1;
    test_case q, d;
    begin(&q, &p);
    begin(&d, &p);
    float *x = input(&q, WH_FLOAT32, size), *scale = input(&q, WH_FLOAT32, scales);
    uint8_t *x2 = input(&d, element, size);
    float *scale2 = input(&d, WH_FLOAT32, scales);
    uint8_t *zero = NULL, *zero2 = NULL;
    if (random_below(4)) {
      zero = input(&q, zeros, scales);
      zero2 = input(&d, zeros, scales);
    } else {
      absent_input(&q);
      absent_input(&d);
    }
    for (int i = 0; i < scales; i++) {
      scale[i] = scale2[i] = random_scale();
      if (zero) zero[i] = zero2[i] = (uint8_t)random_bits();
    }
    for (int i = 0; i < size; i++) x[i] = random_value(scale[each ? i / p.inner % p.count : 0]);
    const uint8_t *y = output(&q, element, size);
    const float *back = output(&d, WH_FLOAT32, size);
    EXPECT(run(&q, 26, cpu) == 0, "status");
    memcpy(x2, y, (size_t)size);
    EXPECT(run(&d, 27, cpu) == 0, "status");
    for (int i = 0; i < size; i++) {
      const int c = each ? i / p.inner % p.count : 0;
      const int z = zero ? value_of(cpu, zeros, zero[c]) : element == WH_UINT8 ? -128 : 0;
      const int e = quantized(x[i], scale[c], z), v = value_of(cpu, element, y[i]);
      EXPECT(v == e, "type %u cpu %x: %g / %g + %d = %d, not %d", element, cpu, (double)x[i],
             (double)scale[c], z, v, e);
      const float r = (float)(v - z) * scale[c];
      EXPECT(back[i] == r || (back[i] != back[i] && r != r), "type %u cpu %x: (%d - %d) * %g = %g",
             element, cpu, v, z, (double)scale[c], (double)back[i]);
    }
    end(&q);
    end(&d);
  }
}

static void dynamicRangesIncludeZero(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 300; round++) {
    const uint32_t cpu = masks[round % cpus], element = random_below(2) ? WH_Q8 : WH_UINT8;
    const int count = random_in(0, 300), kind = random_below(6);
    test_case c;
    begin(&c, NULL);
    float *x = input(&c, WH_FLOAT32, count), most = 0, least = 0;
    for (int i = 0; i < count; i++) {
      x[i] = random_real(kind == 1 ? 1 : -3, kind == 2 ? -1 : 5);
      if (kind == 3) x[i] = random_value(1e-3f);
      if (kind == 4) x[i] = random_below(2) ? 0 : -0.0f;
      if (kind == 5) x[i] *= 1e-38f;
      if (x[i] > most) most = x[i];
      if (x[i] < least) least = x[i];
    }
    const uint8_t *y = output(&c, element, count);
    const float *scale = output(&c, WH_FLOAT32, 1);
    const uint8_t *zero = output(&c, WH_UINT8, 1);
    EXPECT(run(&c, 37, cpu) == 0, "status");
    const float range = most == least ? 1 : most - least, s = range / 255;
    const float z = 0 - least / s;
    const double clamped = z != z ? 0 : fmin(fmax((double)z, 0), 255);
    EXPECT(*scale == s, "scale %g, not %g", (double)*scale, (double)s);
    EXPECT(*zero == rint(clamped), "zero %d, not %g", *zero, clamped);
    for (int i = 0; i < count; i++) {
      const int e = quantized(x[i], s, *zero - 128), v = value_of(cpu, element, y[i]);
      EXPECT(v == e, "cpu %x kind %d: %g / %g: %d, not %d", cpu, kind, (double)x[i], (double)s, v,
             e);
    }
    end(&c);
  }
}

static void productsWithBytesAsWeights(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 200; round++) {
    const uint32_t cpu = masks[round % cpus];
    wh_matmul_weights8 p = {.m = random_below(2) ? 1 : random_in(1, 20),
                            .k = random_below(10) ? random_in(1, 300) : 0,
                            .n = random_in(1, 70),
                            .low = random_below(2) ? -INFINITY : -0.5f,
                            .high = random_below(2) ? INFINITY : 0.5f};
    const int panels = (p.n + 15) / 16, panel = 64 + 16 * p.k;
    test_case c;
    begin(&c, &p);
    float *x = input(&c, WH_FLOAT32, p.m * p.k), *bias = NULL;
    random_floats(x, p.m * p.k, -1, 1);
    uint8_t *stream = input(&c, WH_INT8, panels * panel);
    for (int i = 0; i < panels * panel; i++) stream[i] = (uint8_t)random_bits();
    for (int i = 0; i < panels; i++)
      random_floats((float *)(stream + i * panel), 16, 0.001f, 0.01f);
    if (random_below(2))
      random_floats(bias = input(&c, WH_FLOAT32, p.n), p.n, -1, 1);
    else
      absent_input(&c);
    const float *y = output(&c, WH_FLOAT32, p.m * p.n);
    EXPECT(run(&c, 40, cpu) == 0, "status");
    for (int i = 0; i < p.m * p.n; i++) {
      const int column = i % p.n;
      const uint8_t *at = stream + column / 16 * panel;
      const double scale = (double)((const float *)at)[column % 16];
      double sum = 0, size = 1;
      for (int k = 0; k < p.k; k++) {
        const double w = (int8_t)at[64 + k * 16 + column % 16], v = (double)x[i / p.n * p.k + k];
        sum += v * w * scale;
        size += fabs(v * w * scale);
      }
      if (bias) sum += (double)bias[column];
      const double e = fmin(fmax(sum, (double)p.low), (double)p.high);
      EXPECT(near((double)y[i], e, 0, size * 2e-6), "cpu %x %dx%dx%d: %g, not %g", cpu, p.m, p.k,
             p.n, (double)y[i], e);
    }
    end(&c);
  }
}

const test int8_boundary_tests[] = {
    {"castsKeepTheSignedValue", castsKeepTheSignedValue},
    {"quantizationDividesAndRoundsHalfToEven", quantizationDividesAndRoundsHalfToEven},
    {"dynamicRangesIncludeZero", dynamicRangesIncludeZero},
    {"productsWithBytesAsWeights", productsWithBytesAsWeights},
    {NULL, NULL}};
