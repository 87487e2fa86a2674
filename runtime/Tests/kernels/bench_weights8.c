/* Speed of float32 by int8 weights against the float32 product of the same shape, alternating. */
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

static uint8_t *operand(wh_tensor *t, wh_tensor_record *r, uint32_t element, int64_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, (size_t)bytes + 64)) abort();
  memset(p, element == WH_INT8 ? 3 : 0x3D, (size_t)bytes);
  *r = (wh_tensor_record){.element = element, .bytes = (uint64_t)bytes};
  *t = (wh_tensor){p, r};
  return p;
}

static void compare(int m, int k, int n) {
  const float inf = __builtin_inff();
  const wh_matmul f = {m, k, n, 1, {1, 1, 1}, 0, {0}, {0}, k, n, -inf, inf};
  const wh_matmul_weights8 q = {m, k, n, 0, -inf, inf};
  const int64_t panels = (n + 15) / 16;
  wh_tensor t[5];
  wh_tensor_record r[5];
  operand(&t[0], &r[0], WH_FLOAT32, 4 * (int64_t)m * k);
  operand(&t[1], &r[1], WH_FLOAT32, 64 * panels * k);
  operand(&t[2], &r[2], WH_FLOAT32, 4 * n);
  operand(&t[3], &r[3], WH_FLOAT32, 4 * (int64_t)m * n);
  uint8_t *stream = operand(&t[4], &r[4], WH_INT8, panels * (64 + 16 * (int64_t)k));
  for (int64_t i = 0; i < panels; i++) memset(stream + i * (64 + 16 * (int64_t)k), 0x3D, 64);
  for (uint64_t i = 0; i < 5; i++) r[i].offset = i << 40;
  const uint32_t floats[] = {0, 1, 2, WH_NONE, 3}, bytes[] = {0, 4, 2, 3};
  wh_call calls[2] = {{&f, t, floats, 4, 1, 0, 0, 0}, {&q, t, bytes, 3, 1, 0, 0, 0}};
  const wh_kernel *kernels[2] = {wh_find_kernel(5), wh_find_kernel(40)};
  const uint32_t all = wh_detect_cpu(), masks[] = {all, all & ~(uint32_t)WHERRY_CPU_AVX512, 0};
  printf("%4d x %4d x %4d", m, k, n);
  for (int c = 0; c < 3; c++) {
    double best[2] = {1e9, 1e9};
    int repeats = 1;
    for (int round = 0; round < 16; round++) {
      for (int i = 0; i < 2; i++) {
        calls[i].cpu = masks[c];
        if (kernels[i]->check(&calls[i])) printf("%s\n", kernels[i]->check(&calls[i])), exit(1);
        const double start = now();
        for (int j = 0; j < repeats; j++) kernels[i]->run(&calls[i]);
        const double each = (now() - start) / repeats;
        if (each < best[i]) best[i] = each;
      }
      repeats = (int)(0.002 / best[0]) + 1;
    }
    printf("   %8.2f us float %5.2fx", best[0] * 1e6, best[0] / best[1]);
  }
  printf("\n");
  for (int i = 0; i < 5; i++) free(t[i].data);
}

int main(void) {
  printf("int8 weights, times as fast as float32: all, no avx512, scalar\n");
  static const int shapes[][3] = {{1, 64, 64},     {1, 128, 128},   {1, 256, 256}, {1, 640, 128},
                                  {1, 1024, 1024}, {1, 4096, 1024}, {2, 512, 512}, {3, 512, 512},
                                  {4, 512, 512},   {8, 128, 128},   {8, 512, 512}, {16, 512, 512},
                                  {64, 256, 256},  {128, 768, 768}, {256, 64, 65}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    compare(shapes[i][0], shapes[i][1], shapes[i][2]);
}
