#include "window8.h"

int cpu_masks8(uint32_t masks[MAX_CPUS8]) {
  const uint32_t all = wh_detect_cpu();
  const uint32_t vnni512 = WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI;
  const uint32_t sets[] = {WHERRY_CPU_SSE2,
                           WHERRY_CPU_AVX2,
                           WHERRY_CPU_AVX2 | WHERRY_CPU_AVX512,
                           WHERRY_CPU_AVX2 | WHERRY_CPU_AVX_VNNI,
                           WHERRY_CPU_AVX2 | vnni512,
                           WHERRY_CPU_NEON,
                           WHERRY_CPU_NEON | WHERRY_CPU_DOTPROD};
  int count = 0;
  masks[count++] = 0;
#if !defined(__ARM_NEON) /* whose kernels know one signedness */
  masks[count++] = WH_CPU_UNSIGNED;
#endif
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    if ((all & sets[i]) == sets[i]) masks[count++] = wh_with_storage(sets[i]);
  }
  masks[count++] = wh_with_storage(all);
  return count;
}

int rounds8(int rounds) {
  const char *times = getenv("WHERRY_TEST_ROUNDS");
  return times ? rounds * atoi(times) : rounds;
}

void random_bytes8(uint8_t *p, int64_t count) {
  const bool extreme = random_below(10) == 0;
  for (int64_t i = 0; i < count; i++) {
    const uint64_t bits = random_bits();
    p[i] = extreme ? (bits & 1 ? 0x7F : 0x80) : (uint8_t)(bits >> 8);
  }
}

void flip_bytes(uint8_t *p, int64_t count) {
  for (int64_t i = 0; i < count; i++) p[i] ^= 0x80;
}

void random_bounds(int32_t *zero, int32_t *low, int32_t *high) {
  *zero = random_in(-128, 127);
  *low = -128;
  *high = 127;
  switch (random_below(3)) {
    case 0:
      *low = random_in(-128, 127);
      *high = random_in(*low, 127);
      break;
    case 1:
      *low = *zero;
      break;
    default:
      break;
  }
}

void random_window8(int32_t in[3], int32_t out[3], int32_t kernel[3], int32_t stride[3],
                    int32_t dilation[3], int32_t pad[3], int32_t pad_end[3], int largest_kernel,
                    int largest_extent) {
  const int flat_axes = random_below(4) ? 1 : random_below(3); /* 2-D mostly, 3-D, 1-D */
  const bool plain = random_below(2); /* 3x3, stride 1 or 2, same padding */
  for (int i = 0; i < 3; i++) {
    const bool flat = i < flat_axes;
    kernel[i] = flat ? 1 : plain ? 3 : random_in(1, largest_kernel);
    stride[i] = flat ? 1 : random_in(1, plain ? 2 : 3);
    dilation[i] = flat || plain ? 1 : random_in(1, 2);
    pad[i] = flat ? 0 : plain ? random_in(0, 1) : random_below(kernel[i] + 1);
    pad_end[i] = flat ? 0 : plain ? 1 : random_below(kernel[i] + 1);
    in[i] = flat ? 1 : random_in(1, i == 0 ? 4 : largest_extent);
    const int32_t reach = (kernel[i] - 1) * dilation[i] + 1;
    while (in[i] + pad[i] + pad_end[i] < reach) in[i]++;
    out[i] = (in[i] + pad[i] + pad_end[i] - reach) / stride[i] + 1;
  }
}

int8_t rounded(float t, int32_t zero, int32_t low, int32_t high) {
  const double y = (double)nearbyintf(t) + zero;
  return (int8_t)fmin(fmax(y, low), high);
}

void split(int64_t o[3], int64_t *pixel, const int32_t out[3]) {
  for (int axis = 2; axis >= 0; axis--) {
    o[axis] = *pixel % out[axis];
    *pixel /= out[axis];
  }
}

int64_t position(const int32_t in[3], const int64_t o[3], const int64_t k[3],
                 const int32_t stride[3], const int32_t dilation[3], const int32_t pad[3],
                 int64_t image) {
  int64_t at = image;
  for (int i = 0; i < 3; i++) {
    const int64_t q = o[i] * stride[i] - pad[i] + k[i] * dilation[i];
    if (q < 0 || q >= in[i]) return -1;
    at = at * in[i] + q;
  }
  return at;
}
