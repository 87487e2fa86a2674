/* Speed of the 8-bit recurrent steps against the float32 ones of the same shape, alternating. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../ABI/wherry.h"
#include "../../Kernels/include/kernels.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct call {
  wh_tensor tensors[12];
  wh_tensor_record records[12];
  uint32_t operands[12];
  wh_call call;
  int count;
} call;

/* An operand of so many bytes, each of them fill; 0: absent. */
static void add(call *c, uint32_t element, int64_t bytes, int fill) {
  const int i = c->count++;
  void *p = NULL;
  c->operands[i] = bytes ? (uint32_t)i : WH_NONE;
  if (!bytes) return;
  if (posix_memalign(&p, 64, (size_t)bytes + 64)) abort();
  memset(p, fill, (size_t)bytes);
  c->records[i] =
      (wh_tensor_record){.element = element, .bytes = (uint64_t)bytes, .offset = (uint64_t)i << 40};
  c->tensors[i] = (wh_tensor){p, &c->records[i]};
}

static void finish(call *c, const void *parameters, int inputs, int outputs) {
  c->call =
      (wh_call){parameters, c->tensors, c->operands, (uint16_t)inputs, (uint16_t)outputs, 1, 0, 0};
}

static void end(call *c) {
  for (int i = 0; i < c->count; i++) free(c->tensors[i].data);
}

static int64_t stream(int64_t columns, int64_t depth) {
  return (columns + 15) / 16 * (WH_QCONV_HEAD + (depth + 3) / 4 * 64);
}

/* Weights small, so that gates are neither saturated nor subnormal. */
static void compare(bool gru, int steps, int batch, int input, int hidden) {
  const int gates = gru ? 3 : 4, columns = gates * hidden;
  const int64_t state = (int64_t)batch * hidden, y = steps * state;
  const wh_recurrent f = {.steps = steps,
                          .batch = batch,
                          .input = input,
                          .hidden = hidden,
                          .linear_before_reset = 1,
                          .activation = {1, 2, 2},
                          .x_step = batch * input,
                          .x_batch = input,
                          .y_step = state,
                          .y_batch = hidden,
                          .h_batch = hidden};
  const wh_qrecurrent q = {.steps = steps,
                           .batch = batch,
                           .input = input,
                           .hidden = hidden,
                           .linear_before_reset = 1,
                           .h_scale = 0x1p-7f,
                           .h_factor = 128,
                           .x_step = batch * input,
                           .x_batch = input,
                           .y_step = state,
                           .y_batch = hidden,
                           .h_batch = hidden};
  call c[2];
  memset(c, 0, sizeof c);
  const int64_t panels = (columns + 15) / 16 * 16;
  add(&c[0], WH_FLOAT32, 4 * (int64_t)steps * batch * input, 0x3D);
  add(&c[0], WH_FLOAT32, 4 * panels * input, 0x3B);
  add(&c[0], WH_FLOAT32, 4 * panels * hidden, 0x3B);
  add(&c[0], WH_FLOAT32, 4 * (gates + gru) * hidden, 0x3D);
  for (int i = 0; i < 4; i++) add(&c[0], 0, 0, 0);
  add(&c[0], WH_FLOAT32, 4 * y, 0);
  for (int i = 0; i < 2 - gru; i++) add(&c[0], WH_FLOAT32, 4 * state, 0);
  add(&c[0], WH_UINT8, (2 * gates + 3) * state * 4 + 64, 0);
  finish(&c[0], &f, 8, gru ? 2 : 3);
  add(&c[1], WH_Q8, (int64_t)steps * batch * input, 0x93);
  add(&c[1], WH_INT8, stream(columns, input), 3);
  add(&c[1], WH_INT8, stream(columns, hidden), 3);
  add(&c[1], WH_FLOAT32, 4 * columns, 0x3D);
  for (int i = 0; i < 3; i++) add(&c[1], 0, 0, 0);
  add(&c[1], WH_Q8, y, 0);
  for (int i = 0; i < 2 - gru; i++) add(&c[1], WH_FLOAT32, 4 * state, 0);
  const int64_t pitch = (hidden + 31) / 32 * 32, many = steps < 8 ? steps : 8;
  add(&c[1], WH_UINT8, 4 * ((many + 1) * batch * columns + 64) + 6 * batch * pitch + 64, 0);
  finish(&c[1], &q, 7, gru ? 2 : 3);
  const wh_kernel *kernels[] = {wh_find_kernel(gru ? 17 : 16), wh_find_kernel(gru ? 39 : 38)};
  const uint32_t all = wh_detect_cpu(), masks[] = {all, all & ~(uint32_t)WHERRY_CPU_AVX512, 0};
  printf("%s %3d steps x %d, %3d -> %3d", gru ? "GRU " : "LSTM", steps, batch, input, hidden);
  for (int m = 0; m < 3; m++) {
    double best[2] = {1e9, 1e9};
    int repeats = 1;
    for (int round = 0; round < 14; round++) {
      for (int i = 0; i < 2; i++) {
        c[i].call.cpu = wh_with_storage(masks[m]);
        const char *reason = kernels[i]->check(&c[i].call);
        if (reason) printf("%s\n", reason), exit(1);
        const double start = now();
        for (int j = 0; j < repeats; j++) kernels[i]->run(&c[i].call);
        const double each = (now() - start) / repeats;
        if (each < best[i]) best[i] = each;
      }
      repeats = (int)(0.002 / best[0]) + 1;
    }
    printf("   %8.2f us, float %8.2f %5.2fx", best[1] * 1e6, best[0] * 1e6, best[0] / best[1]);
  }
  printf("\n");
  end(&c[0]);
  end(&c[1]);
}

int main(void) {
  static const int shapes[][4] = {{1, 1, 257, 128},  {1, 1, 128, 128},   {1, 1, 512, 128},
                                  {1, 1, 512, 512},  {100, 1, 257, 128}, {100, 1, 40, 64},
                                  {20, 8, 128, 128}, {1, 1, 64, 32}};
  printf("8-bit recurrent steps, times as fast as float32: all, no avx512, scalar\n");
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    compare(false, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
    compare(true, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
  }
}
