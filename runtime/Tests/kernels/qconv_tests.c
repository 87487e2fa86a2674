#include "int8_cases.h"

enum { HEAD = WH_QCONV_HEAD };

typedef struct conv_case {
  wh_qconv p;
  bool residual, in_place, bias;
  int64_t in_pixels, out_pixels, x_width, y_width, taps, run, runs, depth, panels;
  int8_t *x, *r, *w; /* values; w [groups][taps * C][M] */
  int32_t *b;        /* [groups * M] */
  float *factors;    /* [groups * M] */
  float x_scale, *float_bias;
  double *expected;
} conv_case;

static void *numbers(int64_t count, size_t size) { return calloc((size_t)count + 1, size); }

static int8_t random_byte(void) {
  return random_below(8) ? (int8_t)random_in(-128, 127) : random_below(2) ? -128 : 127;
}

static void measure_case(conv_case *c) {
  const wh_qconv *p = &c->p;
  const bool by_rows = p->groups == 1 && p->dilation[2] == 1;
  c->in_pixels = (int64_t)p->batch * p->in[0] * p->in[1] * p->in[2];
  c->out_pixels = (int64_t)p->batch * p->out[0] * p->out[1] * p->out[2];
  c->x_width = (int64_t)p->groups * p->channels;
  c->y_width = (int64_t)p->groups * p->filters;
  c->taps = (int64_t)p->kernel[0] * p->kernel[1] * p->kernel[2];
  c->run = by_rows ? (int64_t)p->kernel[2] * p->channels : p->channels;
  c->runs = by_rows ? c->taps / p->kernel[2] : c->taps;
  c->depth = c->runs * ((c->run + 3) / 4 * 4);
  c->panels = (p->filters + 15) / 16;
}

static void fill_case(conv_case *c) {
  const int64_t k = c->taps * c->p.channels;
  c->x = numbers(c->in_pixels * c->x_width, 1);
  c->r = numbers(c->out_pixels * c->y_width, 1);
  c->w = numbers(c->y_width * k, 1);
  c->b = numbers(c->y_width, sizeof *c->b);
  c->factors = numbers(c->y_width, sizeof *c->factors);
  c->float_bias = numbers(c->y_width, sizeof *c->float_bias);
  c->expected = numbers(c->out_pixels * c->y_width, sizeof *c->expected);
  for (int64_t i = 0; i < c->in_pixels * c->x_width; i++) c->x[i] = random_byte();
  for (int64_t i = 0; i < c->out_pixels * c->y_width; i++) c->r[i] = random_byte();
  for (int64_t i = 0; i < c->y_width * k; i++) c->w[i] = random_byte();
  for (int64_t i = 0; i < c->y_width; i++) {
    c->b[i] = random_in(-20000, 20000);
    c->factors[i] = random_factor(sqrt((double)k) * 6000);
  }
  random_floats(c->float_bias, c->y_width, -2, 2);
  c->x_scale = random_real(0.001f, 0.1f);
}

static void free_case(conv_case *c) {
  free(c->x);
  free(c->r);
  free(c->w);
  free(c->b);
  free(c->factors);
  free(c->float_bias);
  free(c->expected);
}

static int value_at(const conv_case *c, int64_t n, const int64_t at[3], int64_t channel) {
  const wh_qconv *p = &c->p;
  for (int i = 0; i < 3; i++) {
    if (at[i] < 0 || at[i] >= p->in[i]) return p->x_zero;
  }
  return c
      ->x[(((n * p->in[0] + at[0]) * p->in[1] + at[1]) * p->in[2] + at[2]) * c->x_width + channel];
}

/* sum (x - zero) * w over the window of a pixel. */
static int64_t window_sum(const conv_case *c, int64_t pixel, int64_t group, int64_t filter) {
  const wh_qconv *p = &c->p;
  const int64_t o[3] = {pixel / p->out[2] / p->out[1] % p->out[0], pixel / p->out[2] % p->out[1],
                        pixel % p->out[2]};
  const int64_t n = pixel / p->out[2] / p->out[1] / p->out[0];
  const int8_t *w = c->w + group * c->taps * p->channels * p->filters + filter;
  int64_t sum = 0;
  for (int64_t t = 0; t < c->taps; t++) {
    const int64_t tap[3] = {t / p->kernel[2] / p->kernel[1], t / p->kernel[2] % p->kernel[1],
                            t % p->kernel[2]};
    int64_t at[3];
    for (int i = 0; i < 3; i++) at[i] = o[i] * p->stride[i] - p->pad[i] + tap[i] * p->dilation[i];
    for (int64_t channel = 0; channel < p->channels; channel++) {
      const int x = value_at(c, n, at, group * p->channels + channel);
      sum += (x - p->x_zero) * w[(t * p->channels + channel) * p->filters];
    }
  }
  return sum;
}

