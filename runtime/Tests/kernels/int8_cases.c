#include "int8_cases.h"

int stored_cpus(uint32_t masks[MAX_STORED_CPUS]) {
  uint32_t plain[MAX_CPUS];
  const int cpus = cpu_masks(plain);
  int count = 0;
  for (int i = 0; i < cpus; i++) masks[count++] = wh_with_storage(plain[i]);
#if !defined(__ARM_NEON) /* whose kernels know one signedness */
  masks[count++] = masks[0] ^ WH_CPU_UNSIGNED;
  masks[count++] = masks[cpus - 1] ^ WH_CPU_UNSIGNED;
#endif
  return count;
}

uint8_t stored(int value, uint32_t cpu) {
  return (uint8_t)(value + (cpu & WH_CPU_UNSIGNED ? 128 : 0));
}

int value_of(uint8_t byte, uint32_t cpu) {
  return cpu & WH_CPU_UNSIGNED ? byte - 128 : (int8_t)byte;
}

int quantized(float t, int zero, int low, int high) {
  const double y = rint((double)t) + zero;
  return (int)fmin(fmax(y, low), high);
}

int64_t rounds(int64_t count) {
  const char *times = getenv("WHERRY_ROUNDS");
  return times ? count * strtoll(times, NULL, 10) : count;
}

float random_factor(double size) {
  switch (random_below(24)) {
    case 0:
      return 16777216.0f;
    case 1:
      return 1.17549435e-38f;
    case 2:
      return ldexpf(1, random_in(-30, 0)); /* accumulators half way between results */
    case 3:
      return 0.5f;
    default:
      return (float)(256.0 / (size + 1) * exp2((double)random_real(-3, 1)));
  }
}

void random_clamp(int32_t *zero, int32_t *low, int32_t *high) {
  static const int zeros[] = {0, -128, 127, -1, 5};
  *zero = random_below(2) ? random_in(-128, 127) : zeros[random_below(5)];
  *low = random_below(2) ? -128 : random_below(2) ? *zero : random_in(-128, 127);
  *high = random_below(2) ? 127 : random_in(*low, 127);
}
