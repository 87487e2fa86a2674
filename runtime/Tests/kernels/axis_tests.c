#include "harness.h"

static double reduced(int kind, const double *v, int count) {
  double sum = 0, most = -INFINITY, least = INFINITY, product = 1, l1 = 0, squares = 0, exps = 0;
  for (int i = 0; i < count; i++) {
    sum += v[i];
    most = fmax(most, v[i]);
    least = fmin(least, v[i]);
    product *= v[i];
    l1 += fabs(v[i]);
    squares += v[i] * v[i];
    exps += exp(v[i]);
  }
  const double results[] = {0,  sum,           sum / count, most,      least,  product,
                            l1, sqrt(squares), log(sum),    log(exps), squares};
  return results[kind];
}

static void reductionsOfReals(void) {
  for (int round = 0; round < 300; round++) {
    const bool wide = random_below(2);
    wh_reduce p = {.kind = random_in(WH_REDUCE_SUM, WH_REDUCE_SUM_SQUARE),
                   .element = wide ? WH_FLOAT64 : WH_FLOAT32,
                   .outer = random_in(1, 3),
                   .count = random_in(1, 300),
                   .inner = random_below(2) ? 1 : random_in(1, 70)};
    const int size = p.outer * p.count * p.inner;
    const uint32_t type = wide ? WH_FLOAT64 : WH_FLOAT32;
    test_case c;
    begin(&c, &p);
    void *x = input(&c, type, size), *y = output(&c, type, p.outer * p.inner);
    for (int i = 0; i < size; i++) {
      const float v = random_real(p.kind == WH_REDUCE_LOG_SUM ? 0.1f : -1, 1.2f);
      if (wide)
        ((double *)x)[i] = (double)v;
      else
        ((float *)x)[i] = v;
    }
    EXPECT(run(&c, 10, 0) == 0, "status");
    for (int i = 0; i < p.outer * p.inner; i++) {
      double column[300];
      for (int j = 0; j < p.count; j++) {
        const int at = (i / p.inner * p.count + j) * p.inner + i % p.inner;
        column[j] = wide ? ((double *)x)[at] : (double)((float *)x)[at];
      }
      const double e = reduced(p.kind, column, p.count);
      const double v = wide ? ((double *)y)[i] : (double)((float *)y)[i];
      EXPECT(near(v, e, wide ? 1e-12 : 1e-6, wide ? 1e-12 : 2e-5), "kind %d count %d: %g, not %g",
             p.kind, p.count, v, e);
    }
    end(&c);
  }
}

static void reductionsOfIntegers(void) {
  for (int round = 0; round < 100; round++) {
    static const int kinds[] = {WH_REDUCE_SUM, WH_REDUCE_MAX,        WH_REDUCE_MIN,
                                WH_REDUCE_L1,  WH_REDUCE_SUM_SQUARE, WH_REDUCE_PROD};
    wh_reduce p = {.kind = kinds[round % 6],
                   .element = WH_INT32,
                   .outer = 2,
                   .count = random_in(1, 9),
                   .inner = random_in(1, 3)};
    test_case c;
    begin(&c, &p);
    int32_t *x = input(&c, WH_INT32, 2 * p.count * p.inner), *y = output(&c, WH_INT32, 2 * p.inner);
    for (int i = 0; i < 2 * p.count * p.inner; i++) x[i] = random_in(-9, 9);
    EXPECT(run(&c, 10, 0) == 0, "status");
    for (int i = 0; i < 2 * p.inner; i++) {
      double column[9];
      for (int j = 0; j < p.count; j++)
        column[j] = x[(i / p.inner * p.count + j) * p.inner + i % p.inner];
      EXPECT(y[i] == (int64_t)reduced(p.kind, column, p.count), "kind %d: %d", p.kind, y[i]);
    }
    end(&c);
  }
}

static void argumentsOfExtremes(void) {
  for (int round = 0; round < 100; round++) {
    wh_arg_reduce p = {.minimum = random_below(2),
                       .element = WH_FLOAT32,
                       .outer = random_in(1, 3),
                       .count = random_in(1, 20),
                       .inner = random_in(1, 4),
                       .last = random_below(2)};
    const int size = p.outer * p.count * p.inner;
    test_case c;
    begin(&c, &p);
    float *x = input(&c, WH_FLOAT32, size);
    int64_t *y = output(&c, WH_INT64, p.outer * p.inner);
    for (int i = 0; i < size; i++) x[i] = (float)random_in(-2, 2);
    EXPECT(run(&c, 11, 0) == 0, "status");
    for (int i = 0; i < p.outer * p.inner; i++) {
      const float *column = x + i / p.inner * p.count * p.inner + i % p.inner;
      int best = 0;
      for (int j = 1; j < p.count; j++) {
        const float v = column[j * p.inner], b = column[best * p.inner];
        if ((p.minimum ? v < b : v > b) || (p.last && v == b)) best = j;
      }
      EXPECT(y[i] == best, "%lld, not %d", (long long)y[i], best);
    }
    end(&c);
  }
}

