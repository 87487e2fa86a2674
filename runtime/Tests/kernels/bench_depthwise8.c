/* Speed of quantized depthwise convolutions and pools: the layers of three models, for every
 * instruction set of this machine. Microseconds a layer and values a cycle; bench_depthwise8 [part
 * of a name]. */
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

/* Seconds of a cycle: a chain of additions takes one each. */
static double cycle(void) {
  double best = 1;
  for (int round = 0; round < 20; round++) {
    const double start = now();
    uint64_t x = (uint64_t)round;
    for (int i = 0; i < 100000; i++) {
      __asm__ volatile("" : "+r"(x));
      x += x;
    }
    const double each = (now() - start) / 100000;
    if (each < best && x != 1) best = each;
  }
  return best;
}

static wh_tensor_record records[4];
static wh_tensor tensors[4];

static void operand(int i, uint32_t element, int64_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, (size_t)bytes + 64)) abort();
  for (int64_t j = 0; j < bytes; j++) ((uint8_t *)p)[j] = (uint8_t)(j * 37 + j / 64);
  records[i] =
      (wh_tensor_record){.element = element, .bytes = (uint64_t)bytes, .offset = (uint64_t)i << 32};
  tensors[i] = (wh_tensor){p, &records[i]};
}

static const char *wanted = "";
static double per_cycle;

static void measure(const char *name, uint32_t code, const void *parameters, int inputs,
                    int64_t values) {
  uint32_t operands[4] = {0, 1, 2, 3};
  wh_call call = {parameters, tensors, operands, (uint16_t)inputs, 1, 0, 0, 0};
  const wh_kernel *kernel = wh_find_kernel(code);
  const char *reason = kernel->check(&call);
  if (reason) printf("%s: %s\n", name, reason), exit(1);
  const uint32_t all = wh_detect_cpu();
  const uint32_t masks[] = {wh_with_storage(all), wh_with_storage(all & WHERRY_CPU_AVX2), 0};
  printf("%-34s", name);
  for (int m = 0; m < 3; m++) {
    call.cpu = masks[m];
    int repeats = 1;
    double best = 1e9;
    for (int round = 0; round < 30; round++) {
      const double start = now();
      for (int i = 0; i < repeats; i++) kernel->run(&call);
      const double each = (now() - start) / repeats;
      if (each < best) best = each;
      repeats = (int)(0.0003 / best) + 1;
    }
    printf(" %9.2f us %6.2f", best * 1e6, (double)values / (best / per_cycle));
  }
  printf("\n");
}

static void depthwise(const char *model, int h, int w, int channels, int kernel, int stride) {
  const int oh = (h + stride - 1) / stride, ow = (w + stride - 1) / stride;
  wh_qconv p = {.batch = 1,
                .groups = channels,
                .channels = 1,
                .filters = 1,
                .in = {1, h, w},
                .out = {1, oh, ow},
                .kernel = {1, kernel, kernel},
                .stride = {1, stride, stride},
                .dilation = {1, 1, 1},
                .pad = {0, kernel / 2, kernel / 2},
                .x_zero = -128,
                .y_zero = -128,
                .low = -128,
                .high = 127,
                .y_row = channels};
  char name[64];
  snprintf(name, sizeof name, "%s %dx%dx%d k%d s%d", model, h, w, channels, kernel, stride);
  if (!strstr(name, wanted)) return;
  const int64_t block = 128 + 16 * kernel * kernel, values = (int64_t)oh * ow * channels;
  operand(0, WH_Q8, (int64_t)h * w * channels);
  operand(1, WH_INT8, (channels + 15) / 16 * block);
  for (int c = channels; c < (channels + 15) / 16 * 16; c++) {
    memset(tensors[1].data + c / 16 * block + c % 16 * 4, 0, 4);
    memset(tensors[1].data + c / 16 * block + c % 16 * 4 + 64, 0, 4);
  }
  for (int c = 0; c < channels; c++) {
    uint8_t *head = tensors[1].data + c / 16 * block + c % 16 * 4;
    memcpy(head, &(int32_t){c * 7 - 1000}, 4);
    memcpy(head + 64, &(float){0.002f + 0.0001f * (float)(c % 10)}, 4);
  }
  operand(2, WH_Q8, values);
  measure(name, 30, &p, 2, values);
  for (int i = 0; i < 3; i++) free(tensors[i].data);
}

static void pool(const char *model, int kind, int h, int w, int channels, int kernel, int stride) {
  wh_qpool p = {.kind = kind,
                .batch = 1,
                .channels = channels,
                .in = {1, h, w},
                .out = {1, kernel ? h / stride : 1, kernel ? w / stride : 1},
                .kernel = {1, kernel ? kernel : h, kernel ? kernel : w},
                .stride = {1, stride, stride},
                .dilation = {1, 1, 1},
                .pad = {0, kernel / 3, kernel / 3},
                .pad_end = {0, kernel / 3, kernel / 3},
                .low = -128,
                .high = 127,
                .ratio = 0.9};
  char name[64];
  snprintf(name, sizeof name, "%s %s %dx%dx%d k%d s%d", model, kind ? "average" : "max", h, w,
           channels, kernel, stride);
  if (!strstr(name, wanted)) return;
  operand(0, WH_Q8, (int64_t)h * w * channels);
  operand(1, WH_Q8, (int64_t)p.out[1] * p.out[2] * channels);
  measure(name, 33, &p, 1, (int64_t)h * w * channels);
  for (int i = 0; i < 2; i++) free(tensors[i].data);
}

int main(int count, char **arguments) {
  if (count > 1) wanted = arguments[1];
  per_cycle = cycle();
  printf("%.2f GHz; all, AVX2, scalar: time, values a cycle\n", 1e-9 / per_cycle);
  depthwise("KWS", 25, 5, 64, 3, 1);
  static const int vww[][3] = {{48, 8, 1},  {48, 16, 2}, {24, 32, 1}, {24, 32, 2}, {12, 64, 1},
                               {12, 64, 2}, {6, 128, 1}, {6, 128, 2}, {3, 256, 1}};
  for (int i = 0; i < 9; i++) depthwise("VWW", vww[i][0], vww[i][0], vww[i][1], 3, vww[i][2]);
  static const int v2[][3] = {{112, 32, 1}, {112, 96, 2}, {56, 144, 1}, {56, 144, 2}, {28, 192, 1},
                              {28, 192, 2}, {14, 384, 1}, {14, 576, 1}, {14, 576, 2}, {7, 960, 1}};
  for (int i = 0; i < 10; i++) depthwise("MobileNetV2", v2[i][0], v2[i][0], v2[i][1], 3, v2[i][2]);
  depthwise("MobileNetV3", 28, 28, 72, 5, 2);
  depthwise("MobileNetV3", 28, 28, 120, 5, 1);
  depthwise("MobileNetV3", 14, 14, 240, 5, 1);
  depthwise("MobileNetV3", 7, 7, 960, 5, 1);
  depthwise("global", 7, 7, 512, 7, 1);
  pool("KWS", 1, 25, 5, 64, 0, 1);
  pool("VWW", 1, 3, 3, 256, 0, 1);
  pool("MobileNetV2", 1, 7, 7, 1280, 0, 1);
  pool("ResNet", 1, 8, 8, 64, 0, 1);
  pool("ResNet50", 0, 112, 112, 64, 3, 2);
  pool("digits", 0, 28, 28, 16, 2, 2);
  pool("Inception", 1, 17, 17, 192, 3, 1);
}
