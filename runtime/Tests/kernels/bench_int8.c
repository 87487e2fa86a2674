/* Speed of 8-bit convolutions and dense layers on this machine, as GMAC/s and as a share of the
 * fastest dot products measured in the same run. bench_int8 [PROCESSOR BITS IN HEX] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../ABI/wherry.h"
#include "../../Kernels/include/kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint32_t cpu;
static double peak; /* MAC/s */

#if defined(__x86_64__)
/* Independent dot products in registers. */
#define DOTS(name, vector, features, zero, dot, macs)                     \
  __attribute__((target(features))) static double name(void) {            \
    double best = 1e9;                                                    \
    for (int round = 0; round < 30; round++) {                            \
      vector acc[12];                                                     \
      vector a = zero, b = zero;                                          \
      for (int i = 0; i < 12; i++) acc[i] = zero;                         \
      __asm__ volatile("" : "+v"(a), "+v"(b));                            \
      const double start = now();                                         \
      for (int n = 0; n < 50000; n++) {                                   \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < 12; i++) { \
          acc[i] = dot;                                                   \
          __asm__ volatile("" : "+v"(acc[i]));                            \
        }                                                                 \
      }                                                                   \
      const double time = now() - start;                                  \
      if (time < best) best = time;                                       \
    }                                                                     \
    return 12.0 * 50000 * (macs) / best;                                  \
  }
DOTS(vnni512, __m512i, "avx512f,avx512vnni", _mm512_setzero_si512(),
     _mm512_dpbusd_epi32(acc[i], a, b), 64)
DOTS(madd256, __m256i, "avx2", _mm256_setzero_si256(),
     _mm256_add_epi32(acc[i], _mm256_madd_epi16(a, b)), 16)

static double measured_peak(void) {
  if (wh_detect_cpu() & WHERRY_CPU_AVX512_VNNI) return vnni512();
  return wh_detect_cpu() & WHERRY_CPU_AVX2 ? madd256() : 0;
}
#else
static double measured_peak(void) { return 0; }
#endif

static void fill(wh_tensor *t, wh_tensor_record *r, uint32_t element, int64_t bytes, uint64_t at) {
  void *p = NULL;
  if (posix_memalign(&p, 64, (size_t)bytes + 128)) abort();
  for (int64_t i = 0; i < bytes + 64; i++) ((uint8_t *)p)[i] = (uint8_t)(i * 37 >> 3);
  *r = (wh_tensor_record){.offset = at << 40, .bytes = (uint64_t)bytes, .element = element};
  *t = (wh_tensor){p, r};
}

/* Best of several timings of one call, in seconds. */
static double seconds(uint32_t code, const void *parameters, int inputs, int scratch,
                      const uint32_t *elements, const int64_t *bytes, int64_t panel) {
  wh_tensor tensors[8];
  wh_tensor_record records[8];
  uint32_t operands[8];
  const int count = inputs + 1 + scratch;
  for (int i = 0; i < count; i++) {
    operands[i] = bytes[i] ? (uint32_t)i : WH_NONE;
    if (bytes[i]) fill(&tensors[i], &records[i], elements[i], bytes[i], (uint64_t)i);
  }
  for (int64_t at = 128; panel && at < bytes[1]; at += panel) {
    const float factor = 0.003f;
    for (int i = 0; i < 16; i++) memcpy(tensors[1].data + at + 4 * i, &factor, 4);
  }
  wh_call call = {parameters, tensors, operands, (uint16_t)inputs, 1, (uint16_t)scratch, 0, cpu};
  const wh_kernel *kernel = wh_find_kernel(code);
  const char *reason = kernel->check(&call);
  if (reason) printf("%s\n", reason), exit(1);
  double best = 1e9;
  int repeats = 1;
  /* Long calls need many rounds for one that nothing interrupts. */
  for (int round = 0; round < 40 || (best > 0.002 && round < 200); round++) {
    const double start = now();
    for (int i = 0; i < repeats; i++) kernel->run(&call);
    const double each = (now() - start) / repeats;
    if (each < best) best = each;
    repeats = (int)(0.001 / best) + 1;
  }
  for (int i = 0; i < count; i++) {
    if (bytes[i]) free(tensors[i].data);
  }
  return best;
}

static double total_macs, total_seconds;

static void report(const char *name, double macs, double time) {
  total_macs += macs;
  total_seconds += time;
  printf("%-40s %9.2f us %8.1f GMAC/s", name, time * 1e6, macs / time * 1e-9);
  if (peak > 0) printf(" %5.1f %%", macs / time / peak * 100);
  printf("\n");
}

static void begin_group(const char *name) {
  printf("%s\n", name);
  total_macs = total_seconds = 0;
}

static void end_group(void) { report("  together", total_macs, total_seconds); }

