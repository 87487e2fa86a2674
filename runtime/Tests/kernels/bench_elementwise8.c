/* Speed of the kernels on 8-bit values on this machine, for every instruction set it has: values a
 * cycle. */
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

/* Cycles a second, by a chain of additions. */
static double frequency(void) {
  double best = 1e9;
  for (int round = 0; round < 5; round++) {
    const double start = now();
    uint64_t x = 1;
    for (int i = 0; i < 4000000; i++) __asm__ volatile("" : "+r"(x) : "r"(x += 3));
    const double each = (now() - start) / 4e6;
    if (each < best) best = each;
  }
  return 1 / best;
}

typedef struct operand {
  uint32_t element;
  int64_t count;
} operand;

static double cycles;

static void measure(const char *name, uint32_t code, const void *parameters, int inputs,
                    int outputs, const operand *operands, double work) {
  static const uint8_t sizes[32] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, [WH_Q8] = 1};
  wh_tensor tensors[8];
  wh_tensor_record records[8];
  uint32_t indices[8];
  for (int i = 0; i < inputs + outputs; i++) {
    const uint64_t bytes = (uint64_t)operands[i].count * sizes[operands[i].element];
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes + 64)) abort();
    for (uint64_t j = 0; j < bytes; j++) ((uint8_t *)p)[j] = (uint8_t)(j * 37 % 251);
    if (operands[i].element == WH_FLOAT32) {
      for (int64_t j = 0; j < operands[i].count; j++)
        ((float *)p)[j] = (float)(j % 611) * 0.00123f + 0.01f;
    }
    memset(&records[i], 0, sizeof records[i]);
    records[i].element = operands[i].element;
    records[i].bytes = bytes;
    records[i].offset = (uint64_t)i << 32;
    tensors[i] = (wh_tensor){p, &records[i]};
    indices[i] = (uint32_t)i;
  }
  wh_call call = {parameters, tensors, indices, (uint16_t)inputs, (uint16_t)outputs, 0, 0, 0};
  const wh_kernel *kernel = wh_find_kernel(code);
  const char *reason = kernel->check(&call);
  if (reason) printf("%s: %s\n", name, reason), exit(1);
  const uint32_t all = wh_detect_cpu();
  const uint32_t masks[] = {all, all & ~(uint32_t)WHERRY_CPU_AVX512, 0};
  printf("%-40s", name);
  for (int m = -1; m < 3; m++) { /* the first pass warms up */
    call.cpu = wh_with_storage(masks[m < 0 ? 0 : m]);
    int repeats = 1;
    double best = 1e9;
    for (int round = 0; round < 10; round++) {
      const double start = now();
      for (int i = 0; i < repeats; i++) kernel->run(&call);
      const double each = (now() - start) / repeats;
      if (each < best) best = each;
      repeats = (int)(0.004 / best) + 1;
    }
    if (m >= 0) printf(" %9.2f", work / best / cycles);
  }
  printf("\n");
  for (int i = 0; i < inputs + outputs; i++) free(tensors[i].data);
}

static void binary(const char *name, int kind, int rows, int columns, int a_row, int b_row,
                   int b_column) {
  const wh_qbinary p = {kind,
                        2,
                        {rows, columns},
                        {a_row, 1},
                        {b_row, b_column},
                        3,
                        -7,
                        11,
                        -128,
                        127,
                        0.37f,
                        kind == WH_MUL ? 0 : 0.61f,
                        0};
  const int64_t b = 1 + (int64_t)(rows - 1) * b_row + (int64_t)(columns - 1) * b_column;
  const int64_t size = (int64_t)rows * columns;
  measure(name, 31, &p, 2, 1, (operand[]){{WH_Q8, size}, {WH_Q8, b}, {WH_Q8, size}}, (double)size);
}

static void lookup(const char *name, int64_t n) {
  measure(name, 32, NULL, 2, 1, (operand[]){{WH_Q8, n}, {WH_INT8, 256}, {WH_Q8, n}}, (double)n);
}

static void softmax(const char *name, int outer, int count, int inner) {
  const wh_qsoftmax p = {outer, count, inner, -128, 256};
  const int64_t n = (int64_t)outer * count * inner;
  measure(name, 34, &p, 2, 1, (operand[]){{WH_Q8, n}, {WH_UINT32, 256}, {WH_Q8, n}}, (double)n);
}

static void quantize(const char *name, int64_t n) {
  const wh_quantize p = {1, 1, (int32_t)n, 0};
  measure(name, 26, &p, 3, 1,
          (operand[]){{WH_FLOAT32, n}, {WH_FLOAT32, 1}, {WH_INT8, 1}, {WH_Q8, n}}, (double)n);
}

