#include "harness.h"

static void movesOfEveryView(void) {
  static const uint32_t types[] = {WH_UINT8, WH_INT16, WH_FLOAT32, WH_INT64};
  for (int round = 0; round < 400; round++) {
    const int kind = random_below(4), bytes = 1 << kind;
    wh_move p = {.element_size = bytes, .rank = random_below(6)};
    int64_t total = 1, low = 0, high = 0;
    int order[6];
    for (int i = 0; i < p.rank; i++) order[i] = i;
    for (int i = p.rank - 1; i > 0; i--) { /* a random permutation of target axes */
      const int j = random_below(i + 1), held = order[i];
      order[i] = order[j];
      order[j] = held;
    }
    for (int i = 0; i < p.rank; i++) p.shape[i] = random_in(1, p.rank < 3 ? 40 : 5);
    const int gap = random_in(1, 2);
    for (int i = 0; i < p.rank; i++) {
      p.target_strides[order[i]] = total * gap;
      total *= p.shape[order[i]];
    }
    int64_t step = 1;
    for (int i = p.rank - 1; i >= 0; i--) {
      p.source_strides[i] = random_below(4) ? step : 0;
      if (p.source_strides[i]) step *= p.shape[i];
      if (random_below(4) == 0) p.source_strides[i] = -p.source_strides[i];
      const int64_t reach = p.source_strides[i] * (p.shape[i] - 1);
      low += reach < 0 ? reach : 0;
      high += reach > 0 ? reach : 0;
    }
    p.source_offset = 1 - low;
    p.target_offset = 2;
    test_case c;
    begin(&c, &p);
    uint8_t *x = input(&c, types[kind], p.source_offset + high + 1);
    uint8_t *y = output(&c, types[kind], 2 + (total - 1) * gap + 1);
    for (size_t i = 0; i < c.records[0].bytes; i++) x[i] = (uint8_t)random_bits();
    EXPECT(run(&c, 1, 0) == 0, "status");
    for (int64_t i = 0; i < total; i++) {
      int64_t from = p.source_offset, to = p.target_offset, rest = i;
      for (int d = p.rank - 1; d >= 0; rest /= p.shape[d--]) {
        from += rest % p.shape[d] * p.source_strides[d];
        to += rest % p.shape[d] * p.target_strides[d];
      }
      EXPECT(!memcmp(y + to * bytes, x + from * bytes, (size_t)bytes), "element %lld",
             (long long)i);
    }
    EXPECT(y[0] == 0xA5 && y[bytes] == 0xA5, "touched what lies before");
    end(&c);
  }
}

static void picturesOfThreePlanesBecomePixels(void) {
  uint32_t cpus[MAX_CPUS];
  for (int i = cpu_masks(cpus); i-- > 0;) {
    for (int pixels = 1; pixels < 70; pixels++) {
      const wh_move p = {.element_size = 1,
                         .rank = 2,
                         .shape = {3, pixels},
                         .source_strides = {pixels + 1, 1},
                         .target_strides = {1, 3}};
      test_case c;
      begin(&c, &p);
      uint8_t *x = input(&c, WH_UINT8, 3 * (pixels + 1)), *y = output(&c, WH_UINT8, 3 * pixels);
      for (int j = 0; j < 3 * (pixels + 1); j++) x[j] = (uint8_t)random_bits();
      EXPECT(run(&c, 1, cpus[i]) == 0, "status");
      for (int j = 0; j < 3 * pixels; j++)
        EXPECT(y[j] == x[j % 3 * (pixels + 1) + j / 3], "cpu %x: %d of %d", cpus[i], j, pixels);
      end(&c);
    }
  }
}

static void gathersAlongAnAxis(void) {
  for (int round = 0; round < 100; round++) {
    wh_gather p = {.element_size = 4,
                   .outer = random_in(1, 3),
                   .count = random_in(1, 9),
                   .inner = random_in(1, 5),
                   .indices = random_in(0, 7)};
    const bool bad = p.indices && random_below(4) == 0, narrow = random_below(2);
    test_case c;
    begin(&c, &p);
    int32_t *x = input(&c, WH_INT32, p.outer * p.count * p.inner);
    void *indices = input(&c, narrow ? WH_INT32 : WH_INT64, p.indices);
    int32_t *y = output(&c, WH_INT32, p.outer * p.indices * p.inner);
    int64_t at[7];
    for (int i = 0; i < p.outer * p.count * p.inner; i++) x[i] = i;
    for (int i = 0; i < p.indices; i++) {
      at[i] = random_in(-p.count, p.count - 1);
      if (bad && i == p.indices - 1) at[i] = random_below(2) ? p.count : -p.count - 1;
      if (narrow)
        ((int32_t *)indices)[i] = (int32_t)at[i];
      else
        ((int64_t *)indices)[i] = at[i];
    }
    EXPECT(run(&c, 19, 0) == (bad ? WHERRY_BAD_VALUE : 0), "status");
    for (int i = 0; i < p.outer * p.indices * p.inner && !bad; i++) {
      const int64_t j = at[i / p.inner % p.indices], o = i / p.inner / p.indices;
      const int64_t e = (o * p.count + (j < 0 ? j + p.count : j)) * p.inner + i % p.inner;
      EXPECT(y[i] == e, "%d, not %lld", y[i], (long long)e);
    }
    end(&c);
  }
}

