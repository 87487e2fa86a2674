/* q8.h in the vectors of vector.h, 16 values at a time: included after it, inside a target. Equal
 * to q8.h for every t but NaN. */
#ifndef WHERRY_Q8_VECTOR_H
#define WHERRY_Q8_VECTOR_H

#include "q8.h"
#include "vector.h"

#define WH_Q8_VECTORS (16 / WH_LANES)

typedef uint8_t vb16 __attribute__((vector_size(16)));
typedef uint8_t vb16_unaligned __attribute__((vector_size(16), aligned(1), may_alias));
typedef int32_t vi_unaligned __attribute__((vector_size(4 * WH_LANES), aligned(4), may_alias));

WH_INLINE vi q8_load_ints(const int32_t *p) { return *(const vi_unaligned *)p; }
WH_INLINE vb16 q8_load_bytes(const uint8_t *p) { return *(const vb16_unaligned *)p; }
WH_INLINE void q8_store_bytes(uint8_t *p, vb16 x) { *(vb16_unaligned *)p = x; }
/* The first n < 16 bytes. */
WH_INLINE void q8_store_part(uint8_t *p, vb16 x, int n) {
  uint64_t bytes[2];
  memcpy(bytes, &x, 16);
  if (n & 8) {
    memcpy(p, &bytes[0], 8);
    p += 8;
    bytes[0] = bytes[1];
  }
  if (n & 4) {
    memcpy(p, &bytes[0], 4);
    p += 4;
    bytes[0] >>= 32;
  }
  if (n & 2) {
    memcpy(p, &bytes[0], 2);
    p += 2;
    bytes[0] >>= 16;
  }
  if (n & 1) *p = (uint8_t)bytes[0];
}

/* float32 of int32, and int32 of an integral or any small float, half to even. */
WH_INLINE vf q8_float(vi x) { return __builtin_convertvector(x, vf); }
#if defined(__x86_64__) && WH_LANES == 16
WH_INLINE vi q8_int(vf x) { return (vi)_mm512_cvtps_epi32((__m512)x); }
#elif defined(__x86_64__) && WH_LANES == 8
WH_INLINE vi q8_int(vf x) { return (vi)_mm256_cvtps_epi32((__m256)x); }
#elif defined(__x86_64__)
WH_INLINE vi q8_int(vf x) { return (vi)_mm_cvtps_epi32((__m128)x); }
#elif defined(__aarch64__)
WH_INLINE vi q8_int(vf x) { return (vi)vcvtnq_s32_f32((float32x4_t)x); }
#else
WH_INLINE vi q8_int(vf x) { return (vi)(x + 12582912.0f) - 0x4B400000; }
#endif

/* rhe(clamp(t, low, high)) */
WH_INLINE vi q8_clamp(vf t, float low, float high) {
  return q8_int(v_at_most(v_all(high), v_at_least(v_all(low), t)));
}

/* The same as float32, for a sum that goes on. */
WH_INLINE vf q8_clamp_float(vf t, float low, float high) {
  return q8_float(q8_clamp(t, low, high));
}

/* The low bytes of 16 numbers in -32768 ... 32767. */
WH_INLINE vb16 q8_low_bytes(const vi x[WH_Q8_VECTORS]) {
#if defined(__x86_64__) && WH_LANES == 16
  return (vb16)_mm512_cvtepi32_epi8((__m512i)x[0]);
#elif defined(__x86_64__) && WH_LANES == 8
  const __m256i words = _mm256_permute4x64_epi64(
      _mm256_and_si256(_mm256_packs_epi32((__m256i)x[0], (__m256i)x[1]), _mm256_set1_epi16(255)),
      0xD8);
  return (vb16)_mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
#elif defined(__x86_64__)
  const __m128i low = _mm_packs_epi32((__m128i)x[0], (__m128i)x[1]), mask = _mm_set1_epi16(255);
  const __m128i high = _mm_packs_epi32((__m128i)x[2], (__m128i)x[3]);
  return (vb16)_mm_packus_epi16(_mm_and_si128(low, mask), _mm_and_si128(high, mask));
#elif defined(__ARM_NEON)
  const int16x8_t low = vcombine_s16(vmovn_s32((int32x4_t)x[0]), vmovn_s32((int32x4_t)x[1]));
  const int16x8_t high = vcombine_s16(vmovn_s32((int32x4_t)x[2]), vmovn_s32((int32x4_t)x[3]));
  return (vb16)vcombine_s8(vmovn_s16(low), vmovn_s16(high));
#else
  vb16 bytes;
  for (int i = 0; i < 16; i++) bytes[i] = (uint8_t)x[i / WH_LANES][i % WH_LANES];
  return bytes;
#endif
}

/* 16 stored bytes as int32 value - zero; zero in the signed view, flip that of wh_q8_flip. */
WH_INLINE void q8_values(vb16 x, uint8_t flip, int32_t zero, vi to[WH_Q8_VECTORS]) {
#if defined(__ARM_NEON)
  const int8x16_t q = (int8x16_t)(x ^ flip);
  const int16x8_t low = vmovl_s8(vget_low_s8(q)), high = vmovl_s8(vget_high_s8(q));
  to[0] = (vi)vmovl_s16(vget_low_s16(low)) - zero;
  to[1] = (vi)vmovl_s16(vget_high_s16(low)) - zero;
  to[2] = (vi)vmovl_s16(vget_low_s16(high)) - zero;
  to[3] = (vi)vmovl_s16(vget_high_s16(high)) - zero;
#else
  const vb16 u = x ^ (uint8_t)(flip ^ 0x80);
#if defined(__x86_64__) && WH_LANES == 16
  to[0] = (vi)_mm512_cvtepu8_epi32((__m128i)u);
#elif defined(__x86_64__) && WH_LANES == 8
  to[0] = (vi)_mm256_cvtepu8_epi32((__m128i)u);
  to[1] = (vi)_mm256_cvtepu8_epi32(_mm_srli_si128((__m128i)u, 8));
#else
  for (int i = 0; i < 16; i++) to[i / WH_LANES][i % WH_LANES] = u[i];
#endif
  WH_UNROLL
  for (int i = 0; i < WH_Q8_VECTORS; i++) to[i] -= zero + 128;
#endif
}

/* The stored bytes of clamp(rhe(t) + zero, low, high). */
WH_INLINE vb16 q8_bytes(const vf t[WH_Q8_VECTORS], const wh_q8_range *range) {
  vi x[WH_Q8_VECTORS];
  WH_UNROLL
  for (int i = 0; i < WH_Q8_VECTORS; i++) x[i] = q8_clamp(t[i], range->low, range->high);
  return q8_low_bytes(x) + range->zero;
}

/* The stored bytes of 16 accumulators, each with its factor. */
WH_INLINE vb16 q8_requantize(const vi acc[WH_Q8_VECTORS], const vf factor[WH_Q8_VECTORS],
                             const wh_q8_range *range) {
  vf t[WH_Q8_VECTORS];
  WH_UNROLL
  for (int i = 0; i < WH_Q8_VECTORS; i++) t[i] = q8_float(acc[i]) * factor[i];
  return q8_bytes(t, range);
}

#endif
