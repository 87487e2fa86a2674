/* Speed of the hot kernels on this machine, for every instruction set it has. */
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

static void operand(wh_tensor *t, wh_tensor_record *r, int64_t floats) {
  void *p = NULL;
  if (posix_memalign(&p, 64, (size_t)floats * 4 + 64)) abort();
  for (int64_t i = 0; i < floats; i++) ((float *)p)[i] = (float)(i % 17) * 0.125f - 1;
  memset(r, 0, sizeof *r);
  r->element = WH_FLOAT32;
  r->bytes = (uint64_t)floats * 4;
  t->data = p;
  t->record = r;
}

/* Best of several timings of one call, in seconds. */
static void measure(const char *name, uint32_t code, const void *parameters, int inputs,
                    const int64_t *floats, double work, const char *unit) {
  wh_tensor tensors[8];
  wh_tensor_record records[8];
  uint32_t operands[8];
  for (int i = 0; i <= inputs; i++) {
    operands[i] = floats[i] ? (uint32_t)i : WH_NONE;
    if (floats[i]) operand(&tensors[i], &records[i], floats[i]);
    records[i].offset = (uint64_t)i << 32;
  }
  wh_call call = {parameters, tensors, operands, (uint16_t)inputs, 1, 0, 0, 0};
  const wh_kernel *kernel = wh_find_kernel(code);
  const char *reason = kernel->check(&call);
  if (reason) printf("%s: %s\n", name, reason), exit(1);
  const uint32_t all = wh_detect_cpu();
  const uint32_t masks[] = {all, all & ~(uint32_t)WHERRY_CPU_AVX512, 0};
  printf("%-34s", name);
  for (int m = -1; m < 3; m++) { /* the first pass warms up */
    call.cpu = masks[m < 0 ? 0 : m];
    int repeats = 1;
    double best = 1e9;
    for (int round = 0; round < 12; round++) {
      const double start = now();
      for (int i = 0; i < repeats; i++) kernel->run(&call);
      const double each = (now() - start) / repeats;
      if (each < best) best = each;
      repeats = (int)(0.01 / best) + 1;
    }
    if (m >= 0) printf(" %9.2f", work / best * 1e-9);
  }
  printf("  %s\n", unit);
  for (int i = 0; i <= inputs; i++) {
    if (floats[i]) free(tensors[i].data);
  }
}

static void conv(int size, int channels, int filters, int kernel, int stride) {
  const int out = (size + stride - 1) / stride, k = kernel * kernel * channels;
  wh_conv p = {.batch = 1,
               .groups = 1,
               .channels = channels,
               .filters = filters,
               .in = {1, size, size},
               .out = {1, out, out},
               .kernel = {1, kernel, kernel},
               .stride = {1, stride, stride},
               .dilation = {1, 1, 1},
               .pad = {0, kernel / 2, kernel / 2},
               .low = 0,
               .high = __builtin_inff()};
  const int64_t floats[] = {(int64_t)size * size * channels,
                            (int64_t)k * ((filters + 15) / 16) * 16, filters, 0,
                            (int64_t)out * out * filters};
  char name[64];
  snprintf(name, sizeof name, "conv %dx%dx%d -> %d k%d s%d", size, size, channels, filters, kernel,
           stride);
  measure(name, 3, &p, 4, floats, (double)out * out * filters * k, "GMAC/s");
}

static void depthwise(int size, int channels, int stride) {
  const int out = (size + stride - 1) / stride;
  wh_conv p = {.batch = 1,
               .groups = channels,
               .channels = 1,
               .filters = 1,
               .in = {1, size, size},
               .out = {1, out, out},
               .kernel = {1, 3, 3},
               .stride = {1, stride, stride},
               .dilation = {1, 1, 1},
               .pad = {0, 1, 1},
               .low = 0,
               .high = 6};
  const int64_t floats[] = {(int64_t)size * size * channels, 9 * channels, channels, 0,
                            (int64_t)out * out * channels};
  char name[64];
  snprintf(name, sizeof name, "depthwise %dx%dx%d k3 s%d", size, size, channels, stride);
  measure(name, 4, &p, 4, floats, (double)out * out * channels * 9, "GMAC/s");
}

