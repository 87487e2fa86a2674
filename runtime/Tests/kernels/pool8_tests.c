#include "window8.h"

typedef struct pool8 {
  wh_qpool p;
  test_case c;
  int64_t values;
  uint8_t *x, *y;
} pool8;

static void build(pool8 *t, int channels, int largest_extent) {
  wh_qpool *p = &t->p;
  memset(t, 0, sizeof *t);
  *p = (wh_qpool){.kind = random_below(2),
                  .batch = random_below(4) ? 1 : 2,
                  .channels = channels,
                  .count_include_pad = random_below(2),
                  .x_zero = random_in(-128, 127),
                  .ratio = (double)random_real(0.1f, 4)};
  random_window8(p->in, p->out, p->kernel, p->stride, p->dilation, p->pad, p->pad_end, 4,
                 largest_extent);
  if (random_below(4) == 0) { /* global */
    for (int i = 0; i < 3; i++) {
      p->kernel[i] = p->in[i];
      p->out[i] = p->stride[i] = p->dilation[i] = 1;
      p->pad[i] = p->pad_end[i] = 0;
    }
  }
  random_bounds(&p->y_zero, &p->low, &p->high);
  begin(&t->c, p);
  const int64_t in = (int64_t)p->batch * p->in[0] * p->in[1] * p->in[2] * channels;
  t->values = (int64_t)p->batch * p->out[0] * p->out[1] * p->out[2] * channels;
  random_bytes8(t->x = input(&t->c, WH_Q8, in), in);
  t->y = output(&t->c, WH_Q8, t->values);
}

static int8_t expected(const pool8 *t, int64_t pixel, int64_t c) {
  const wh_qpool *p = &t->p;
  int64_t o[3], sum = 0, most = -128, valid = 0, counted = 0;
  split(o, &pixel, p->out);
  for (int64_t i = 0; i < (int64_t)p->kernel[0] * p->kernel[1] * p->kernel[2]; i++) {
    const int64_t k[3] = {i / p->kernel[2] / p->kernel[1], i / p->kernel[2] % p->kernel[1],
                          i % p->kernel[2]};
    bool inside = true;
    for (int j = 0; j < 3; j++) {
      const int64_t at = o[j] * p->stride[j] - p->pad[j] + k[j] * p->dilation[j];
      inside = inside && at < p->in[j] + p->pad_end[j];
    }
    counted += inside;
    const int64_t at = position(p->in, o, k, p->stride, p->dilation, p->pad, pixel);
    if (at < 0) continue;
    const int64_t q = (int8_t)t->x[at * p->channels + c];
    valid++;
    sum += q - p->x_zero;
    most = q > most ? q : most;
  }
  if (p->kind == 0) return rounded((float)most, 0, p->low, p->high);
  const int64_t n = p->count_include_pad ? counted : valid;
  const float factor = (float)(p->ratio / (double)(n ? n : 1));
  return rounded((float)sum * factor, p->y_zero, p->low, p->high);
}

static void compare(pool8 *t, const int8_t *truth, uint32_t cpu) {
  const wh_qpool *p = &t->p;
  const bool flipped = (cpu & WH_CPU_UNSIGNED) != 0;
  memset(t->y, 0x5A, (size_t)t->values);
  if (flipped) flip_bytes(t->x, (int64_t)t->c.records[0].bytes);
  EXPECT(run(&t->c, 33, cpu) == 0, "status");
  if (flipped) flip_bytes(t->x, (int64_t)t->c.records[0].bytes);
  if (flipped) flip_bytes(t->y, t->values);
  for (int64_t i = 0; i < t->values; i++) {
    if ((int8_t)t->y[i] == truth[i]) continue;
    EXPECT(false,
           "cpu %x kind %d channels %d in %d,%d,%d out %d,%d,%d kernel %d,%d,%d stride %d,%d,%d "
           "dilation %d,%d,%d pad %d,%d,%d: value %lld is %d, not %d",
           cpu, p->kind, p->channels, p->in[0], p->in[1], p->in[2], p->out[0], p->out[1], p->out[2],
           p->kernel[0], p->kernel[1], p->kernel[2], p->stride[0], p->stride[1], p->stride[2],
           p->dilation[0], p->dilation[1], p->dilation[2], p->pad[0], p->pad[1], p->pad[2],
           (long long)i, (int8_t)t->y[i], truth[i]);
    return;
  }
}

static void check_all(pool8 *t) {
  uint32_t masks[MAX_CPUS8];
  const int cpus = cpu_masks8(masks);
  int8_t *truth = malloc((size_t)t->values);
  for (int64_t i = 0; i < t->values; i++)
    truth[i] = expected(t, i / t->p.channels, i % t->p.channels);
  for (int i = 0; i < cpus; i++) compare(t, truth, masks[i]);
  free(truth);
  end(&t->c);
}

static void quantizedPoolsAreTheirArithmetic(void) {
  pool8 t;
  for (int round = rounds8(4000); round > 0; round--) {
    build(&t, random_in(1, 130), 9);
    check_all(&t);
  }
}

static void quantizedPoolsOfManyElements(void) {
  pool8 t;
  for (int round = rounds8(40); round > 0; round--) {
    build(&t, random_in(1, 70), 40);
    check_all(&t);
  }
  build(&t, 33, 3);
  wh_qpool *p = &t.p; /* sums beyond 16 bits, every value an extreme one */
  end(&t.c);
  for (int round = 0; round < 8; round++) {
    *p = (wh_qpool){.kind = 1,
                    .batch = 1,
                    .channels = 33,
                    .in = {1, 40, 30},
                    .out = {1, 1, 1},
                    .kernel = {1, 40, 30},
                    .stride = {1, 1, 1},
                    .dilation = {1, 1, 1},
                    .x_zero = round & 1 ? -128 : 127,
                    .y_zero = round & 1 ? -128 : 127,
                    .low = -128,
                    .high = 127,
                    .ratio = 0.75};
    begin(&t.c, p);
    t.values = 33;
    t.x = input(&t.c, WH_Q8, 1200 * 33);
    memset(t.x, round & 2 ? 0x80 : 0x7F, 1200 * 33);
    t.y = output(&t.c, WH_Q8, 33);
    check_all(&t);
  }
}

const test pool8_tests[] = {{"quantizedPoolsAreTheirArithmetic", quantizedPoolsAreTheirArithmetic},
                            {"quantizedPoolsOfManyElements", quantizedPoolsOfManyElements},
                            {NULL, NULL}};