static double result_of(const conv_case *c, int64_t sum, int64_t i) {
  const wh_qconv *p = &c->p;
  const int64_t n = i % c->y_width;
  if (p->result == WH_RESULT_DYNAMIC) {
    const float factor = c->x_scale * c->factors[n];
    const float y = (float)(int32_t)sum * factor;
    return (double)(c->bias ? y + c->float_bias[n] : y);
  }
  const int32_t acc = (int32_t)(sum + c->b[n]);
  if (p->result == WH_RESULT_INT32) return acc;
  const float t = (float)acc * c->factors[n];
  if (!c->residual) return quantized(t, p->y_zero, p->low, p->high);
  const int value = quantized(t, p->c_zero, p->c_low, p->c_high);
  const float first = (float)(value - p->c_zero) * p->c_factor;
  const float second = (float)(c->r[i] - p->r_zero) * p->r_factor;
  return quantized(first + second, p->y_zero, p->low, p->high);
}

static void expect_case(conv_case *c) {
  for (int64_t i = 0; i < c->out_pixels * c->y_width; i++) {
    const int64_t n = i % c->y_width;
    c->expected[i] =
        result_of(c, window_sum(c, i / c->y_width, n / c->p.filters, n % c->p.filters), i);
  }
}

/* The stream as plan_int8.h describes it. */
static void write_stream(const conv_case *c, int8_t *stream) {
  const wh_qconv *p = &c->p;
  const int64_t panel = HEAD + c->depth * 16, padded = (c->run + 3) / 4 * 4;
  memset(stream, 0, (size_t)(p->groups * c->panels * panel));
  for (int64_t i = 0; i < c->y_width; i++) {
    const int64_t g = i / p->filters, m = i % p->filters;
    int8_t *head = stream + (g * c->panels + m / 16) * panel;
    int32_t sum = 0;
    for (int64_t k = 0; k < c->taps * p->channels; k++) {
      const int8_t w = c->w[(g * c->taps * p->channels + k) * p->filters + m];
      const int64_t at = k / c->run * padded + k % c->run;
      head[HEAD + at / 4 * 64 + m % 16 * 4 + at % 4] = w;
      sum += w;
    }
    const int32_t bias = p->result == WH_RESULT_DYNAMIC ? 0 : c->b[i] - p->x_zero * sum;
    const float factor = p->result == WH_RESULT_INT32 ? 0 : c->factors[i];
    memcpy(head + m % 16 * 4, &bias, 4);
    memcpy(head + 64 + m % 16 * 4, &sum, 4);
    memcpy(head + 128 + m % 16 * 4, &factor, 4);
  }
}

static double element_of(const uint8_t *y, int64_t i, int32_t result, uint32_t cpu) {
  int32_t whole;
  float real;
  memcpy(&whole, y + (result ? 4 * i : 0), 4);
  memcpy(&real, y + (result ? 4 * i : 0), 4);
  return result == WH_RESULT_Q8 ? value_of(y[i], cpu) : result == WH_RESULT_INT32 ? whole : real;
}

