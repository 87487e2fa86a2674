#include "harness.h"

static double at(const float *x, const int32_t in[3], int64_t channels, int64_t n, int64_t d,
                 int64_t h, int64_t w, int64_t c) {
  if (d < 0 || h < 0 || w < 0 || d >= in[0] || h >= in[1] || w >= in[2]) return 0;
  return (double)x[(((n * in[0] + d) * in[1] + h) * in[2] + w) * channels + c];
}

static void random_window(int32_t in[3], int32_t out[3], int32_t kernel[3], int32_t stride[3],
                          int32_t dilation[3], int32_t pad[3], int32_t pad_end[3], int largest) {
  for (int i = 0; i < 3; i++) {
    const bool flat = i == 0 && random_below(3) > 0;
    kernel[i] = flat ? 1 : random_in(1, largest);
    stride[i] = random_in(1, 3);
    dilation[i] = random_in(1, 2);
    pad[i] = random_below(kernel[i] + 1);
    pad_end[i] = random_below(kernel[i] + 1);
    const int32_t reach = (kernel[i] - 1) * dilation[i] + 1;
    in[i] = flat ? 1 : random_in(1, 12);
    while (in[i] + pad[i] + pad_end[i] < reach) in[i]++;
    out[i] = (in[i] + pad[i] + pad_end[i] - reach) / stride[i] + 1;
  }
}

static void convolve(bool depthwise, uint32_t cpu, int largest_kernel, int channels, int filters) {
  wh_conv p = {.batch = random_in(1, 2),
               .groups = random_below(3) ? 1 : random_in(1, 3),
               .channels = channels,
               .filters = filters,
               .low = -INFINITY,
               .high = INFINITY};
  int32_t pad_end[3];
  random_window(p.in, p.out, p.kernel, p.stride, p.dilation, p.pad, pad_end, largest_kernel);
  if (depthwise) {
    p.groups = channels;
    p.channels = p.filters = 1;
  }
  if (random_below(2)) p.low = 0;
  const int64_t in_pixels = (int64_t)p.batch * p.in[0] * p.in[1] * p.in[2];
  const int64_t out_pixels = (int64_t)p.batch * p.out[0] * p.out[1] * p.out[2];
  const int64_t x_width = (int64_t)p.groups * p.channels, y_width = (int64_t)p.groups * p.filters;
  const int64_t k = (int64_t)p.kernel[0] * p.kernel[1] * p.kernel[2] * p.channels;
  const int64_t panels = (p.filters + 15) / 16;
  test_case c;
  begin(&c, &p);
  float *x = input(&c, WH_FLOAT32, in_pixels * x_width);
  random_floats(x, in_pixels * x_width, -1, 1);
  const int64_t weight_count = depthwise ? k * p.groups : p.groups * panels * k * 16;
  float *w = input(&c, WH_FLOAT32, weight_count), *bias = NULL, *residual = NULL;
  memset(w, 0, (size_t)weight_count * sizeof *w);
  for (int64_t g = 0; g < p.groups; g++) {
    for (int64_t i = 0; i < k; i++) {
      for (int64_t m = 0; m < p.filters; m++)
        w[depthwise ? i * p.groups + g : ((g * panels + m / 16) * k + i) * 16 + m % 16] =
            random_real(-1, 1);
    }
  }
  if (random_below(2))
    random_floats(bias = input(&c, WH_FLOAT32, y_width), y_width, -1, 1);
  else
    absent_input(&c);
  if (random_below(2))
    random_floats(residual = input(&c, WH_FLOAT32, out_pixels * y_width), out_pixels * y_width, -1,
                  1);
  else
    absent_input(&c);
  float *y = output(&c, WH_FLOAT32, out_pixels * y_width);
  EXPECT(run(&c, depthwise ? 4 : 3, cpu) == 0, "status");
  for (int64_t i = 0; i < out_pixels * y_width; i++) {
    const int64_t g = i % y_width / p.filters, m = i % p.filters, pixel = i / y_width;
    const int64_t ow = pixel % p.out[2], oh = pixel / p.out[2] % p.out[1];
    const int64_t od = pixel / p.out[2] / p.out[1] % p.out[0];
    const int64_t n = pixel / p.out[2] / p.out[1] / p.out[0];
    double sum = bias ? (double)bias[i % y_width] : 0;
    for (int64_t t = 0; t < k; t++) {
      const int64_t channel = t % p.channels, tap = t / p.channels;
      const int64_t kw = tap % p.kernel[2], kh = tap / p.kernel[2] % p.kernel[1];
      const int64_t kd = tap / p.kernel[2] / p.kernel[1];
      const double v =
          at(x, p.in, x_width, n, od * p.stride[0] - p.pad[0] + kd * p.dilation[0],
             oh * p.stride[1] - p.pad[1] + kh * p.dilation[1],
             ow * p.stride[2] - p.pad[2] + kw * p.dilation[2], g * p.channels + channel);
      sum +=
          v *
          (double)w[depthwise ? t * p.groups + g : ((g * panels + m / 16) * k + t) * 16 + m % 16];
    }
    if (residual) sum += (double)residual[i];
    sum = fmax(sum, (double)p.low);
    EXPECT(near((double)y[i], sum, 1e-5, 1e-6 * (double)(k + 4)),
           "cpu %x groups %d channels %d filters %d kernel %dx%dx%d: y[%lld] = %g, not %g", cpu,
           p.groups, p.channels, p.filters, p.kernel[0], p.kernel[1], p.kernel[2], (long long)i,
           (double)y[i], sum);
  }
  end(&c);
}