static void softmaxesSumToOne(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int round = 0; round < 200; round++) {
    wh_softmax p = {.kind = random_below(3),
                    .outer = random_in(1, 3),
                    .count = random_in(1, 90),
                    .inner = random_below(2) ? 1 : random_in(1, 40)};
    const int size = p.outer * p.count * p.inner;
    test_case c;
    begin(&c, &p);
    float *x = input(&c, WH_FLOAT32, size);
    float *y = random_below(2) ? output(&c, WH_FLOAT32, size) : output_in_place(&c, 0);
    double *held = malloc((size_t)size * sizeof *held);
    random_floats(x, size, -20, 20);
    for (int i = 0; i < size; i++) held[i] = (double)x[i];
    EXPECT(run(&c, 12, masks[round % cpus]) == 0, "status");
    for (int i = 0; i < p.outer * p.inner; i++) {
      const int first = i / p.inner * p.count * p.inner + i % p.inner;
      double most = -INFINITY, sum = 0;
      int best = 0;
      for (int j = 0; j < p.count; j++) {
        const double v = held[first + j * p.inner];
        if (v > most) best = j;
        most = fmax(most, v);
      }
      for (int j = 0; j < p.count; j++) sum += exp(held[first + j * p.inner] - most);
      for (int j = 0; j < p.count; j++) {
        const double v = held[first + j * p.inner] - most;
        const double e = p.kind == 0 ? exp(v) / sum : p.kind == 1 ? v - log(sum) : j == best;
        EXPECT(near((double)y[first + j * p.inner], e, 4e-6, 1e-12), "kind %d inner %d: %g, not %g",
               p.kind, p.inner, (double)y[first + j * p.inner], e);
      }
    }
    free(held);
    end(&c);
  }
}

static void largestAndSmallestInOrder(void) {
  for (int round = 0; round < 200; round++) {
    wh_top_k p = {.element = random_below(2) ? WH_FLOAT32 : WH_INT32,
                  .outer = random_in(1, 3),
                  .count = random_in(1, 40),
                  .inner = random_in(1, 3),
                  .largest = random_below(2)};
    p.k = random_in(0, p.count);
    const int size = p.outer * p.count * p.inner, out = p.outer * p.k * p.inner;
    const uint32_t type = (uint32_t)p.element;
    test_case c;
    begin(&c, &p);
    void *x = input(&c, type, size), *values = output(&c, type, out);
    int64_t *indices = output(&c, WH_INT64, out);
    scratch(&c, p.count * 4);
    for (int i = 0; i < size; i++) {
      const int v = random_in(-9, 9);
      if (type == WH_INT32)
        ((int32_t *)x)[i] = v;
      else
        ((float *)x)[i] = v == 0 && random_below(2) ? -0.0f : (float)v;
    }
    EXPECT(run(&c, 24, 0) == 0, "status");
    for (int i = 0; i < out; i++) {
      const int line = i / (p.k * p.inner), rank = i / p.inner % p.k, column = i % p.inner;
      const int first = line * p.count * p.inner + column;
#define VALUE(at) (type == WH_INT32 ? ((int32_t *)x)[at] : (int)((float *)x)[at])
      const int at = first + (int)indices[i] * p.inner, mine = VALUE(at);
      int ahead = 0;
      for (int j = 0; j < p.count; j++) {
        const int v = VALUE(first + j * p.inner);
        ahead += (p.largest ? v > mine : v < mine) || (v == mine && j < indices[i]);
      }
      EXPECT(ahead == rank, "rank %d holds what belongs at %d", rank, ahead);
      EXPECT(!memcmp((char *)values + 4 * i, (char *)x + 4 * at, 4), "value");
    }
    end(&c);
  }
}

static void scansInBothDirections(void) {
  for (int round = 0; round < 100; round++) {
    wh_scan p = {.kind = random_below(2),
                 .element = WH_INT64,
                 .outer = random_in(1, 2),
                 .count = random_in(0, 9),
                 .inner = random_in(1, 3),
                 .exclusive = random_below(2),
                 .reverse = random_below(2)};
    const int size = p.outer * p.count * p.inner;
    test_case c;
    begin(&c, &p);
    int64_t *x = input(&c, WH_INT64, size), *y = output(&c, WH_INT64, size);
    for (int i = 0; i < size; i++) x[i] = random_in(-9, 9);
    EXPECT(run(&c, 25, 0) == 0, "status");
    for (int i = 0; i < size; i++) {
      const int j = i / p.inner % p.count, first = i - j * p.inner;
      int64_t e = p.kind;
      for (int t = 0; t < p.count; t++) {
        const bool counts = p.reverse ? t > j : t < j;
        if (!counts && (t != j || p.exclusive)) continue;
        e = p.kind ? e * x[first + t * p.inner] : e + x[first + t * p.inner];
      }
      EXPECT(y[i] == e, "%lld, not %lld", (long long)y[i], (long long)e);
    }
    end(&c);
  }
}

const test axis_tests[] = {{"reductionsOfReals", reductionsOfReals},
                           {"reductionsOfIntegers", reductionsOfIntegers},
                           {"argumentsOfExtremes", argumentsOfExtremes},
                           {"softmaxesSumToOne", softmaxesSumToOne},
                           {"largestAndSmallestInOrder", largestAndSmallestInOrder},
                           {"scansInBothDirections", scansInBothDirections},
                           {NULL, NULL}};