static void run_case(const conv_case *c, uint32_t cpu) {
  static const uint32_t elements[] = {WH_Q8, WH_INT32, WH_FLOAT32};
  const wh_qconv *p = &c->p;
  test_case t;
  begin(&t, p);
  uint8_t *x = input(&t, WH_Q8, c->in_pixels * c->x_width);
  for (int64_t i = 0; i < c->in_pixels * c->x_width; i++) x[i] = stored(c->x[i], cpu);
  write_stream(c, input(&t, WH_INT8, p->groups * c->panels * (HEAD + c->depth * 16)));
  const int64_t dense = c->out_pixels * c->y_width;
  if (c->residual) {
    uint8_t *r = input(&t, WH_Q8, dense);
    for (int64_t i = 0; i < dense; i++) r[i] = stored(c->r[i], cpu);
  } else {
    absent_input(&t);
  }
  if (p->result == WH_RESULT_DYNAMIC) {
    *(float *)input(&t, WH_FLOAT32, 1) = c->x_scale;
    *(uint8_t *)input(&t, WH_UINT8, 1) = (uint8_t)(p->x_zero + 128);
    if (c->bias)
      memcpy(input(&t, WH_FLOAT32, c->y_width), c->float_bias, (size_t)c->y_width * 4);
    else
      absent_input(&t);
  }
  const int64_t count = dense ? (c->out_pixels - 1) * p->y_row + c->y_width + p->y_offset : 0;
  const int bytes = p->result ? 4 : 1;
  uint8_t *y = c->in_place ? output_in_place(&t, 2) : output(&t, elements[p->result], count);
  if (!c->in_place) memset(y, 0xA5, (size_t)(count * bytes));
  EXPECT(run(&t, 29, cpu) == 0, "status");
  for (int64_t i = 0; i < dense; i++) {
    const int64_t at = p->y_offset + i / c->y_width * p->y_row + i % c->y_width;
    const double found = element_of(y, at, p->result, cpu);
    EXPECT(found == c->expected[i],
           "cpu %x kernel %dx%dx%d channels %d filters %d groups %d result %d residual %d: y[%lld] "
           "= %g, not %g",
           cpu, p->kernel[0], p->kernel[1], p->kernel[2], p->channels, p->filters, p->groups,
           p->result, c->residual, (long long)i, found, c->expected[i]);
  }
  /* Between rows of y nothing is written. */
  for (int64_t i = 0; i < count * bytes && !c->in_place; i++) {
    const int64_t at = i / bytes - p->y_offset;
    if (at >= 0 && at % p->y_row < c->y_width) continue;
    EXPECT(y[i] == 0xA5, "cpu %x: byte %lld beside a row is written", cpu, (long long)i);
  }
  end(&t);
}

static void on_every_cpu(conv_case *c) {
  uint32_t cpus[MAX_STORED_CPUS];
  const int count = stored_cpus(cpus);
  measure_case(c);
  fill_case(c);
  expect_case(c);
  for (int i = 0; i < count; i++) run_case(c, cpus[i]);
  free_case(c);
}

static void random_results(conv_case *c) {
  wh_qconv *p = &c->p;
  static const int32_t kinds[] = {0, 0, 0, 0, 0, 0, WH_RESULT_INT32, WH_RESULT_DYNAMIC};
  p->result = kinds[random_below(8)];
  p->x_zero = random_below(3) ? random_in(-128, 127) : random_below(2) ? -128 : 0;
  random_clamp(&p->y_zero, &p->low, &p->high);
  random_clamp(&p->c_zero, &p->c_low, &p->c_high);
  p->r_zero = random_in(-128, 127);
  p->c_factor = random_factor(255);
  p->r_factor = random_factor(255);
  c->residual = p->result == WH_RESULT_Q8 && random_below(3) == 0;
  c->bias = random_below(2);
  const int32_t width = p->groups * p->filters;
  p->y_row = width;
  if (random_below(4)) {
    c->in_place = c->residual && random_below(2);
  } else {
    p->y_row += random_below(20);
    p->y_offset = random_below(20);
  }
}

static void random_axis(wh_qconv *p, int i, int kernel, int most) {
  p->kernel[i] = kernel;
  p->stride[i] = random_below(2) ? 1 : random_in(1, 3);
  p->dilation[i] = random_below(4) ? 1 : random_in(1, 3);
  p->pad[i] = random_below(2) ? kernel / 2 : random_below(kernel + 2);
  p->in[i] = random_in(1, most);
  const int32_t end = random_below(kernel + 2), reach = (kernel - 1) * p->dilation[i] + 1;
  const int32_t space = p->in[i] + p->pad[i] + end - reach;
  p->out[i] = space < 0 ? 0 : space / p->stride[i] + 1;
  if (p->out[i] && !random_below(6)) p->out[i] = random_in(1, p->out[i]); /* not all of x */
}

static void random_case(int largest_kernel, int most_in, int most_channels, int most_filters) {
  conv_case c = {.p = {.batch = random_below(4) ? 1 : random_in(0, 2), .groups = 1}};
  wh_qconv *p = &c.p;
  if (!random_below(5)) p->groups = random_in(1, 3);
  p->channels = random_in(1, most_channels);
  p->filters = random_in(1, most_filters);
  const bool pointwise = random_below(4) == 0;
  for (int i = 0; i < 3; i++) {
    const bool flat = i == 0 && random_below(8);
    random_axis(p, i, flat || pointwise ? 1 : random_in(1, largest_kernel), flat ? 1 : most_in);
  }
  random_results(&c);
  on_every_cpu(&c);
}

