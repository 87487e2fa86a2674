/* How many multiply-accumulates a second one thread can do at most: independent dot-product or
 * fused multiply-add instructions on registers, nothing loaded. Each function returns the count it
 * did. */

#include <stdint.h>

#define CHAINS 12

/* Values the compiler can't see through. */
#if defined(__x86_64__)
#define HIDE(a, b) __asm__ volatile("" : "+x"(a), "+x"(b))
#else
#define HIDE(a, b) __asm__ volatile("" : "+w"(a), "+w"(b))
#endif

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512vnni"))) static uint64_t int8_vnni512(uint64_t rounds) {
  __m512i sums[CHAINS], a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(2);
  HIDE(a, b);
  for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_set1_epi32(i);
  for (uint64_t r = 0; r < rounds; r++)
    for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
  for (int i = 1; i < CHAINS; i++) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
  volatile int sink = _mm512_reduce_add_epi32(sums[0]);
  (void)sink;
  return rounds * CHAINS * 64;
}

/* Without dot-product instructions an exact 8-bit product takes 16-bit lanes. */
__attribute__((target("avx2"))) static uint64_t int8_avx2(uint64_t rounds) {
  __m256i sums[CHAINS], a = _mm256_set1_epi16(1), b = _mm256_set1_epi16(2);
  HIDE(a, b);
  for (int i = 0; i < CHAINS; i++) sums[i] = _mm256_set1_epi32(i);
  for (uint64_t r = 0; r < rounds; r++)
    for (int i = 0; i < CHAINS; i++) {
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(a, b));
      HIDE(a, b);
    }
  for (int i = 1; i < CHAINS; i++) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
  volatile int sink = _mm256_extract_epi32(sums[0], 0);
  (void)sink;
  return rounds * CHAINS * 16;
}

__attribute__((target("avx512f"))) static uint64_t float_avx512(uint64_t rounds) {
  __m512 sums[CHAINS], a = _mm512_set1_ps(1), b = _mm512_set1_ps(1e-9f);
  HIDE(a, b);
  for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_set1_ps(i);
  for (uint64_t r = 0; r < rounds; r++)
    for (int i = 0; i < CHAINS; i++) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  for (int i = 1; i < CHAINS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  volatile float sink = _mm512_reduce_add_ps(sums[0]);
  (void)sink;
  return rounds * CHAINS * 16;
}

__attribute__((target("avx2,fma"))) static uint64_t float_fma(uint64_t rounds) {
  __m256 sums[CHAINS], a = _mm256_set1_ps(1), b = _mm256_set1_ps(1e-9f);
  HIDE(a, b);
  for (int i = 0; i < CHAINS; i++) sums[i] = _mm256_set1_ps(i);
  for (uint64_t r = 0; r < rounds; r++)
    for (int i = 0; i < CHAINS; i++) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  for (int i = 1; i < CHAINS; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  volatile float sink = _mm256_cvtss_f32(sums[0]);
  (void)sink;
  return rounds * CHAINS * 8;
}

uint64_t peak_int8(uint64_t rounds) {
  return __builtin_cpu_supports("avx512vnni") ? int8_vnni512(rounds) : int8_avx2(rounds);
}

uint64_t peak_float(uint64_t rounds) {
  return __builtin_cpu_supports("avx512f") ? float_avx512(rounds) : float_fma(rounds);
}

#elif defined(__aarch64__)
#include <arm_neon.h>

uint64_t peak_int8(uint64_t rounds) {
  int32x4_t sums[CHAINS];
  int8x16_t a = vdupq_n_s8(1), b = vdupq_n_s8(2);
  HIDE(a, b);
  for (int i = 0; i < CHAINS; i++) sums[i] = vdupq_n_s32(i);
  for (uint64_t r = 0; r < rounds; r++)
    for (int i = 0; i < CHAINS; i++) sums[i] = vdotq_s32(sums[i], a, b);
  for (int i = 1; i < CHAINS; i++) sums[0] = veorq_s32(sums[0], sums[i]);
  volatile int sink = vaddvq_s32(sums[0]);
  (void)sink;
  return rounds * CHAINS * 16;
}

uint64_t peak_float(uint64_t rounds) {
  float32x4_t sums[CHAINS], a = vdupq_n_f32(1), b = vdupq_n_f32(1e-9f);
  HIDE(a, b);
  for (int i = 0; i < CHAINS; i++) sums[i] = vdupq_n_f32((float)i);
  for (uint64_t r = 0; r < rounds; r++)
    for (int i = 0; i < CHAINS; i++) sums[i] = vfmaq_f32(sums[i], a, b);
  for (int i = 1; i < CHAINS; i++) sums[0] = vaddq_f32(sums[0], sums[i]);
  volatile float sink = vaddvq_f32(sums[0]);
  (void)sink;
  return rounds * CHAINS * 4;
}
#endif
