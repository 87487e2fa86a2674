#include "int8_cases.h"

/* A dense layer of weights that are zero returns its biases requantized: every accumulator can be
 * tried, with every variant. */
enum { HEAD = WH_QCONV_HEAD, PANEL = HEAD + 64, BLOCK = 1 << 14 };

typedef struct range {
  int32_t zero, low, high;
} range;

/* Results of accumulators for one row, and for as many as the highest tile has. */
static void requantize(const int32_t *acc, const int8_t *expected, int count, float factor,
                       range range, int rows, uint32_t cpu) {
  const wh_qconv p = {.batch = 1,
                      .groups = 1,
                      .channels = 4,
                      .filters = count,
                      .in = {1, 1, rows},
                      .out = {1, 1, rows},
                      .kernel = {1, 1, 1},
                      .stride = {1, 1, 1},
                      .dilation = {1, 1, 1},
                      .y_zero = range.zero,
                      .low = range.low,
                      .high = range.high,
                      .y_row = count};
  const int panels = (count + 15) / 16;
  test_case c;
  begin(&c, &p);
  memset(input(&c, WH_Q8, 4 * rows), 0x80, (size_t)(4 * rows));
  int8_t *stream = input(&c, WH_INT8, (int64_t)panels * PANEL);
  memset(stream, 0, (size_t)panels * PANEL);
  for (int i = 0; i < count; i++) {
    memcpy(stream + i / 16 * PANEL + i % 16 * 4, &acc[i], 4);
    memcpy(stream + i / 16 * PANEL + 128 + i % 16 * 4, &factor, 4);
  }
  absent_input(&c);
  const uint8_t *y = output(&c, WH_Q8, (int64_t)rows * count);
  EXPECT(run(&c, 29, cpu) == 0, "status");
  for (int i = 0; i < count; i++) {
    EXPECT(value_of(y[i], cpu) == expected[i], "cpu %x: %d * %.9g + %d is %d, not %d", cpu, acc[i],
           (double)factor, range.zero, value_of(y[i], cpu), expected[i]);
  }
  for (int r = 1; r < rows; r++)
    EXPECT(!memcmp(y, y + r * count, (size_t)count), "cpu %x: row %d, %.9g", cpu, r,
           (double)factor);
  end(&c);
}

static void on_every_cpu(const int32_t *acc, int count, float factor) {
  static int8_t expected[BLOCK];
  uint32_t cpus[MAX_STORED_CPUS];
  const int variants = stored_cpus(cpus);
  range r;
  random_clamp(&r.zero, &r.low, &r.high);
  for (int i = 0; i < count; i++)
    expected[i] = (int8_t)quantized((float)acc[i] * factor, r.zero, r.low, r.high);
  for (int i = 0; i < variants; i++) {
    requantize(acc, expected, count, factor, r, 1, cpus[i]);
    requantize(acc, expected, count, factor, r, 8, cpus[i]);
  }
}

/* Accumulators around every value that lies half way between two results. */
static void near_boundaries(float factor) {
  static int32_t acc[BLOCK];
  int count = 0;
  for (int q = -260; q <= 260; q++) {
    const double middle = (q + 0.5) / (double)factor;
    for (int d = -4; d <= 4; d++) {
      const double a = floor(middle) + d;
      acc[count++] = a < INT32_MIN ? INT32_MIN : a > INT32_MAX ? INT32_MAX : (int32_t)a;
    }
  }
  static const int32_t ends[] = {INT32_MIN,      INT32_MIN + 1, INT32_MAX - 64,
                                 INT32_MAX - 63, INT32_MAX,     0,
                                 1 << 24,        (1 << 24) + 1};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) acc[count++] = ends[i];
  on_every_cpu(acc, count, factor);
}

static void accumulatorsAroundEveryBoundary(void) {
  static const float factors[] = {1,    0.5f,       2,         0.25f,  0.99999994f,     1.0000001f,
                                  0.1f, 0.003f,     0.001953f, 1e-10f, 1.17549435e-38f, 16777216.0f,
                                  3e5f, 4.6566e-10f};
  for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) near_boundaries(factors[i]);
  for (int64_t i = rounds(30); i > 0; i--)
    near_boundaries((float)exp2((double)random_real(-31, 1)));
}

/* Factors are about 2^-SMALLEST; emulated and sanitized processors take their time. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SLOW
#endif
#endif
#if defined(IS_SLOW) || !defined(__x86_64__)
enum { SMALLEST = 8 };
#else
enum { SMALLEST = 13 };
#endif

/* Every accumulator that is not clamped, and every sixteen-thousandth of the rest. */
static void everyAccumulatorOfSomeFactors(void) {
  static const float mantissas[] = {1, 1.0f / 3 * 4, 1.9999999f};
  static int32_t acc[BLOCK];
  for (size_t m = 0; m < sizeof mantissas / sizeof *mantissas; m++) {
    const float factor = ldexpf(mantissas[m], -SMALLEST);
    const int64_t reach = (int64_t)(260 / (double)factor);
    for (int64_t first = -reach; first <= reach; first += BLOCK) {
      for (int i = 0; i < BLOCK; i++) acc[i] = (int32_t)(first + i);
      on_every_cpu(acc, BLOCK, factor);
    }
    for (int64_t first = INT32_MIN; first <= INT32_MAX; first += BLOCK * (1ll << 14)) {
      for (int i = 0; i < BLOCK; i++) acc[i] = (int32_t)(first + i * (1ll << 14));
      on_every_cpu(acc, BLOCK, factor);
    }
  }
}

const test requantize_tests[] = {
    {"accumulatorsAroundEveryBoundary", accumulatorsAroundEveryBoundary},
    {"everyAccumulatorOfSomeFactors", everyAccumulatorOfSomeFactors},
    {NULL, NULL}};