static void window(int height, int width, int channels, int filters, int kh, int kw, int stride,
                   int residual) {
  const int oh = (height + stride - 1) / stride, ow = (width + stride - 1) / stride;
  const wh_qconv p = {.batch = 1,
                      .groups = 1,
                      .channels = channels,
                      .filters = filters,
                      .in = {1, height, width},
                      .out = {1, oh, ow},
                      .kernel = {1, kh, kw},
                      .stride = {1, stride, stride},
                      .dilation = {1, 1, 1},
                      .pad = {0, (kh - 1) / 2, (kw - 1) / 2},
                      .low = -128,
                      .high = 127,
                      .c_low = -128,
                      .c_high = 127,
                      .c_factor = 0.5f,
                      .r_factor = 0.5f,
                      .y_row = filters};
  const int64_t k = (int64_t)kh * ((kw * channels + 3) / 4 * 4);
  const int64_t pixels = (int64_t)oh * ow, stream = (filters + 15) / 16 * (192 + 16 * k);
  const uint32_t elements[] = {WH_Q8, WH_INT8, WH_Q8, WH_Q8};
  const int64_t bytes[] = {(int64_t)height * width * channels, stream,
                           residual ? pixels * filters : 0, pixels * filters};
  char name[64];
  snprintf(name, sizeof name, "  conv %dx%dx%d -> %d k%dx%d s%d%s", height, width, channels,
           filters, kh, kw, stride, residual ? " + residual" : "");
  report(name, (double)pixels * filters * kh * kw * channels,
         seconds(29, &p, 3, 0, elements, bytes, 192 + 16 * k));
}

static void conv(int height, int width, int channels, int filters, int kernel, int stride,
                 int residual) {
  window(height, width, channels, filters, kernel, kernel, stride, residual);
}

static void dense(int m, int k, int n) {
  const wh_qconv p = {.batch = 1,
                      .groups = 1,
                      .channels = k,
                      .filters = n,
                      .in = {1, 1, m},
                      .out = {1, 1, m},
                      .kernel = {1, 1, 1},
                      .stride = {1, 1, 1},
                      .dilation = {1, 1, 1},
                      .low = -128,
                      .high = 127,
                      .y_row = n};
  const uint32_t elements[] = {WH_Q8, WH_INT8, WH_Q8, WH_Q8};
  const int64_t bytes[] = {(int64_t)m * k, (n + 15) / 16 * (192 + ((int64_t)k + 3) / 4 * 64), 0,
                           (int64_t)m * n};
  char name[64];
  snprintf(name, sizeof name, "  dense %dx%dx%d", m, k, n);
  report(name, (double)m * k * n, seconds(29, &p, 3, 0, elements, bytes, 192 + (k + 3) / 4 * 64));
}

static void product(int batch, int m, int k, int n, int transposed) {
  const wh_qmatmul p = {.m = m,
                        .k = k,
                        .n = n,
                        .batch = {1, 1, batch},
                        .a_batch = {0, 0, (int64_t)m * k},
                        .b_batch = {0, 0, (int64_t)k * n},
                        .a_row = k,
                        .b_row = transposed ? 1 : n,
                        .b_column = transposed ? k : 1,
                        .a_zero = 3,
                        .b_zero = 5,
                        .low = -128,
                        .high = 127,
                        .factor = 0.001f};
  const uint32_t elements[] = {WH_Q8, WH_Q8, WH_Q8, WH_UINT8};
  const int64_t bytes[] = {(int64_t)batch * m * k, (int64_t)batch * k * n, (int64_t)batch * m * n,
                           (n + 15) / 16 * (64 * ((k + 3) / 4) + 192) + 64};
  char name[64];
  snprintf(name, sizeof name, "  product %dx %dx%dx%d%s", batch, m, k, n, transposed ? " t" : "");
  report(name, (double)batch * m * k * n, seconds(35, &p, 2, 1, elements, bytes, 0));
}

static void gemms(void) {
  begin_group("dense");
  dense(1024, 1024, 1024);
  dense(256, 256, 256);
  dense(64, 64, 64);
  dense(128, 768, 768);
  dense(49, 2048, 512);
  dense(49, 512, 2048);
  dense(196, 256, 1024);
  dense(8, 1024, 1024);
  dense(1, 1024, 1024);
  dense(1, 128, 128);
  dense(1, 640, 128);
  dense(1, 2048, 1000);
  dense(1, 256, 2);
  product(12, 128, 64, 128, 1);
  product(12, 128, 128, 64, 0);
}

