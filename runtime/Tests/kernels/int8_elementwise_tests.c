#include "harness.h"

/* The kernels on 8-bit values against plain formulas, in both storages and every instruction set.
 */

static uint8_t stored(uint32_t cpu, int q) {
  return (uint8_t)(cpu & WH_CPU_UNSIGNED ? q + 128 : q);
}
static int value_of(uint32_t cpu, uint8_t byte) {
  return cpu & WH_CPU_UNSIGNED ? (int)byte - 128 : (int8_t)byte;
}

static int to_byte(double t, int zero, int low, int high) {
  return (int)fmin(fmax(rint(t) + zero, low), high);
}

static int random_byte(void) { return random_in(-128, 127); }

static float random_factor(void) {
  static const float some[] = {1, 0.5f, 0.25f, 0x1p-126f, WH_LARGEST_FACTOR, 0x1p-9f, 1.5f, 2};
  return random_below(3) ? random_real(0.01f, 1.5f) : some[random_below(8)];
}

static wh_qbinary random_binary(int kind) {
  wh_qbinary p = {.kind = kind,
                  .a_zero = random_byte(),
                  .b_zero = random_byte(),
                  .y_zero = random_byte(),
                  .low = random_below(2) ? -128 : random_byte(),
                  .a_factor = random_factor(),
                  .b_factor = kind == WH_MUL ? 0 : random_factor()};
  p.high = random_below(2) ? 127 : random_in(p.low, 127);
  if (kind == WH_MUL) p.a_factor *= random_below(2) ? 0x1p-8f : 1;
  if (p.a_factor < 0x1p-126f) p.a_factor = 0x1p-126f;
  if (random_below(2)) p.b_factor = kind == WH_MUL ? 0 : p.a_factor;
  return p;
}

static int binary_of(const wh_qbinary *p, int a, int b) {
  const float da = (float)(a - p->a_zero), db = (float)(b - p->b_zero);
  const float s = da * p->a_factor, t = db * p->b_factor, product = da * db;
  const float r = p->kind == WH_ADD ? s + t : p->kind == WH_SUB ? s - t : product * p->a_factor;
  return to_byte((double)r, p->y_zero, p->low, p->high);
}

static void everyPairOfBytesIsAddedAndMultiplied(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 24; round++) {
    wh_qbinary p = random_binary(WH_ADD + round % 3);
    const uint32_t cpu = masks[round % cpus];
    p.rank = 1;
    p.shape[0] = 65536;
    p.a_strides[0] = p.b_strides[0] = 1;
    test_case c;
    begin(&c, &p);
    uint8_t *a = input(&c, WH_Q8, 65536), *b = input(&c, WH_Q8, 65536);
    for (int i = 0; i < 65536; i++) {
      a[i] = stored(cpu, i / 256 - 128);
      b[i] = stored(cpu, i % 256 - 128);
    }
    const uint8_t *y = output(&c, WH_Q8, 65536);
    EXPECT(run(&c, 31, cpu) == 0, "status");
    for (int i = 0; i < 65536; i++) {
      const int e = binary_of(&p, i / 256 - 128, i % 256 - 128), v = value_of(cpu, y[i]);
      EXPECT(v == e, "kind %d cpu %x: %d, %d (zeros %d %d, factors %g %g) gives %d, not %d", p.kind,
             cpu, i / 256 - 128, i % 256 - 128, p.a_zero, p.b_zero, (double)p.a_factor,
             (double)p.b_factor, v, e);
    }
    end(&c);
  }
}