static void quantizedConvolutionsOfEveryShape(void) {
  for (int64_t i = rounds(6000); i > 0; i--) random_case(3, 6, 9, 20);
  for (int64_t i = rounds(600); i > 0; i--) random_case(3, 9, 40, 70);
  for (int64_t i = rounds(600); i > 0; i--) random_case(5, 24, 12, 40);
}

static void quantizedConvolutionsOfLargeWindows(void) {
  for (int64_t i = rounds(60); i > 0; i--) random_case(7, 12, 20, 34);
  for (int64_t i = rounds(30); i > 0; i--) random_case(3, 5, 600, 34);
}

/* A dense layer: rows x depth by columns. */
static void dense(int rows, int depth, int columns) {
  conv_case c = {.p = {.batch = 1,
                       .groups = 1,
                       .channels = depth,
                       .filters = columns,
                       .in = {1, 1, rows},
                       .out = {1, 1, rows},
                       .kernel = {1, 1, 1},
                       .stride = {1, 1, 1},
                       .dilation = {1, 1, 1}}};
  random_results(&c);
  on_every_cpu(&c);
}

static void quantizedDenseLayersOfEveryTileRemainder(void) {
  for (int rows = 1; rows <= 30; rows++) {
    for (int columns = 1; columns <= 70; columns += columns < 20 ? 1 : 5)
      dense(rows, random_in(1, 40), columns);
  }
  for (int columns = 1; columns <= 200; columns += columns < 140 ? 1 : 7)
    dense(1, random_in(1, 40), columns);
  for (int depth = 1; depth <= 130; depth++) dense(random_in(1, 14), depth, random_in(1, 50));
  for (int64_t i = rounds(20); i > 0; i--)
    dense(random_in(1, 14), random_in(500, 3000), random_in(1, 70));
}

/* Whatever a stream holds, processors of one storage make the same accumulators of it. */
static void quantizedConvolutionsOfAnyStream(void) {
  uint32_t cpus[MAX_STORED_CPUS];
  const int count = stored_cpus(cpus);
  for (int round = 0; round < 50; round++) {
    const wh_qconv p = {.batch = 1,
                        .groups = 1,
                        .channels = 7,
                        .filters = 40,
                        .in = {1, 5, 5},
                        .out = {1, 5, 5},
                        .kernel = {1, 3, 3},
                        .stride = {1, 1, 1},
                        .dilation = {1, 1, 1},
                        .pad = {0, 1, 1},
                        .result = round % 2 ? WH_RESULT_INT32 : WH_RESULT_Q8,
                        .low = -128,
                        .high = 127,
                        .y_row = 40};
    int32_t first[2][1000];
    bool known[2] = {false, false};
    const uint64_t again = random_bits();
    for (int i = 0; i < count; i++) {
      test_case t;
      uint64_t bits = again;
      begin(&t, &p);
      uint8_t *x = input(&t, WH_Q8, 175), *w = input(&t, WH_INT8, 3 * (HEAD + 72 * 16));
      for (int j = 0; j < 175; j++) x[j] = stored((int8_t)(j * 37), cpus[i]);
      for (int j = 0; j < 3 * (HEAD + 72 * 16); j++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        w[j] = (uint8_t)(bits >> 56);
      }
      absent_input(&t);
      uint8_t *y = output(&t, p.result ? WH_INT32 : WH_Q8, 1000);
      EXPECT(run(&t, 29, cpus[i]) == 0, "status");
      const int storage = cpus[i] & WH_CPU_UNSIGNED ? 1 : 0;
      if (p.result && !known[storage]) memcpy(first[storage], y, sizeof *first);
      known[storage] = true;
      if (p.result) EXPECT(!memcmp(first[storage], y, sizeof *first), "cpu %x differs", cpus[i]);
      end(&t);
    }
  }
}

const test qconv_tests[] = {
    {"quantizedConvolutionsOfEveryShape", quantizedConvolutionsOfEveryShape},
    {"quantizedConvolutionsOfLargeWindows", quantizedConvolutionsOfLargeWindows},
    {"quantizedDenseLayersOfEveryTileRemainder", quantizedDenseLayersOfEveryTileRemainder},
    {"quantizedConvolutionsOfAnyStream", quantizedConvolutionsOfAnyStream},
    {NULL, NULL}};