static void matmul(int m, int k, int n, int packed) {
  wh_matmul p = {m,   k,   n, packed, {1, 1, 1},         0,
                 {0}, {0}, k, n,      -__builtin_inff(), __builtin_inff()};
  const int64_t floats[] = {(int64_t)m * k, (int64_t)k * ((n + 15) / 16) * 16, n, 0,
                            (int64_t)m * n};
  char name[64];
  snprintf(name, sizeof name, "matmul %dx%dx%d %s", m, k, n, packed ? "packed" : "row-major");
  measure(name, 5, &p, 4, floats, (double)m * n * k, "GMAC/s");
}

static void unary(const char *name, int kind) {
  const wh_unary p = {kind, WH_FLOAT32, 0.5f, 0.5f, 1, 0};
  measure(name, 7, &p, 1, (int64_t[]){4096, 4096}, 4096, "G/s");
}

int main(void) {
  printf("%-34s %9s %9s %9s\n", "", "all", "no avx512", "scalar");
  conv(32, 3, 16, 3, 1);
  conv(32, 16, 16, 3, 1);
  conv(32, 16, 32, 3, 2);
  conv(16, 32, 32, 3, 1);
  conv(8, 64, 64, 3, 1);
  conv(32, 16, 32, 1, 2);
  conv(24, 64, 64, 1, 1);
  conv(96, 3, 8, 3, 2);
  depthwise(48, 8, 1);
  depthwise(24, 64, 1);
  depthwise(12, 128, 2);
  matmul(256, 256, 256, 1);
  matmul(256, 256, 256, 0);
  matmul(64, 64, 65, 0);
  matmul(1, 1024, 1024, 1);
  matmul(1, 1024, 1024, 0);
  matmul(1, 640, 128, 1);
  unary("exp", WH_EXP);
  unary("tanh", WH_TANH);
  unary("sigmoid", WH_SIGMOID);
  unary("gelu", WH_GELU);
  unary("clip", WH_CLIP);
  const wh_softmax s = {0, 64, 256, 1};
  measure("softmax 64x256", 12, &s, 1, (int64_t[]){64 * 256, 64 * 256}, 64 * 256, "G/s");
  const wh_reduce r = {WH_REDUCE_SUM, WH_FLOAT32, 64, 256, 1, 0};
  measure("sum 64x256", 10, &r, 1, (int64_t[]){64 * 256, 64}, 64 * 256, "G/s");
  const wh_reduce c = {WH_REDUCE_MEAN, WH_FLOAT32, 1, 64, 64, 0};
  measure("mean of columns 64x64", 10, &c, 1, (int64_t[]){64 * 64, 64}, 64 * 64, "G/s");
  const wh_binary add = {WH_ADD, WH_FLOAT32, 2, 0, {64, 256}, {256, 1}, {256, 1}, 0, 9};
  measure("add 64x256", 6, &add, 2, (int64_t[]){64 * 256, 64 * 256, 64 * 256}, 64 * 256, "G/s");
  const wh_binary row = {WH_ADD, WH_FLOAT32, 2, 0, {256, 64}, {64, 1}, {0, 1}, 0, 9};
  measure("add a row of 64", 6, &row, 2, (int64_t[]){64 * 256, 64, 64 * 256}, 64 * 256, "G/s");
  const wh_move flip = {4, 2, 0, 0, {128, 128}, {128, 1}, {1, 128}};
  measure("transpose 128x128", 1, &flip, 1, (int64_t[]){16384, 16384}, 16384, "G/s");
  const wh_normalize n = {0, 64, 256, 1, 256, 1, 1e-5f, 0};
  measure("normalize 64x256", 14, &n, 3, (int64_t[]){64 * 256, 256, 256, 64 * 256}, 64 * 256,
          "G/s");
  const wh_pool p = {0,         1,         16,        2,   {1, 32, 32}, {1, 16, 16},
                     {1, 2, 2}, {1, 2, 2}, {1, 1, 1}, {0}, {0},         0};
  measure("max pool 32x32x16 k2 s2", 13, &p, 1, (int64_t[]){16384, 4096}, 4096, "G/s");
}