static void dequantize(const char *name, int64_t n) {
  const wh_quantize p = {1, 1, (int32_t)n, 0};
  measure(name, 27, &p, 3, 1,
          (operand[]){{WH_Q8, n}, {WH_FLOAT32, 1}, {WH_INT8, 1}, {WH_FLOAT32, n}}, (double)n);
}

static void dynamic(const char *name, int64_t n) {
  measure(name, 37, NULL, 1, 3,
          (operand[]){{WH_FLOAT32, n}, {WH_Q8, n}, {WH_FLOAT32, 1}, {WH_UINT8, 1}}, (double)n);
}

static void resize(const char *name, int size, int inner, int taps) {
  const wh_qresize p = {1, {size, size}, {2 * size, 2 * size}, inner, {taps, taps}, 3, 5, 0x1p-22f,
                        0};
  const int64_t table = 2 * (int64_t)size * taps, n = (int64_t)size * size * inner;
  /* Indices must be small: bytes of operands count up from 0, so the table is read as zeros. */
  (void)table;
  wh_tensor_record r[6] = {{0}};
  wh_tensor t[6];
  uint32_t indices[6];
  int32_t *tables[4];
  for (int i = 0; i < 4; i++) {
    tables[i] = calloc((size_t)table, 4);
    for (int64_t j = 0; j < table; j++)
      tables[i][j] = i % 2 ? 2048 / taps : (int32_t)((j / taps / 2 + j % taps) % size);
  }
  const operand o[] = {{WH_Q8, n},        {WH_INT32, table}, {WH_INT32, table},
                       {WH_INT32, table}, {WH_INT32, table}, {WH_Q8, 4 * n}};
  for (int i = 0; i < 6; i++) {
    r[i].element = o[i].element;
    r[i].bytes = (uint64_t)o[i].count * (o[i].element == WH_Q8 ? 1 : 4);
    r[i].offset = (uint64_t)i << 32;
    t[i] = (wh_tensor){
        i > 0 && i < 5 ? (uint8_t *)tables[i - 1] : calloc((size_t)o[i].count + 64, 1), &r[i]};
    indices[i] = (uint32_t)i;
  }
  wh_call call = {&p, t, indices, 5, 1, 0, 0, 0};
  const wh_kernel *kernel = wh_find_kernel(36);
  if (kernel->check(&call)) printf("%s\n", kernel->check(&call)), exit(1);
  const uint32_t all = wh_detect_cpu();
  const uint32_t masks[] = {all, all & ~(uint32_t)WHERRY_CPU_AVX512, 0};
  printf("%-40s", name);
  for (int m = 0; m < 3; m++) {
    call.cpu = wh_with_storage(masks[m]);
    double best = 1e9;
    for (int round = 0; round < 8; round++) {
      const double start = now();
      kernel->run(&call);
      if (now() - start < best) best = now() - start;
    }
    printf(" %9.2f", (double)(4 * n) / best / cycles);
  }
  printf("\n");
  for (int i = 0; i < 6; i++) free(t[i].data);
}

int main(void) {
  cycles = frequency();
  printf("values a cycle, %.2f GHz                   %9s %9s %9s\n", cycles * 1e-9, "all",
         "no avx512", "scalar");
  binary("add 16 K", WH_ADD, 64, 256, 256, 256, 1);
  binary("add 1 M", WH_ADD, 1024, 1024, 1024, 1024, 1);
  binary("mul 16 K", WH_MUL, 64, 256, 256, 256, 1);
  binary("mul by a row of 24", WH_MUL, 512, 24, 24, 0, 1);
  binary("mul by a row of 256", WH_MUL, 64, 256, 256, 0, 1);
  binary("add a column", WH_ADD, 64, 256, 256, 1, 0);
  binary("add transposed", WH_ADD, 128, 128, 128, 1, 128);
  lookup("lookup 16 K", 16384);
  lookup("lookup 1 M", 1 << 20);
  softmax("softmax 1x10", 1, 10, 1);
  softmax("softmax 64x64", 64, 64, 1);
  softmax("softmax 64x256", 64, 256, 1);
  softmax("softmax 1x1000", 1, 1000, 1);
  softmax("softmax 1x21x1024", 1, 21, 1024);
  quantize("quantize 4 K", 4096);
  quantize("quantize 150 K", 150528);
  dequantize("dequantize 4 K", 4096);
  dequantize("dequantize 150 K", 150528);
  dynamic("dynamic quantize 4 K", 4096);
  dynamic("dynamic quantize 150 K", 150528);
  resize("resize 32x32x16 to 64x64, 2 taps", 32, 16, 2);
  resize("resize 32x32x3 to 64x64, 2 taps", 32, 3, 2);
  resize("resize 32x32x64 to 64x64, 1 tap", 32, 64, 1);
}
