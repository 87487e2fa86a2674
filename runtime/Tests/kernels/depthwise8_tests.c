#include "../../Kernels/int8_depthwise/depthwise8.h"
#include "window8.h"

/* A depthwise call with its truth computed value by value from unpacked weights. */
typedef struct depthwise8 {
  wh_qconv p;
  test_case c;
  int64_t taps, pixels;
  uint8_t *x, *stream, *residual, *y;
} depthwise8;

static int32_t *bias_of(const depthwise8 *t, int64_t c) {
  return (int32_t *)(void *)(t->stream + c / 16 * (128 + 16 * t->taps)) + c % 16;
}

static float *scale_of(const depthwise8 *t, int64_t c) { return (float *)bias_of(t, c) + 16; }

static int8_t *weight_of(const depthwise8 *t, int64_t tap, int64_t c) {
  return (int8_t *)t->stream + c / 16 * (128 + 16 * t->taps) + 128 + tap * 16 + c % 16;
}

static int32_t sum_of(const depthwise8 *t, int64_t pixel, int64_t c) {
  const wh_qconv *p = &t->p;
  int64_t o[3], tap = 0, sum = *bias_of(t, c);
  split(o, &pixel, p->out);
  for (int64_t kd = 0; kd < p->kernel[0]; kd++) {
    for (int64_t kh = 0; kh < p->kernel[1]; kh++) {
      for (int64_t kw = 0; kw < p->kernel[2]; kw++, tap++) {
        const int64_t k[3] = {kd, kh, kw};
        const int64_t at = position(p->in, o, k, p->stride, p->dilation, p->pad, pixel);
        const int64_t x = at < 0 ? p->x_zero : (int8_t)t->x[at * p->groups + c];
        sum += x * *weight_of(t, tap, c);
      }
    }
  }
  return (int32_t)(uint32_t)sum;
}

static int8_t expected(const depthwise8 *t, int64_t pixel, int64_t c) {
  const wh_qconv *p = &t->p;
  const float sum = (float)sum_of(t, pixel, c) * *scale_of(t, c);
  if (!t->residual) return rounded(sum, p->y_zero, p->low, p->high);
  const int8_t own = rounded(sum, p->c_zero, p->c_low, p->c_high);
  const float a = (float)(own - p->c_zero) * p->c_factor;
  const float b = (float)((int8_t)t->residual[pixel * p->groups + c] - p->r_zero) * p->r_factor;
  return rounded(a + b, p->y_zero, p->low, p->high);
}

/* Fills the stream so that results spread over the 8-bit range; now and then with extremes. */
static void fill_stream(depthwise8 *t) {
  const int64_t blocks = (t->p.groups + 15) / 16;
  const bool extreme = random_below(8) == 0;
  memset(t->stream, 0, (size_t)(blocks * (128 + 16 * t->taps)));
  for (int64_t c = 0; c < t->p.groups; c++) {
    int32_t sum = 0;
    for (int64_t tap = 0; tap < t->taps; tap++) {
      const int w = extreme ? (random_below(2) ? 127 : -127) : random_in(-127, 127);
      *weight_of(t, tap, c) = (int8_t)w;
      sum += w;
    }
    *bias_of(t, c) = random_in(-20000, 20000) - t->p.x_zero * sum;
    *scale_of(t, c) = random_real(0.2f, 2) / (100 * sqrtf((float)t->taps));
    if (extreme && random_below(4) == 0) *scale_of(t, c) = random_below(2) ? 1e7f : 1e-30f;
  }
}