static void bytesAreBroadcast(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 300; round++) {
    wh_qbinary p = random_binary(random_in(WH_ADD, WH_MUL));
    const uint32_t cpu = masks[round % cpus];
    int64_t needed[2] = {1, 1}, total = 1;
    p.rank = random_in(0, 4);
    for (int i = p.rank - 1; i >= 0; i--) {
      p.shape[i] = random_in(1, i == p.rank - 1 ? 90 : 5);
      p.a_strides[i] = random_below(3) ? needed[0] : 0;
      p.b_strides[i] = random_below(3) ? needed[1] * (random_below(4) ? 1 : 2) : 0;
      needed[0] += (p.shape[i] - 1) * p.a_strides[i];
      needed[1] += (p.shape[i] - 1) * p.b_strides[i];
      total *= p.shape[i];
    }
    test_case c;
    begin(&c, &p);
    uint8_t *a = input(&c, WH_Q8, needed[0]), *b = input(&c, WH_Q8, needed[1]);
    for (int64_t i = 0; i < needed[0]; i++) a[i] = (uint8_t)random_bits();
    for (int64_t i = 0; i < needed[1]; i++) b[i] = (uint8_t)random_bits();
    const uint8_t *y = output(&c, WH_Q8, total);
    EXPECT(run(&c, 31, cpu) == 0, "status");
    for (int64_t i = 0; i < total; i++) {
      int64_t at_a = 0, at_b = 0, rest = i;
      for (int j = p.rank - 1; j >= 0; rest /= p.shape[j], j--) {
        at_a += rest % p.shape[j] * p.a_strides[j];
        at_b += rest % p.shape[j] * p.b_strides[j];
      }
      const int e = binary_of(&p, value_of(cpu, a[at_a]), value_of(cpu, b[at_b]));
      EXPECT(value_of(cpu, y[i]) == e, "kind %d cpu %x rank %d: %d, not %d", p.kind, cpu, p.rank,
             value_of(cpu, y[i]), e);
    }
    end(&c);
  }
}

static void lookupsIndexByTheSignedValue(void) {
  static const uint32_t from[] = {WH_Q8, WH_INT8, WH_UINT8};
  static const uint32_t to[] = {WH_Q8, WH_INT8, WH_UINT8, WH_FLOAT32};
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 12 * cpus; round++) {
    const uint32_t cpu = masks[round / 12], source = from[round % 3], target = to[round / 3 % 4];
    const int count = random_in(256, 700);
    test_case c;
    begin(&c, NULL);
    uint8_t *x = input(&c, source, count), held[700];
    for (int i = 0; i < count; i++) held[i] = x[i] = (uint8_t)(i < 256 ? i : random_below(256));
    uint8_t *table = input(&c, target == WH_Q8 ? WH_INT8 : target, 256);
    for (int i = 0; i < 256; i++) {
      if (target == WH_FLOAT32)
        ((float *)table)[i] = random_real(-9, 9);
      else
        table[i] = (uint8_t)random_bits();
    }
    const bool in_place = target == source && random_below(2);
    const uint8_t *y = in_place ? output_in_place(&c, 0) : output(&c, target, count);
    EXPECT(run(&c, 32, cpu) == 0, "status");
    for (int i = 0; i < count; i++) {
      const int q = source == WH_Q8     ? value_of(cpu, held[i])
                    : source == WH_INT8 ? (int8_t)held[i]
                                        : held[i] - 128;
      const int index = q + 128;
      if (target == WH_FLOAT32)
        EXPECT(((const float *)y)[i] == ((const float *)table)[index], "float of %d", q);
      else if (target == WH_Q8)
        EXPECT(value_of(cpu, y[i]) == (int8_t)table[index], "q8 of %d from %u", q, source);
      else
        EXPECT(y[i] == table[index], "byte of %d from %u", q, source);
    }
    end(&c);
  }
}

static void softmaxesOfBytes(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 300; round++) {
    const uint32_t cpu = masks[round % cpus];
    const float scale = random_real(0.001f, 0.3f);
    const int kind = random_below(4); /* of the table: 0 anything, 1 zeros, else exponentials */
    wh_qsoftmax p = {.outer = random_in(1, 3),
                     .count = random_in(1, random_below(2) ? 20 : 400),
                     .inner = random_below(3) ? 1 : random_in(2, 70),
                     .y_zero = random_below(2) ? -128 : random_byte(),
                     .inverse = random_below(2) ? 256 : (double)random_real(1, 999)};
    const int size = p.outer * p.count * p.inner;
    test_case c;
    begin(&c, &p);
    uint8_t *x = input(&c, WH_Q8, size), *held = malloc((size_t)size);
    for (int i = 0; i < size; i++) held[i] = x[i] = (uint8_t)random_bits();
    uint32_t *table = input(&c, WH_UINT32, 256);
    for (int d = 0; d < 256; d++) {
      table[d] = (uint32_t)rint(16777216 * exp(-d * (double)scale));
      if (kind < 2) table[d] = kind ? 0 : (uint32_t)random_bits();
    }
    const uint8_t *y = random_below(2) ? output(&c, WH_Q8, size) : output_in_place(&c, 0);
    EXPECT(run(&c, 34, cpu) == 0, "status");
    for (int i = 0; i < p.outer * p.inner; i++) {
      const int first = i / p.inner * p.count * p.inner + i % p.inner;
      int most = -128;
      uint64_t sum = 0;
      for (int j = 0; j < p.count; j++)
        most = (int)fmax(most, value_of(cpu, held[first + j * p.inner]));
      for (int j = 0; j < p.count; j++)
        sum += table[most - value_of(cpu, held[first + j * p.inner])];
      const float k = sum ? (float)(p.inverse / (double)sum) : 0;
      for (int j = 0; j < p.count; j++) {
        const int at = first + j * p.inner;
        const float t = (float)table[most - value_of(cpu, held[at])] * k;
        const int e = to_byte((double)t, p.y_zero, -128, 127), v = value_of(cpu, y[at]);
        EXPECT(v == e, "cpu %x table %d count %d inner %d: %d, not %d", cpu, kind, p.count, p.inner,
               v, e);
      }
    }
    free(held);
    end(&c);
  }
}

