#include "bytes.h"

#include "../common/operands.h"
/**/
#include "../common/compact.h"

#if defined(__x86_64__)

/* The variants take WH_Q8 as the processor's own sessions store it. */
static uint32_t stored(uint32_t cpu) { return cpu & WH_CPU_UNSIGNED ? cpu : 0; }

#define CHOICE(cpu, name) ((cpu)&WHERRY_CPU_AVX512 ? name##_avx512 : AVX2_CHOICE(cpu, name))

/* Where wider vectors gain little. */
#define AVX2_CHOICE(cpu, name) \
  ((cpu)&WHERRY_CPU_AVX2 ? name##_avx2 : (cpu)&WHERRY_CPU_SSE2 ? name##_sse2 : name##_scalar)

/* The variants round what stays below 2^31. */
wh_bytes_binary_function *wh_bytes_binary(uint32_t cpu, const wh_qbinary *p) {
  const bool small =
      p->kind == WH_MUL ? p->a_factor <= 0x1p14f : p->a_factor + p->b_factor <= 0x1p22f;
  return CHOICE(small ? stored(cpu) : 0, wh_bytes_binary);
}

wh_bytes_lookup_function *wh_bytes_lookup(uint32_t cpu, int64_t count) {
  if (cpu & WH_CPU_VBMI) return wh_bytes_lookup_vbmi;
  return cpu & WHERRY_CPU_AVX2 && count >= 64 ? wh_bytes_lookup_avx2 : wh_bytes_lookup_scalar;
}

#else

/* WH_CPU_UNSIGNED is never set here. */
static uint32_t stored(uint32_t cpu) { return cpu; }

#if defined(__ARM_NEON)
#define CHOICE(cpu, name) ((void)(cpu), name##_neon)
#else
#define CHOICE(cpu, name) ((void)(cpu), name##_scalar)
#endif
#define AVX2_CHOICE CHOICE

wh_bytes_binary_function *wh_bytes_binary(uint32_t cpu, const wh_qbinary *p) {
  (void)p;
  return CHOICE(cpu, wh_bytes_binary);
}

wh_bytes_lookup_function *wh_bytes_lookup(uint32_t cpu, int64_t count) {
  (void)cpu;
  (void)count;
#if defined(__aarch64__)
  return wh_bytes_lookup_neon;
#else
  return wh_bytes_lookup_scalar;
#endif
}

#endif

wh_bytes_quantize_function *wh_bytes_quantize(uint32_t cpu) {
  return CHOICE(cpu, wh_bytes_quantize);
}

wh_bytes_dequantize_function *wh_bytes_dequantize(uint32_t cpu, float scale) {
#if defined(__arm__) /* its vectors know no subnormals */
  if (!(scale >= 0x1p-126f)) return wh_bytes_dequantize_scalar;
#endif
  (void)scale;
  return CHOICE(cpu, wh_bytes_dequantize);
}

wh_range_function *wh_range_of(uint32_t cpu) { return AVX2_CHOICE(cpu, wh_range); }

wh_softmax_table_function *wh_softmax_table(uint32_t cpu) {
  return AVX2_CHOICE(stored(cpu), wh_softmax_table);
}

wh_resize_function *wh_resize(uint32_t cpu, const wh_qresize *p) {
  if ((int64_t)p->taps[0] * p->taps[1] > WH_RESIZE_TAPS) return wh_resize_scalar;
#if defined(__x86_64__) /* rounds what stays below 2^31 */
  if (p->factor >= 1) return wh_resize_scalar;
#endif
  return AVX2_CHOICE(stored(cpu), wh_resize);
}

#include "../common/region_end.h"