static void build(depthwise8 *t, int groups, int largest_kernel, int largest_extent) {
  wh_qconv *p = &t->p;
  memset(t, 0, sizeof *t);
  *p = (wh_qconv){.batch = random_below(4) ? 1 : 2, .groups = groups, .channels = 1, .filters = 1};
  int32_t pad_end[3];
  random_window8(p->in, p->out, p->kernel, p->stride, p->dilation, p->pad, pad_end, largest_kernel,
                 largest_extent);
  t->taps = (int64_t)p->kernel[0] * p->kernel[1] * p->kernel[2];
  t->pixels = (int64_t)p->batch * p->out[0] * p->out[1] * p->out[2];
  p->x_zero = random_in(-128, 127);
  random_bounds(&p->y_zero, &p->low, &p->high);
  random_bounds(&p->c_zero, &p->c_low, &p->c_high);
  p->r_zero = random_in(-128, 127);
  p->c_factor = random_real(0.1f, 2);
  p->r_factor = random_real(0.1f, 2);
  const bool dense = random_below(4) > 0;
  p->y_row = dense ? groups : groups + random_below(20);
  p->y_offset = dense ? 0 : random_below(40);
  begin(&t->c, p);
  const int64_t in = (int64_t)p->batch * p->in[0] * p->in[1] * p->in[2] * groups;
  t->x = input(&t->c, WH_Q8, in);
  random_bytes8(t->x, in);
  t->stream = input(&t->c, WH_INT8, (groups + 15) / 16 * (128 + 16 * t->taps));
  fill_stream(t);
  if (random_below(5) == 0)
    random_bytes8(t->residual = input(&t->c, WH_Q8, t->pixels * groups), t->pixels * groups);
  else
    absent_input(&t->c);
  t->y = output(&t->c, WH_Q8, p->y_offset + (t->pixels - 1) * p->y_row + groups);
}

static void flip_operands(depthwise8 *t) {
  flip_bytes(t->x, (int64_t)t->c.records[0].bytes);
  if (t->residual) flip_bytes(t->residual, (int64_t)t->c.records[2].bytes);
}

#if defined(__x86_64__)
extern const wh_strips8 test_strips8_evex;

static void run_evex(depthwise8 *t) {
  const wh_qconv *p = &t->p;
  const bool add = t->residual != NULL;
  wh_call *call = &t->c.call;
  call->cpu = WH_CPU_UNSIGNED;
  wh_depthwise8 d = {.p = p,
                     .x = t->x,
                     .stream = t->stream,
                     .residual = t->residual,
                     .y = t->y + p->y_offset,
                     .taps = (int32_t)t->taps,
                     .flip = 0x80,
                     .zero = add ? p->c_zero : p->y_zero,
                     .low = add ? p->c_low : p->low,
                     .high = add ? p->c_high : p->high};
  d.own = wh_q8_range_of(call, d.zero, d.low, d.high);
  d.sum = wh_q8_range_of(call, p->y_zero, p->low, p->high);
  wh_depthwise8_strips(&d, &test_strips8_evex);
}
#else
static void run_evex(depthwise8 *t) { (void)t; }
#endif

/* A processor that has AVX-VNNI in the encoding of AVX-512. */
enum { EVEX = WHERRY_CPU_AVX_VNNI | WHERRY_CPU_AVX512_VNNI };

/* Runs on one processor and compares every byte of y, those between pixels too. */
static void compare(depthwise8 *t, const int8_t *truth, uint32_t cpu) {
  const wh_qconv *p = &t->p;
  const bool flipped = (cpu & WH_CPU_UNSIGNED) != 0;
  const int64_t bytes = (int64_t)t->c.records[3].bytes;
  memset(t->y, 0x5A, (size_t)bytes);
  if (flipped) flip_operands(t);
  if (cpu == (EVEX | WH_CPU_UNSIGNED))
    run_evex(t);
  else
    EXPECT(run(&t->c, 30, cpu) == 0, "status");
  if (flipped) flip_operands(t);
  for (int64_t i = 0; i < bytes; i++) {
    const int64_t pixel = i < p->y_offset ? -1 : (i - p->y_offset) / p->y_row;
    const int64_t c = i < p->y_offset ? 0 : (i - p->y_offset) % p->y_row;
    const bool written = pixel >= 0 && c < p->groups;
    const int y = written ? (int8_t)(t->y[i] ^ (flipped ? 0x80 : 0)) : t->y[i];
    const int want = written ? truth[pixel * p->groups + c] : 0x5A;
    if (y == want) continue;
    EXPECT(false,
           "cpu %x channels %d in %d,%d,%d out %d,%d,%d kernel %d,%d,%d stride %d,%d,%d dilation "
           "%d,%d,%d pad %d,%d,%d residual %d row %d: pixel %lld channel %lld is %d, not %d",
           cpu, p->groups, p->in[0], p->in[1], p->in[2], p->out[0], p->out[1], p->out[2],
           p->kernel[0], p->kernel[1], p->kernel[2], p->stride[0], p->stride[1], p->stride[2],
           p->dilation[0], p->dilation[1], p->dilation[2], p->pad[0], p->pad[1], p->pad[2],
           t->residual != NULL, p->y_row, (long long)pixel, (long long)c, y, want);
    return;
  }
}

