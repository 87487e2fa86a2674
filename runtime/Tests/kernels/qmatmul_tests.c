#include "int8_cases.h"

typedef struct product_case {
  wh_qmatmul p;
  int64_t a_count, b_count, count;
  int8_t *a, *b;
  int *expected;
} product_case;

/* Strides of batch axes: dense, or 0 now and then. Returns the elements they span. */
static int64_t batch_strides(const wh_qmatmul *p, int64_t size, int64_t strides[3]) {
  int64_t step = size;
  for (int i = 2; i >= 0; i--) {
    strides[i] = random_below(4) ? step : 0;
    if (strides[i]) step *= p->batch[i];
  }
  return step;
}

static void random_product(product_case *c, int m, int k, int n) {
  wh_qmatmul *p = &c->p;
  *p = (wh_qmatmul){.m = m, .k = k, .n = n};
  for (int i = 0; i < 3; i++) p->batch[i] = random_below(3) ? 1 : random_in(1, 3);
  random_clamp(&p->y_zero, &p->low, &p->high);
  p->a_zero = random_in(-128, 127);
  p->b_zero = random_below(3) ? random_in(-128, 127) : 0;
  p->factor = random_factor(sqrt((double)k) * 12000);
  p->a_row = k + random_below(4);
  const bool transposed = random_below(2);
  p->b_row = transposed ? 1 : n + random_below(4);
  p->b_column = transposed ? k + random_below(4) : 1;
  c->a_count = batch_strides(p, m * p->a_row, p->a_batch);
  c->b_count = batch_strides(p, transposed ? n * p->b_column : k * p->b_row, p->b_batch);
  c->count = (int64_t)p->batch[0] * p->batch[1] * p->batch[2] * m * n;
  c->a = malloc((size_t)c->a_count + 1);
  c->b = malloc((size_t)c->b_count + 1);
  c->expected = malloc((size_t)(c->count + 1) * sizeof *c->expected);
  for (int64_t i = 0; i < c->a_count; i++) c->a[i] = (int8_t)random_bits();
  for (int64_t i = 0; i < c->b_count; i++) c->b[i] = (int8_t)random_bits();
}

static void expect_product(product_case *c) {
  const wh_qmatmul *p = &c->p;
  int *y = c->expected;
  for (int64_t i = 0; i < c->count; i++) {
    const int64_t n = i % p->n, m = i / p->n % p->m, batch = i / p->n / p->m;
    const int64_t at[3] = {batch / p->batch[2] / p->batch[1], batch / p->batch[2] % p->batch[1],
                           batch % p->batch[2]};
    const int8_t *a = c->a + m * p->a_row, *b = c->b + n * p->b_column;
    for (int j = 0; j < 3; j++) {
      a += at[j] * p->a_batch[j];
      b += at[j] * p->b_batch[j];
    }
    int64_t sum = 0;
    for (int k = 0; k < p->k; k++) sum += (a[k] - p->a_zero) * (b[k * p->b_row] - p->b_zero);
    *y++ = quantized((float)(int32_t)sum * p->factor, p->y_zero, p->low, p->high);
  }
}

static void multiply(int m, int k, int n) {
  uint32_t cpus[MAX_STORED_CPUS];
  const int count = stored_cpus(cpus);
  product_case c;
  random_product(&c, m, k, n);
  expect_product(&c);
  for (int i = 0; i < count; i++) {
    test_case t;
    begin(&t, &c.p);
    uint8_t *a = input(&t, WH_Q8, c.a_count), *b = input(&t, WH_Q8, c.b_count);
    for (int64_t j = 0; j < c.a_count; j++) a[j] = stored(c.a[j], cpus[i]);
    for (int64_t j = 0; j < c.b_count; j++) b[j] = stored(c.b[j], cpus[i]);
    uint8_t *y = output(&t, WH_Q8, c.count);
    scratch(&t, (n + 15) / 16 * (64 * ((k + 3) / 4) + 192) + 64);
    EXPECT(run(&t, 35, cpus[i]) == 0, "status");
    for (int64_t j = 0; j < c.count; j++)
      EXPECT(value_of(y[j], cpus[i]) == c.expected[j],
             "cpu %x m %d k %d n %d: y[%lld] = %d, not %d", cpus[i], m, k, n, (long long)j,
             value_of(y[j], cpus[i]), c.expected[j]);
    end(&t);
  }
  free(c.a);
  free(c.b);
  free(c.expected);
}

static void quantizedProductsOfEveryTileRemainder(void) {
  for (int m = 0; m <= 26; m++) {
    for (int n = 0; n <= 70; n += n < 18 ? 1 : 7) multiply(m, random_in(0, 40), n);
  }
  for (int k = 0; k <= 140; k++) multiply(random_in(1, 14), k, random_in(1, 40));
}

static void quantizedProductsOfEveryShape(void) {
  for (int64_t i = rounds(1500); i > 0; i--)
    multiply(random_in(1, 20), random_in(1, 60), random_in(1, 50));
  for (int64_t i = rounds(2); i > 0; i--) multiply(3, WH_QMATMUL_DEPTH, 17);
}

const test qmatmul_tests[] = {
    {"quantizedProductsOfEveryTileRemainder", quantizedProductsOfEveryTileRemainder},
    {"quantizedProductsOfEveryShape", quantizedProductsOfEveryShape},
    {NULL, NULL}};
