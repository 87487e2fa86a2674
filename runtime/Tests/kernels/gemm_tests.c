#include "harness.h"

/* [k, n] row-major with rows b_row apart into panels of 16. */
static void pack(const float *b, int64_t b_row, int k, int n, float *to) {
  for (int i = 0; i < k; i++) {
    for (int j = 0; j < (n + 15) / 16 * 16; j++)
      to[((int64_t)(j / 16) * k + i) * 16 + j % 16] = j < n ? b[i * b_row + j] : 0;
  }
}

typedef struct shape {
  int m, k, n, batch[3];
  bool packed, bias, residual, in_place, clamp;
} shape;

static void multiply(shape s, uint32_t cpu) {
  const int batches = s.batch[0] * s.batch[1] * s.batch[2];
  const bool shared = s.packed || random_below(2);
  wh_matmul p = {.m = s.m,
                 .k = s.k,
                 .n = s.n,
                 .packed = s.packed,
                 .batch = {s.batch[0], s.batch[1], s.batch[2]}};
  p.a_row = s.k + random_below(3);
  p.b_row = s.packed ? 0 : s.n + random_below(3);
  const int64_t a_size = s.m * p.a_row, b_size = s.k * p.b_row;
  p.a_batch[2] = a_size;
  p.a_batch[1] = s.batch[2] * a_size;
  p.a_batch[0] = random_below(2) ? s.batch[1] * p.a_batch[1] : 0;
  for (int i = 2, step = 1; i >= 0 && !shared; step *= s.batch[i--]) p.b_batch[i] = step * b_size;
  p.low = s.clamp ? -0.5f : -INFINITY;
  p.high = s.clamp ? 0.75f : INFINITY;
  test_case c;
  begin(&c, &p);
  /* The last rows end where their last element does. */
  const int64_t a_count = s.m && s.k ? batches * a_size - (p.a_row - s.k) : 0;
  const int64_t b_plain = s.k && s.n ? (shared ? 1 : batches) * b_size - (p.b_row - s.n) : 0;
  const int64_t b_packed = (int64_t)((s.n + 15) / 16) * 16 * s.k;
  float *a = input(&c, WH_FLOAT32, a_count);
  float *b = input(&c, WH_FLOAT32, s.packed ? b_packed : b_plain), *bias = NULL, *residual = NULL;
  float *source = b;
  const int64_t source_row = s.packed ? s.n : p.b_row;
  random_floats(a, a_count, -1, 1);
  if (s.packed) {
    source = malloc((size_t)(s.k * s.n + 1) * sizeof *source);
    random_floats(source, s.k * s.n, -1, 1);
    pack(source, s.n, s.k, s.n, b);
  } else {
    random_floats(b, b_plain, -1, 1);
  }
  if (s.bias)
    random_floats(bias = input(&c, WH_FLOAT32, s.n), s.n, -1, 1);
  else
    absent_input(&c);
  const int64_t size = (int64_t)batches * s.m * s.n;
  double *expected = malloc((size_t)(size + 1) * sizeof *expected);
  if (s.residual)
    random_floats(residual = input(&c, WH_FLOAT32, size), size, -1, 1);
  else
    absent_input(&c);
  for (int64_t i = 0; i < size; i++) {
    const int64_t n = i % s.n, m = i / s.n % s.m, batch = i / s.n / s.m;
    const int64_t b2 = batch % s.batch[2], b1 = batch / s.batch[2] % s.batch[1];
    const int64_t b0 = batch / s.batch[2] / s.batch[1];
    const float *row = a + b0 * p.a_batch[0] + b1 * p.a_batch[1] + b2 * p.a_batch[2] + m * p.a_row;
    const float *column = source + (shared ? 0 : batch * b_size) + n;
    double sum = s.bias ? (double)bias[n] : 0;
    for (int k = 0; k < s.k; k++) sum += (double)row[k] * (double)column[k * source_row];
    if (s.residual) sum += (double)residual[i];
    expected[i] = fmin(fmax(sum, (double)p.low), (double)p.high);
  }
  float *y = s.residual && s.in_place ? output_in_place(&c, 3) : output(&c, WH_FLOAT32, size);
  EXPECT(run(&c, 5, cpu) == 0, "status");
  for (int64_t i = 0; i < size; i++)
    EXPECT(near((double)y[i], expected[i], 1e-5, 1e-6 * (s.k + 4)),
           "m %d k %d n %d packed %d cpu %x: y[%lld] = %g, not %g", s.m, s.k, s.n, s.packed, cpu,
           (long long)i, (double)y[i], expected[i]);
  free(expected);
  if (s.packed) free(source);
  end(&c);
}

static void everyTileRemainderOfMatMul(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int m = 0; m <= 17; m++) {
    for (int n = 0; n <= 50; n += n < 18 ? 1 : 7) {
      shape s = {m,
                 random_in(0, 70),
                 n,
                 {1, 1, 1},
                 random_below(2),
                 random_below(2),
                 random_below(2),
                 random_below(2),
                 random_below(2)};
      for (int i = 0; i < cpus; i++) multiply(s, masks[i]);
    }
  }
}

static void batchesAndLongSums(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int round = 0; round < 30; round++) {
    shape s = {random_in(1, 9),  random_in(1, 300),
               random_in(1, 70), {random_in(1, 2), random_in(1, 3), random_in(1, 3)},
               random_below(2),  random_below(2),
               random_below(2),  random_below(2),
               random_below(2)};
    for (int i = 0; i < cpus; i++) multiply(s, masks[i]);
  }
}

const test gemm_tests[] = {{"everyTileRemainderOfMatMul", everyTileRemainderOfMatMul},
                           {"batchesAndLongSums", batchesAndLongSums},
                           {NULL, NULL}};