static void check_all(depthwise8 *t) {
  uint32_t masks[MAX_CPUS8];
  const int cpus = cpu_masks8(masks);
  const int64_t width = t->p.groups;
  int8_t *truth = malloc((size_t)(t->pixels * width));
  for (int64_t i = 0; i < t->pixels * width; i++) truth[i] = expected(t, i / width, i % width);
  for (int i = 0; i < cpus; i++) compare(t, truth, masks[i]);
  if (wh_detect_cpu() & WHERRY_CPU_AVX512_VNNI) compare(t, truth, EVEX | WH_CPU_UNSIGNED);
  free(truth);
  end(&t->c);
}

static void quantizedDepthwiseIsItsArithmetic(void) {
  depthwise8 t;
  for (int round = rounds8(3000); round > 0; round--) {
    build(&t, random_in(1, 130), random_below(6) ? 3 : 7, 9);
    check_all(&t);
  }
}

static void quantizedDepthwiseOfFewChannels(void) {
  depthwise8 t;
  for (int round = rounds8(3000); round > 0; round--) {
    build(&t, random_below(2) ? 8 * random_in(1, 4) : random_in(1, 20), random_below(4) ? 3 : 5,
          40);
    check_all(&t);
  }
}

static void compare_in_place(depthwise8 *t, uint32_t cpu) {
  const size_t bytes = (size_t)t->c.records[3].bytes;
  int8_t *truth = malloc(bytes);
  for (size_t i = 0; i < bytes; i++)
    truth[i] = expected(t, (int64_t)i / t->p.groups, (int64_t)i % t->p.groups);
  t->c.operands[3] = 2;
  if (cpu & WH_CPU_UNSIGNED) flip_operands(t);
  EXPECT(run(&t->c, 30, cpu) == 0, "status");
  if (cpu & WH_CPU_UNSIGNED) flip_operands(t);
  EXPECT(!memcmp(t->residual, truth, bytes), "cpu %x differs in place", cpu);
  free(truth);
}

static void quantizedDepthwiseInPlaceOfItsResidual(void) {
  uint32_t masks[MAX_CPUS8];
  const int cpus = cpu_masks8(masks);
  int compared = 0;
  for (int round = 0; round < 2000; round++) {
    depthwise8 t;
    build(&t, random_in(1, 100), 3, 9);
    if (t.residual && t.p.y_row == t.p.groups && !t.p.y_offset)
      compare_in_place(&t, masks[compared++ % cpus]);
    end(&t.c);
  }
  EXPECT(compared > 200, "only %d in place", compared);
}

static void quantizedDepthwiseOfAnyStreamStaysInside(void) {
  uint32_t masks[MAX_CPUS8];
  const int cpus = cpu_masks8(masks);
  for (int round = 0; round < 500; round++) {
    depthwise8 t;
    build(&t, random_in(1, 100), 4, 9);
    random_bytes8(t.stream, (int64_t)t.c.records[1].bytes);
    EXPECT(run(&t.c, 30, masks[round % cpus]) == 0, "status");
    end(&t.c);
  }
}

const test depthwise8_tests[] = {
    {"quantizedDepthwiseIsItsArithmetic", quantizedDepthwiseIsItsArithmetic},
    {"quantizedDepthwiseOfFewChannels", quantizedDepthwiseOfFewChannels},
    {"quantizedDepthwiseInPlaceOfItsResidual", quantizedDepthwiseInPlaceOfItsResidual},
    {"quantizedDepthwiseOfAnyStreamStaysInside", quantizedDepthwiseOfAnyStreamStaysInside},
    {NULL, NULL}};
