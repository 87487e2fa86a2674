#include "harness.h"

static void fillsAndSelections(void) {
  for (int round = 0; round < 100; round++) {
    static const uint32_t types[] = {WH_UINT8, WH_INT16, WH_FLOAT32, WH_INT64};
    const int kind = random_below(4), bytes = 1 << kind;
    wh_fill f = {bytes, 0, random_bits()};
    test_case c;
    begin(&c, &f);
    uint8_t *y = output(&c, types[kind], 37);
    EXPECT(run(&c, 2, 0) == 0, "status");
    for (int i = 0; i < 37; i++) EXPECT(!memcmp(y + i * bytes, &f.value, (size_t)bytes), "fill");
    end(&c);
    const int rows = random_in(1, 5), columns = random_in(1, 9);
    wh_select s = {.element_size = bytes,
                   .rank = 2,
                   .shape = {rows, columns},
                   .condition_strides = {0, 1},
                   .a_strides = {columns, 1},
                   .b_strides = {1, 0}};
    begin(&c, &s);
    uint8_t *when = input(&c, WH_BOOL, columns), *a = input(&c, types[kind], rows * columns);
    uint8_t *b = input(&c, types[kind], rows);
    y = output(&c, types[kind], rows * columns);
    for (int i = 0; i < columns; i++) when[i] = (uint8_t)random_below(2);
    for (int i = 0; i < rows * columns * bytes; i++) a[i] = (uint8_t)random_bits();
    for (int i = 0; i < rows * bytes; i++) b[i] = (uint8_t)random_bits();
    EXPECT(run(&c, 9, 0) == 0, "status");
    for (int i = 0; i < rows * columns; i++) {
      const uint8_t *e = when[i % columns] ? a + i * bytes : b + i / columns * bytes;
      EXPECT(!memcmp(y + i * bytes, e, (size_t)bytes), "select");
    }
    end(&c);
  }
}

static void quantizationRoundsHalfToEven(void) {
  for (int round = 0; round < 100; round++) {
    const bool each = random_below(2);
    wh_quantize p = {
        .outer = random_in(1, 3), .count = each ? random_in(1, 5) : 1, .inner = random_in(1, 80)};
    const int size = p.outer * p.count * p.inner, scales = each ? p.count : 1;
    const bool natural = random_below(2);
    test_case q, d;
    begin(&q, &p);
    begin(&d, &p);
    float *x = input(&q, WH_FLOAT32, size), *scale = input(&q, WH_FLOAT32, scales);
    uint8_t *zero = input(&q, natural ? WH_UINT8 : WH_INT8, scales);
    uint8_t *y = output(&q, natural ? WH_UINT8 : WH_INT8, size);
    uint8_t *x2 = input(&d, natural ? WH_UINT8 : WH_INT8, size);
    float *scale2 = input(&d, WH_FLOAT32, scales);
    uint8_t *zero2 = input(&d, natural ? WH_UINT8 : WH_INT8, scales);
    float *back = output(&d, WH_FLOAT32, size);
    for (int i = 0; i < scales; i++) {
      scale[i] = scale2[i] = 0.25f * (float)random_in(1, 3);
      zero[i] = zero2[i] = (uint8_t)random_bits();
    }
    for (int i = 0; i < size; i++) x[i] = (float)random_in(-999, 999) * 0.125f;
    x[0] = 1e30f;
    EXPECT(run(&q, 26, 0) == 0, "status");
    memcpy(x2, y, (size_t)size);
    EXPECT(run(&d, 27, 0) == 0, "status");
    for (int i = 0; i < size; i++) {
      const int c = each ? i / p.inner % p.count : 0;
      const int z = natural ? zero[c] : (int8_t)zero[c], v = natural ? y[i] : (int8_t)y[i];
      const double low = natural ? 0 : -128, high = natural ? 255 : 127;
      const double e = fmin(fmax(rint((double)(x[i] / scale[c])) + z, low), high);
      EXPECT(v == e, "quantize %g / %g + %d = %d, not %g", (double)x[i], (double)scale[c], z, v, e);
      EXPECT(back[i] == (float)(v - z) * scale[c], "dequantize");
    }
    end(&q);
    end(&d);
  }
}

static void interpolationsWeighTaps(void) {
  for (int round = 0; round < 50; round++) {
    wh_interpolate p = {.outer = random_in(1, 3),
                        .count = random_in(1, 6),
                        .inner = random_in(1, 20),
                        .out = random_in(1, 9),
                        .taps = random_in(1, 4)};
    const bool bad = random_below(5) == 0;
    test_case c;
    begin(&c, &p);
    float *x = input(&c, WH_FLOAT32, p.outer * p.count * p.inner);
    int32_t *indices = input(&c, WH_INT32, p.out * p.taps);
    float *weights = input(&c, WH_FLOAT32, p.out * p.taps);
    float *y = output(&c, WH_FLOAT32, p.outer * p.out * p.inner);
    random_floats(x, p.outer * p.count * p.inner, -1, 1);
    random_floats(weights, p.out * p.taps, -1, 1);
    for (int i = 0; i < p.out * p.taps; i++) indices[i] = random_below(p.count);
    if (bad) indices[random_below(p.out * p.taps)] = random_below(2) ? p.count : -1;
    EXPECT(run(&c, 28, 0) == (bad ? WHERRY_BAD_VALUE : 0), "status");
    for (int i = 0; i < p.outer * p.out * p.inner && !bad; i++) {
      double e = 0;
      for (int t = 0; t < p.taps; t++) {
        const int o = i / p.inner % p.out, at = indices[o * p.taps + t];
        e += (double)weights[o * p.taps + t] *
             (double)x[(i / p.inner / p.out * p.count + at) * p.inner + i % p.inner];
      }
      EXPECT(near((double)y[i], e, 1e-6, 1e-6), "%g, not %g", (double)y[i], e);
    }
    end(&c);
  }
}

