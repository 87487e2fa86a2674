/* Vectors of WH_LANES floats (4 unless defined before inclusion) in the compilers' vector
 * extension. A variant's file defines WH_LANES, opens its target, then includes this and its
 * family's body. */
#ifndef WHERRY_VECTOR_H
#define WHERRY_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#ifndef WH_LANES
#define WH_LANES 4
#endif

#if defined(__clang__)
#define WH_UNROLL _Pragma("clang loop unroll(full)")
#else
#define WH_UNROLL _Pragma("GCC unroll 16")
#endif
#define WH_INLINE static inline __attribute__((always_inline, unused))

typedef float vf __attribute__((vector_size(4 * WH_LANES)));
typedef int32_t vi __attribute__((vector_size(4 * WH_LANES)));
typedef float vf_unaligned __attribute__((vector_size(4 * WH_LANES), aligned(4), may_alias));

WH_INLINE vf v_load(const float *p) { return *(const vf_unaligned *)p; }
WH_INLINE void v_store(float *p, vf x) { *(vf_unaligned *)p = x; }
WH_INLINE vf v_all(float x) { return x - (vf){0}; }
WH_INLINE vi v_bits(vf x) { return (vi)x; }
WH_INLINE vf v_float(vi x) { return (vf)x; }
WH_INLINE vf v_select(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
WH_INLINE vf v_abs(vf x) { return (vf)((vi)x & 0x7FFFFFFF); }
WH_INLINE vf v_sign_of(vf magnitude, vf sign) {
  return (vf)(((vi)magnitude & 0x7FFFFFFF) | ((vi)sign & INT32_MIN));
}

/* Sum of the lanes, by halves. */
WH_INLINE float v_total(vf x) {
  float lanes[WH_LANES];
  memcpy(lanes, &x, sizeof lanes);
  WH_UNROLL
  for (int half = WH_LANES / 2; half > 0; half /= 2) {
    WH_UNROLL
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

/* The largest of the lanes, all of which are numbers, by halves. */
WH_INLINE float v_most(vf x) {
  float lanes[WH_LANES];
  memcpy(lanes, &x, sizeof lanes);
  WH_UNROLL
  for (int half = WH_LANES / 2; half > 0; half /= 2) {
    WH_UNROLL
    for (int i = 0; i < half; i++)
      lanes[i] = lanes[i + half] > lanes[i] ? lanes[i + half] : lanes[i];
  }
  return lanes[0];
}

/* max(bound, x) and min(bound, x); NaN in x stays. */
#if defined(__x86_64__) && WH_LANES == 4
WH_INLINE vf v_at_least(vf bound, vf x) { return (vf)_mm_max_ps((__m128)bound, (__m128)x); }
WH_INLINE vf v_at_most(vf bound, vf x) { return (vf)_mm_min_ps((__m128)bound, (__m128)x); }
#elif defined(__x86_64__) && WH_LANES == 8
WH_INLINE vf v_at_least(vf bound, vf x) { return (vf)_mm256_max_ps((__m256)bound, (__m256)x); }
WH_INLINE vf v_at_most(vf bound, vf x) { return (vf)_mm256_min_ps((__m256)bound, (__m256)x); }
#elif defined(__x86_64__)
WH_INLINE vf v_at_least(vf bound, vf x) { return (vf)_mm512_max_ps((__m512)bound, (__m512)x); }
WH_INLINE vf v_at_most(vf bound, vf x) { return (vf)_mm512_min_ps((__m512)bound, (__m512)x); }
#elif defined(__ARM_NEON)
WH_INLINE vf v_at_least(vf bound, vf x) {
  return (vf)vmaxq_f32((float32x4_t)bound, (float32x4_t)x);
}
WH_INLINE vf v_at_most(vf bound, vf x) { return (vf)vminq_f32((float32x4_t)bound, (float32x4_t)x); }
#else
WH_INLINE vf v_at_least(vf bound, vf x) { return v_select(x < bound, bound, x); }
WH_INLINE vf v_at_most(vf bound, vf x) { return v_select(x > bound, bound, x); }
#endif

/* a * b + c, fused where the target fuses cheaply. */
#if defined(__x86_64__) && WH_LANES == 8
WH_INLINE vf v_fma(vf a, vf b, vf c) {
  return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
#elif defined(__x86_64__) && WH_LANES == 16
WH_INLINE vf v_fma(vf a, vf b, vf c) {
  return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
#elif defined(__aarch64__)
WH_INLINE vf v_fma(vf a, vf b, vf c) {
  return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
#else
WH_INLINE vf v_fma(vf a, vf b, vf c) { return a * b + c; }
#endif

/* The first n < WH_LANES floats, zeros after; and storing so many. */
#if defined(__x86_64__) && WH_LANES == 16
WH_INLINE vf v_load_part(const float *p, int64_t n) {
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
WH_INLINE void v_store_part(float *p, vf x, int64_t n) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
}
#elif defined(__x86_64__) && WH_LANES == 8
WH_INLINE __m256i v_first(int64_t n) {
  const __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), at);
}
WH_INLINE vf v_load_part(const float *p, int64_t n) {
  return (vf)_mm256_maskload_ps(p, v_first(n));
}
WH_INLINE void v_store_part(float *p, vf x, int64_t n) {
  _mm256_maskstore_ps(p, v_first(n), (__m256)x);
}
#else
WH_INLINE vf v_load_part(const float *p, int64_t n) {
  return (vf){p[0], n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, 0};
}
WH_INLINE void v_store_part(float *p, vf x, int64_t n) {
  p[0] = x[0];
  if (n > 1) p[1] = x[1];
  if (n > 2) p[2] = x[2];
}
#endif

#endif