static void resnet8(void) {
  begin_group("ResNet-8, 32x32");
  conv(32, 32, 3, 16, 3, 1, 0);
  conv(32, 32, 16, 16, 3, 1, 0);
  conv(32, 32, 16, 16, 3, 1, 1);
  conv(32, 32, 16, 32, 3, 2, 0);
  conv(16, 16, 32, 32, 3, 1, 0);
  conv(32, 32, 16, 32, 1, 2, 1);
  conv(16, 16, 32, 64, 3, 2, 0);
  conv(8, 8, 64, 64, 3, 1, 0);
  conv(16, 16, 32, 64, 1, 2, 1);
  dense(1, 64, 10);
  end_group();
}

static void mobilenet_v1(void) {
  begin_group("MobileNetV1 0.25, 96x96");
  conv(96, 96, 3, 8, 3, 2, 0);
  conv(48, 48, 8, 16, 1, 1, 0);
  conv(24, 24, 16, 32, 1, 1, 0);
  conv(24, 24, 32, 32, 1, 1, 0);
  conv(12, 12, 32, 64, 1, 1, 0);
  conv(12, 12, 64, 64, 1, 1, 0);
  conv(6, 6, 64, 128, 1, 1, 0);
  for (int i = 0; i < 5; i++) conv(6, 6, 128, 128, 1, 1, 0);
  conv(3, 3, 128, 256, 1, 1, 0);
  conv(3, 3, 256, 256, 1, 1, 0);
  dense(1, 256, 2);
  end_group();
}

static void dscnn_and_autoencoder(void) {
  begin_group("DS-CNN, 49x10");
  window(49, 10, 1, 64, 10, 4, 2, 0);
  for (int i = 0; i < 4; i++) conv(25, 5, 64, 64, 1, 1, 0);
  dense(1, 64, 12);
  end_group();
  begin_group("Autoencoder");
  dense(1, 640, 128);
  for (int i = 0; i < 3; i++) dense(1, 128, 128);
  dense(1, 128, 8);
  dense(1, 8, 128);
  for (int i = 0; i < 3; i++) dense(1, 128, 128);
  dense(1, 128, 640);
  end_group();
}

static void mobilenet_v2(void) {
  static const int blocks[][5] = {
      /* size, channels, expanded, stride, out */
      {112, 32, 32, 1, 16}, {112, 16, 96, 2, 24},  {56, 24, 144, 1, 24},  {56, 24, 144, 2, 32},
      {28, 32, 192, 1, 32}, {28, 32, 192, 1, 32},  {28, 32, 192, 2, 64},  {14, 64, 384, 1, 64},
      {14, 64, 384, 1, 64}, {14, 64, 384, 1, 64},  {14, 64, 384, 1, 96},  {14, 96, 576, 1, 96},
      {14, 96, 576, 1, 96}, {14, 96, 576, 2, 160}, {7, 160, 960, 1, 160}, {7, 160, 960, 1, 160},
      {7, 160, 960, 1, 320}};
  begin_group("MobileNetV2, 224x224");
  conv(224, 224, 3, 32, 3, 2, 0);
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    const int *b = blocks[i], size = b[0], next = size / b[3];
    if (b[1] != b[2]) conv(size, size, b[1], b[2], 1, 1, 0);
    conv(next, next, b[2], b[4], 1, 1, b[3] == 1 && b[1] == b[4]);
  }
  conv(7, 7, 320, 1280, 1, 1, 0);
  dense(1, 1280, 1000);
  end_group();
}

static void resnet50(void) {
  static const int stages[][4] = {/* size, width, blocks, channels in */
                                  {56, 64, 3, 64},
                                  {28, 128, 4, 256},
                                  {14, 256, 6, 512},
                                  {7, 512, 3, 1024}};
  begin_group("ResNet-50, 224x224");
  conv(224, 224, 3, 64, 7, 2, 0);
  for (int s = 0; s < 4; s++) {
    const int size = stages[s][0], width = stages[s][1], before = s ? 2 * size : size;
    conv(before, before, stages[s][3], width, 1, 1, 0);
    conv(before, before, width, width, 3, s ? 2 : 1, 0);
    conv(size, size, width, 4 * width, 1, 1, 1);
    conv(before, before, stages[s][3], 4 * width, 1, s ? 2 : 1, 0);
    for (int block = 1; block < stages[s][2]; block++) {
      conv(size, size, 4 * width, width, 1, 1, 0);
      conv(size, size, width, width, 3, 1, 0);
      conv(size, size, width, 4 * width, 1, 1, 1);
    }
  }
  dense(1, 2048, 1000);
  end_group();
}

int main(int count, char **arguments) {
  const uint32_t all = wh_detect_cpu();
  cpu = wh_with_storage(count > 1 ? all & (uint32_t)strtoul(arguments[1], NULL, 16) : all);
  peak = measured_peak();
  printf("cpu %x, peak %.1f GMAC/s\n", cpu, peak * 1e-9);
  gemms();
  resnet8();
  mobilenet_v1();
  dscnn_and_autoencoder();
  mobilenet_v2();
  resnet50();
}