static void rowsAreNormalized(void) {
  for (int round = 0; round < 200; round++) {
    wh_normalize p = {.kind = random_below(4),
                      .rows = random_in(1, 6),
                      .count = random_in(1, 300),
                      .period = random_in(1, 3),
                      .span = random_below(2) ? 1 : random_in(1, 40),
                      .epsilon = 1e-5f};
    p.channels_per_row = (p.count - 1) / p.span + 1;
    const int size = p.rows * p.count, channels = p.period * p.channels_per_row;
    test_case c;
    begin(&c, &p);
    float *x = input(&c, WH_FLOAT32, size), *scale = NULL, *bias = NULL;
    random_floats(x, size, 3, 5);
    if (random_below(2))
      random_floats(scale = input(&c, WH_FLOAT32, channels), channels, -1, 1);
    else
      absent_input(&c);
    if (random_below(2))
      random_floats(bias = input(&c, WH_FLOAT32, channels), channels, -1, 1);
    else
      absent_input(&c);
    float *y = output(&c, WH_FLOAT32, size);
    EXPECT(run(&c, 14, 0) == 0, "status");
    for (int r = 0; r < p.rows; r++) {
      double mean = 0, squares = 0, l1 = 0, l2 = 0;
      const float *row = x + r * p.count;
      for (int i = 0; i < p.count; i++) {
        mean += (double)row[i] / p.count;
        l1 += fabs((double)row[i]);
        l2 += (double)row[i] * (double)row[i];
      }
      if (p.kind) mean = 0;
      for (int i = 0; i < p.count; i++) squares += pow((double)row[i] - mean, 2) / p.count;
      const double by = p.kind < 2    ? sqrt(squares + (double)p.epsilon)
                        : p.kind == 2 ? l1
                                      : sqrt(l2);
      for (int i = 0; i < p.count; i++) {
        const int at = r % p.period * p.channels_per_row + i / p.span;
        double e = ((double)row[i] - mean) / by;
        if (scale) e *= (double)scale[at];
        if (bias) e += (double)bias[at];
        EXPECT(near((double)y[r * p.count + i], e, 1e-5, 5e-6), "kind %d: %g, not %g", p.kind,
               (double)y[r * p.count + i], e);
      }
    }
    end(&c);
  }
}

static void localResponseWindows(void) {
  for (int round = 0; round < 50; round++) {
    wh_lrn p = {random_in(1, 5),
                random_in(1, 20),
                random_in(1, 7),
                0.3f,
                random_below(2) ? 0.75f : 0.6f,
                1.5f};
    const int size = p.rows * p.channels;
    test_case c;
    begin(&c, &p);
    float *x = input(&c, WH_FLOAT32, size), *y = output(&c, WH_FLOAT32, size);
    random_floats(x, size, -2, 2);
    EXPECT(run(&c, 15, 0) == 0, "status");
    for (int i = 0; i < size; i++) {
      double sum = 0;
      for (int j = 0; j < p.channels; j++) {
        const int away = j - i % p.channels;
        if (away >= -((p.size - 1) / 2) && away <= p.size / 2)
          sum += pow((double)x[i / p.channels * p.channels + j], 2);
      }
      const double e = (double)x[i] / pow(1.5 + (double)p.alpha / p.size * sum, (double)p.beta);
      EXPECT(near((double)y[i], e, 1e-6, 1e-7), "%g, not %g", (double)y[i], e);
    }
    end(&c);
  }
}

void wh_sha256_blocks(uint32_t state[8], const uint8_t *bytes, size_t count);
#if defined(__x86_64__)
int wh_sha256_has_x86(void);
void wh_sha256_blocks_x86(uint32_t state[8], const uint8_t *bytes, size_t count);
#endif

static void digestsOfTheStandard(void) {
  static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
  uint8_t digest[32], again[32], bytes[1000];
  wh_sha256 hash;
  wh_sha256_begin(&hash);
  wh_sha256_add(&hash, "abc", 3);
  wh_sha256_end(&hash, digest);
  EXPECT(!memcmp(digest, abc, 32), "abc");
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)random_bits();
  for (size_t size = 0; size < sizeof bytes; size += (size_t)random_in(1, 20)) {
    wh_sha256_begin(&hash);
    wh_sha256_add(&hash, bytes, size);
    wh_sha256_end(&hash, digest);
    wh_sha256_begin(&hash);
    for (size_t i = 0, part; i < size; i += part) {
      part = (size_t)random_in(0, 90);
      if (part > size - i) part = size - i;
      wh_sha256_add(&hash, bytes + i, part);
    }
    wh_sha256_end(&hash, again);
    EXPECT(!memcmp(digest, again, 32), "split of %zu", size);
  }
#if defined(__x86_64__)
  uint32_t plain[8] = {1, 2, 3, 4, 5, 6, 7, 8}, fast[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  wh_sha256_blocks(plain, bytes, 15);
  if (!wh_sha256_has_x86()) return;
  wh_sha256_blocks_x86(fast, bytes, 15);
  EXPECT(!memcmp(plain, fast, sizeof plain), "variants differ");
#endif
}

const test other_tests[] = {{"fillsAndSelections", fillsAndSelections},
                            {"quantizationRoundsHalfToEven", quantizationRoundsHalfToEven},
                            {"interpolationsWeighTaps", interpolationsWeighTaps},
                            {"rowsAreNormalized", rowsAreNormalized},
                            {"localResponseWindows", localResponseWindows},
                            {"digestsOfTheStandard", digestsOfTheStandard},
                            {NULL, NULL}};