static void elementsGatherAndScatterBack(void) {
  for (int round = 0; round < 100; round++) {
    wh_elements p = {.element = WH_FLOAT32, .rank = random_in(1, 4), .reduction = random_below(5)};
    p.axis = random_below(p.rank);
    int size = 1, count = 1;
    for (int i = 0; i < p.rank; i++) {
      p.x_shape[i] = random_in(1, 5);
      p.index_shape[i] = i == p.axis ? random_in(1, 6) : random_in(1, p.x_shape[i]);
      size *= p.x_shape[i];
      count *= p.index_shape[i];
    }
    test_case g, s;
    begin(&g, &p);
    begin(&s, &p);
    float *x = input(&g, WH_FLOAT32, size), *x2 = input(&s, WH_FLOAT32, size);
    int64_t *indices = input(&g, WH_INT64, count), *indices2 = input(&s, WH_INT64, count);
    float *gathered = output(&g, WH_FLOAT32, count), *updates = input(&s, WH_FLOAT32, count);
    float *y = random_below(2) ? output(&s, WH_FLOAT32, size) : output_in_place(&s, 0);
    float *expected = malloc((size_t)size * sizeof *expected);
    random_floats(x, size, -1, 1);
    random_floats(updates, count, -1, 1);
    memcpy(x2, x, (size_t)size * sizeof *x);
    memcpy(expected, x, (size_t)size * sizeof *x);
    for (int i = 0; i < count; i++) {
      indices[i] = indices2[i] = random_in(-p.x_shape[p.axis], p.x_shape[p.axis] - 1);
    }
    EXPECT(run(&g, 20, 0) == 0, "status");
    EXPECT(run(&s, 21, 0) == 0, "status");
    for (int i = 0; i < count; i++) {
      int at = 0, stride = 1, rest = i;
      for (int d = p.rank - 1; d >= 0; rest /= p.index_shape[d--]) {
        int64_t k = rest % p.index_shape[d];
        if (d == p.axis) k = indices[i] + (indices[i] < 0 ? p.x_shape[d] : 0);
        at += (int)k * stride;
        stride *= p.x_shape[d];
      }
      EXPECT(gathered[i] == x[at], "gathered");
      const float u = updates[i], e = expected[at];
      expected[at] = p.reduction == 0   ? u
                     : p.reduction == 1 ? e + u
                     : p.reduction == 2 ? e * u
                     : p.reduction == 3 ? fmaxf(e, u)
                                        : fminf(e, u);
    }
    for (int i = 0; i < size; i++) EXPECT(y[i] == expected[i], "%d: %g", p.reduction, (double)y[i]);
    free(expected);
    end(&g);
    end(&s);
  }
}

static void tuplesGatherAndScatter(void) {
  for (int round = 0; round < 100; round++) {
    wh_nd p = {.element = WH_INT32,
               .batch = random_in(1, 2),
               .tuples = random_in(1, 5),
               .depth = random_in(0, 3),
               .inner = random_in(1, 4),
               .reduction = random_below(2)};
    int runs = p.batch;
    for (int i = 0; i < p.depth; i++) runs *= p.extents[i] = random_in(1, 4);
    test_case g, s;
    begin(&g, &p);
    begin(&s, &p);
    const int size = runs * p.inner, tuples = p.batch * p.tuples;
    int32_t *x = input(&g, WH_INT32, size), *x2 = input(&s, WH_INT32, size);
    int64_t *indices = input(&g, WH_INT64, tuples * p.depth);
    int64_t *indices2 = input(&s, WH_INT64, tuples * p.depth);
    int32_t *gathered = output(&g, WH_INT32, tuples * p.inner);
    int32_t *updates = input(&s, WH_INT32, tuples * p.inner), *y = output(&s, WH_INT32, size);
    int32_t *expected = malloc((size_t)size * sizeof *expected);
    for (int i = 0; i < size; i++) expected[i] = x[i] = x2[i] = random_in(-99, 99);
    for (int i = 0; i < tuples * p.inner; i++) updates[i] = random_in(-99, 99);
    for (int i = 0; i < tuples * p.depth; i++)
      indices[i] = indices2[i] = random_in(-p.extents[i % p.depth], p.extents[i % p.depth] - 1);
    EXPECT(run(&g, 22, 0) == 0, "status");
    EXPECT(run(&s, 23, 0) == 0, "status");
    for (int i = 0; i < tuples * p.inner; i++) {
      int64_t at = i / p.inner / p.tuples;
      for (int d = 0; d < p.depth; d++) {
        const int64_t k = indices[i / p.inner * p.depth + d];
        at = at * p.extents[d] + (k < 0 ? k + p.extents[d] : k);
      }
      at = at * p.inner + i % p.inner;
      EXPECT(gathered[i] == x[at], "gathered");
      expected[at] = p.reduction ? expected[at] + updates[i] : updates[i];
    }
    for (int i = 0; i < size; i++) EXPECT(y[i] == expected[i], "scattered");
    free(expected);
    end(&g);
    end(&s);
  }
}

const test index_tests[] = {
    {"movesOfEveryView", movesOfEveryView},
    {"picturesOfThreePlanesBecomePixels", picturesOfThreePlanesBecomePixels},
    {"gathersAlongAnAxis", gathersAlongAnAxis},
    {"elementsGatherAndScatterBack", elementsGatherAndScatterBack},
    {"tuplesGatherAndScatter", tuplesGatherAndScatter},
    {NULL, NULL}};
