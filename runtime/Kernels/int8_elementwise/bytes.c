#include "bytes.h"

#include "../common/operands.h"
/**/
#include "../common/compact.h"

/* The variant for this processor. */
#if defined(__x86_64__)
#define CHOICE(cpu, name) \
  ((cpu)&WHERRY_CPU_AVX512 ? name##_avx512 : (cpu)&WHERRY_CPU_AVX2 ? name##_avx2 : NULL)
#elif defined(__ARM_NEON)
#define CHOICE(cpu, name) ((cpu)&WHERRY_CPU_NEON ? name##_neon : NULL)
#else
#define CHOICE(cpu, name) ((void)(cpu), NULL)
#endif

#if defined(__x86_64__)
#define STORAGE WH_CPU_UNSIGNED /* of WH_Q8 where a variant is used */
#else
#define STORAGE 0
#endif

/* Does every value to be rounded stay below 2^22? */
static bool is_small(const wh_qbinary *p) {
  return p->kind == WH_MUL ? p->a_factor <= 64 : p->a_factor + p->b_factor <= 0x1p14f;
}

void wh_bytes_binary(uint32_t cpu, const wh_qbinary *p, const uint8_t *a, int a_step,
                     const uint8_t *b, int b_step, uint8_t *y, int64_t count) {
  wh_bytes_binary_function *vectors = CHOICE(cpu, wh_bytes_binary);
  if (vectors && (cpu & WH_CPU_UNSIGNED) == STORAGE && is_small(p))
    vectors(p, a, a_step, b, b_step, y, count);
  else
    wh_bytes_binary_scalar(p, cpu & WH_CPU_UNSIGNED ? 0x80 : 0, a, a_step, b, b_step, y, count);
}

void wh_bytes_lookup(uint32_t cpu, const uint8_t table[256], const uint8_t *x, uint8_t *y,
                     int64_t count) {
  wh_bytes_lookup_function *run = wh_bytes_lookup_scalar;
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX2 && count >= 64) run = wh_bytes_lookup_avx2;
  if (cpu & WH_CPU_VBMI) run = wh_bytes_lookup_vbmi;
#elif defined(__aarch64__)
  if (cpu & WHERRY_CPU_NEON && count >= 64) run = wh_bytes_lookup_neon;
#endif
  (void)cpu;
  run(table, x, y, count);
}

void wh_bytes_quantize(uint32_t cpu, const float *x, float scale, int32_t zero, uint8_t flip,
                       uint8_t *y, int64_t count) {
  wh_bytes_quantize_function *vectors = CHOICE(cpu, wh_bytes_quantize);
  if (vectors && scale >= 0x1p-100f && scale <= 0x1p100f)
    vectors(x, scale, zero, flip, y, count);
  else
    wh_bytes_quantize_scalar(x, scale, zero, flip, y, count);
}

void wh_bytes_dequantize(uint32_t cpu, const uint8_t *x, uint8_t flip, int32_t zero, float scale,
                         float *y, int64_t count) {
  wh_bytes_dequantize_function *vectors = CHOICE(cpu, wh_bytes_dequantize);
  if (vectors && scale >= 0x1p-126f) /* ARMv7's vectors know no subnormals */
    vectors(x, flip, zero, scale, y, count);
  else
    wh_bytes_dequantize_scalar(x, flip, zero, scale, y, count);
}

wh_range wh_range_of(uint32_t cpu, const float *x, int64_t count) {
  wh_range_function *vectors = CHOICE(cpu, wh_range);
  return vectors ? vectors(x, count) : wh_range_scalar(x, count);
}

wh_softmax_table_function *wh_softmax_table(uint32_t cpu) {
  return (cpu & WH_CPU_UNSIGNED) == STORAGE ? CHOICE(cpu, wh_softmax_table) : NULL;
}

wh_resize_function *wh_resize(uint32_t cpu) {
  return (cpu & WH_CPU_UNSIGNED) == STORAGE ? CHOICE(cpu, wh_resize) : NULL;
}

#include "../common/region_end.h"
