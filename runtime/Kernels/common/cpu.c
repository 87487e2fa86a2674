#include "../../ABI/wherry.h"
#include "../include/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

uint32_t wh_detect_cpu(void) {
  unsigned a, b, c, d, b7, c7, d7, a71, b71, c71, d71;
  uint32_t found = WHERRY_CPU_SSE2;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
  const unsigned osxsave = 1u << 27, avx = 1u << 28, fma = 1u << 12;
  if ((c & (osxsave | avx | fma)) != (osxsave | avx | fma)) return found;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & 6) != 6) return found;
  if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7) || !(b7 & 1u << 5)) return found;
  found |= WHERRY_CPU_AVX2;
  if (a >= 1 && __get_cpuid_count(7, 1, &a71, &b71, &c71, &d71) && (a71 & 1u << 4))
    found |= WHERRY_CPU_AVX_VNNI;
  const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
  if ((low & 0xE6) == 0xE6 && (b7 & avx512) == avx512) {
    found |= WHERRY_CPU_AVX512;
    if (c7 & 1u << 11) found |= WHERRY_CPU_AVX512_VNNI;
  }
  return found;
}

#elif defined(__linux__) && (defined(__aarch64__) || defined(__arm__))
#include <sys/auxv.h>

uint32_t wh_detect_cpu(void) {
  unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  uint32_t found = 0;
#if defined(__aarch64__)
  if (first & 1ul << 1) found |= WHERRY_CPU_NEON;
  if (first & 1ul << 20) found |= WHERRY_CPU_DOTPROD;
  if (second & 1ul << 13) found |= WHERRY_CPU_I8MM;
#else
  (void)second;
  if (first & 1ul << 12) found |= WHERRY_CPU_NEON;
  if (first & 1ul << 24) found |= WHERRY_CPU_DOTPROD;
  if (first & 1ul << 27) found |= WHERRY_CPU_I8MM;
#endif
  return found;
}

#else
uint32_t wh_detect_cpu(void) { return 0; }
#endif

uint32_t wh_with_storage(uint32_t cpu) {
  cpu &= ~(WH_CPU_UNSIGNED | WH_CPU_VBMI);
#if defined(__x86_64__)
  if (cpu & (WHERRY_CPU_SSE2 | WHERRY_CPU_AVX2)) cpu |= WH_CPU_UNSIGNED;
  unsigned a, b, c = 0, d;
  if (cpu & WHERRY_CPU_AVX512 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 1)
    cpu |= WH_CPU_VBMI;
#endif
  return cpu;
}