static void convolutionsOfEveryShape(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int round = 0; round < 150; round++)
    convolve(false, masks[round % cpus], 4, random_in(1, 20), random_in(1, 40));
}

static void convolutionsOfManyTapsAndChannels(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int round = 0; round < 9; round++) {
    convolve(false, masks[round % cpus], 2, random_in(255, 520), random_in(1, 20));
    convolve(false, masks[round % cpus], 8, random_in(15, 40), random_in(1, 20));
  }
}

static void depthwiseConvolutionsOfEveryShape(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int round = 0; round < 150; round++)
    convolve(true, masks[round % cpus], 5, random_in(1, 40), 1);
}

static void pool(uint32_t cpu) {
  wh_pool p = {.kind = random_below(3),
               .batch = random_in(1, 2),
               .channels = random_in(1, 11),
               .p = random_in(1, 3),
               .count_include_pad = random_below(2)};
  random_window(p.in, p.out, p.kernel, p.stride, p.dilation, p.pad, p.pad_end, 4);
  for (int i = 0; i < 3; i++) { /* every window holds an element */
    if (p.pad[i] >= p.kernel[i]) p.pad[i] = p.kernel[i] - 1;
    const int32_t reach = (p.kernel[i] - 1) * p.dilation[i] + 1;
    if (p.in[i] < reach) p.in[i] = reach;
    p.out[i] = (p.in[i] + p.pad[i] + p.pad_end[i] - reach) / p.stride[i] + 1;
    while (p.out[i] > 1 && (p.out[i] - 1) * p.stride[i] - p.pad[i] >= p.in[i]) p.out[i]--;
  }
  test_case c;
  begin(&c, &p);
  const int64_t size = (int64_t)p.batch * p.in[0] * p.in[1] * p.in[2] * p.channels;
  const int64_t out = (int64_t)p.batch * p.out[0] * p.out[1] * p.out[2] * p.channels;
  float *x = input(&c, WH_FLOAT32, size), *y = output(&c, WH_FLOAT32, out);
  random_floats(x, size, -1, 1);
  EXPECT(run(&c, 13, cpu) == 0, "status");
  for (int64_t i = 0; i < out; i++) {
    const int64_t channel = i % p.channels, pixel = i / p.channels;
    const int64_t o[3] = {pixel / p.out[2] / p.out[1] % p.out[0], pixel / p.out[2] % p.out[1],
                          pixel % p.out[2]};
    const int64_t n = pixel / p.out[2] / p.out[1] / p.out[0];
    double most = -INFINITY, sum = 0, valid = 0, padded = 0;
    for (int64_t t = 0; t < p.kernel[0] * p.kernel[1] * p.kernel[2]; t++) {
      const int64_t k[3] = {t / p.kernel[2] / p.kernel[1], t / p.kernel[2] % p.kernel[1],
                            t % p.kernel[2]};
      int64_t q[3];
      bool in = true, in_pad = true;
      for (int j = 0; j < 3; j++) {
        q[j] = o[j] * p.stride[j] - p.pad[j] + k[j] * p.dilation[j];
        in = in && q[j] >= 0 && q[j] < p.in[j];
        in_pad = in_pad && q[j] < p.in[j] + p.pad_end[j];
      }
      padded += in_pad;
      if (!in) continue;
      const double v = at(x, p.in, p.channels, n, q[0], q[1], q[2], channel);
      valid++;
      most = fmax(most, v);
      sum += p.kind == 1 ? v : pow(fabs(v), p.p);
    }
    const double expected = p.kind == 0   ? most
                            : p.kind == 1 ? sum / (p.count_include_pad ? padded : valid)
                                          : pow(sum, 1.0 / p.p);
    EXPECT(near((double)y[i], expected, 1e-5, 1e-6), "kind %d: y[%lld] = %g, not %g", p.kind,
           (long long)i, (double)y[i], expected);
  }
  end(&c);
}

static void poolsOfEveryShape(void) {
  for (int round = 0; round < 100; round++) pool(wh_detect_cpu());
}

const test conv_tests[] = {{"convolutionsOfEveryShape", convolutionsOfEveryShape},
                           {"convolutionsOfManyTapsAndChannels", convolutionsOfManyTapsAndChannels},
                           {"depthwiseConvolutionsOfEveryShape", depthwiseConvolutionsOfEveryShape},
                           {"poolsOfEveryShape", poolsOfEveryShape},
                           {NULL, NULL}};