static void resizingWeighsPixels(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 300; round++) {
    const uint32_t cpu = masks[round % cpus];
    const bool bad = random_below(9) == 0, wild = random_below(5) == 0;
    wh_qresize p = {
        .outer = random_in(1, 2),
        .in = {random_in(1, 5), random_in(1, 5)},
        .out = {random_in(1, 7), random_in(1, 7)},
        .inner = random_below(3) ? random_in(1, 80) : 1,
        .taps = {random_below(2) ? 2 : random_in(0, 4), random_below(2) ? 2 : random_in(1, 4)},
        .x_zero = random_byte(),
        .y_zero = random_byte(),
        .factor = random_real(0.3f, 2) * (random_below(2) ? 0x1p-22f : 0x1p-13f)};
    const int size = p.outer * p.in[0] * p.in[1] * p.inner;
    const int out = p.outer * p.out[0] * p.out[1] * p.inner;
    test_case c;
    int32_t *index[2], *weight[2];
    begin(&c, &p);
    uint8_t *x = input(&c, WH_Q8, size);
    for (int i = 0; i < size; i++) x[i] = (uint8_t)random_bits();
    for (int d = 0; d < 2; d++) {
      const int count = p.out[d] * p.taps[d];
      index[d] = input(&c, WH_INT32, count);
      weight[d] = input(&c, WH_INT32, count);
      for (int i = 0; i < count; i++) {
        index[d][i] = random_below(p.in[d]);
        weight[d][i] = wild ? (int32_t)random_bits() : random_in(-300, 2048);
      }
    }
    if (bad) index[1][random_below(p.out[1] * p.taps[1])] = random_below(2) ? p.in[1] : -1;
    const uint8_t *y = output(&c, WH_Q8, out);
    EXPECT(run(&c, 36, cpu) == (bad ? WHERRY_BAD_VALUE : 0), "status");
    for (int i = 0; i < out && !bad; i++) {
      const int channel = i % p.inner, column = i / p.inner % p.out[1];
      const int row = i / p.inner / p.out[1] % p.out[0], n = i / p.inner / p.out[1] / p.out[0];
      uint32_t sum = 0;
      for (int s = 0; s < p.taps[0]; s++) {
        for (int t = 0; t < p.taps[1]; t++) {
          const int r = row * p.taps[0] + s, k = column * p.taps[1] + t;
          const int at = ((n * p.in[0] + index[0][r]) * p.in[1] + index[1][k]) * p.inner + channel;
          sum += (uint32_t)weight[0][r] * (uint32_t)weight[1][k] *
                 (uint32_t)(value_of(cpu, x[at]) - p.x_zero);
        }
      }
      const int e = to_byte((double)((float)(int32_t)sum * p.factor), p.y_zero, -128, 127);
      EXPECT(value_of(cpu, y[i]) == e, "cpu %x: %d, not %d", cpu, value_of(cpu, y[i]), e);
    }
    end(&c);
  }
}

const test int8_elementwise_tests[] = {
    {"everyPairOfBytesIsAddedAndMultiplied", everyPairOfBytesIsAddedAndMultiplied},
    {"bytesAreBroadcast", bytesAreBroadcast},
    {"lookupsIndexByTheSignedValue", lookupsIndexByTheSignedValue},
    {"softmaxesOfBytes", softmaxesOfBytes},
    {"resizingWeighsPixels", resizingWeighsPixels},
    {NULL, NULL}};
