/* Blocks of 4 * WH_LANES bytes as 32-bit lanes of vector.h, in order. Bytes are here as the
 * processor stores them, q + 128 on x86-64 and q on ARM, so that WH_Q8 needs no flip on the way. */
#ifndef WHERRY_BYTES_VECTOR_H
#define WHERRY_BYTES_VECTOR_H

#include "../common/vector.h"

enum { BLOCK = 4 * WH_LANES };
typedef uint32_t vu __attribute__((vector_size(4 * WH_LANES)));

typedef struct block {
  vi v[4];
} block;

typedef struct floats {
  vf v[4];
} floats;

/* What ends a value's way back to a byte: clamp(x + zero, low, high). */
typedef struct narrowing {
  int32_t zero, low, high;
} narrowing;

#if defined(__x86_64__)
#define STORED_FLIP 0x80 /* of WH_Q8 */
#else
#define STORED_FLIP 0
#endif

WH_INLINE vf v_float_of(vi x) { return __builtin_convertvector(x, vf); }

#if defined(__x86_64__) && WH_LANES == 16
typedef __m512i bytes;
#define ALL_BYTES(b) _mm512_set1_epi8((char)(b))
WH_INLINE bytes flip_bytes(bytes b, bytes flip) { return _mm512_xor_si512(b, flip); }
WH_INLINE void store_bytes(uint8_t *p, bytes b) { _mm512_storeu_si512(p, b); }
WH_INLINE void store_some(uint8_t *p, bytes b, int64_t n) {
  _mm512_mask_storeu_epi8(p, (__mmask64)((1ull << n) - 1), b);
}
WH_INLINE bytes narrow_lanes(const block *b, narrowing to) {
  const __m512i zero = _mm512_set1_epi16((short)(to.zero + 128));
  __m512i s = _mm512_packs_epi32((__m512i)b->v[0], (__m512i)b->v[1]);
  __m512i t = _mm512_packs_epi32((__m512i)b->v[2], (__m512i)b->v[3]);
  s = _mm512_packus_epi16(_mm512_adds_epi16(s, zero), _mm512_adds_epi16(t, zero));
  return _mm512_max_epu8(_mm512_min_epu8(s, ALL_BYTES(to.high + 128)), ALL_BYTES(to.low + 128));
}
WH_INLINE bytes narrow(const block *b, narrowing to) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, narrow_lanes(b, to));
}
WH_INLINE vi v_round(vf x) { return (vi)_mm512_cvtps_epi32((__m512)x); }
WH_INLINE vi v_upper(vi a, vi b) { return (vi)_mm512_max_epi32((__m512i)a, (__m512i)b); }
WH_INLINE int v_reaches(vi a, vi b) { return _mm512_cmpge_epi32_mask((__m512i)a, (__m512i)b) != 0; }

#elif defined(__x86_64__) && WH_LANES == 8
typedef __m256i bytes;
#define ALL_BYTES(b) _mm256_set1_epi8((char)(b))
WH_INLINE bytes flip_bytes(bytes b, bytes flip) { return _mm256_xor_si256(b, flip); }
WH_INLINE void store_bytes(uint8_t *p, bytes b) { _mm256_storeu_si256((__m256i *)p, b); }
WH_INLINE bytes narrow_lanes(const block *b, narrowing to) {
  const __m256i zero = _mm256_set1_epi16((short)(to.zero + 128));
  __m256i s = _mm256_packs_epi32((__m256i)b->v[0], (__m256i)b->v[1]);
  __m256i t = _mm256_packs_epi32((__m256i)b->v[2], (__m256i)b->v[3]);
  s = _mm256_packus_epi16(_mm256_adds_epi16(s, zero), _mm256_adds_epi16(t, zero));
  return _mm256_max_epu8(_mm256_min_epu8(s, ALL_BYTES(to.high + 128)), ALL_BYTES(to.low + 128));
}
WH_INLINE bytes narrow(const block *b, narrowing to) {
  return _mm256_permutevar8x32_epi32(narrow_lanes(b, to),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
WH_INLINE vi v_round(vf x) { return (vi)_mm256_cvtps_epi32((__m256)x); }
WH_INLINE vi v_upper(vi a, vi b) { return (vi)_mm256_max_epi32((__m256i)a, (__m256i)b); }
WH_INLINE int v_reaches(vi a, vi b) { return _mm256_movemask_epi8((__m256i)(a >= b)) != 0; }

#elif defined(__x86_64__)
typedef __m128i bytes;
#define ALL_BYTES(b) _mm_set1_epi8((char)(b))
WH_INLINE bytes flip_bytes(bytes b, bytes flip) { return _mm_xor_si128(b, flip); }
WH_INLINE void store_bytes(uint8_t *p, bytes b) { _mm_storeu_si128((__m128i *)p, b); }
WH_INLINE bytes narrow(const block *b, narrowing to) {
  const __m128i zero = _mm_set1_epi16((short)(to.zero + 128));
  __m128i s = _mm_packs_epi32((__m128i)b->v[0], (__m128i)b->v[1]);
  __m128i t = _mm_packs_epi32((__m128i)b->v[2], (__m128i)b->v[3]);
  s = _mm_packus_epi16(_mm_adds_epi16(s, zero), _mm_adds_epi16(t, zero));
  return _mm_max_epu8(_mm_min_epu8(s, ALL_BYTES(to.high + 128)), ALL_BYTES(to.low + 128));
}
#define narrow_lanes narrow
WH_INLINE vi v_round(vf x) { return (vi)_mm_cvtps_epi32((__m128)x); }
WH_INLINE vi v_upper(vi a, vi b) { return ((a > b) & a) | (~(a > b) & b); }
WH_INLINE int v_reaches(vi a, vi b) { return _mm_movemask_epi8((__m128i)(a >= b)) != 0; }

#else
typedef int8x16_t bytes;
#define ALL_BYTES(b) vdupq_n_s8((int8_t)(b))
WH_INLINE bytes flip_bytes(bytes b, bytes flip) { return veorq_s8(b, flip); }
WH_INLINE void store_bytes(uint8_t *p, bytes b) { vst1q_u8(p, vreinterpretq_u8_s8(b)); }
WH_INLINE bytes narrow(const block *b, narrowing to) {
  const int16x8_t zero = vdupq_n_s16((int16_t)to.zero);
  const int16x8_t s = vcombine_s16(vqmovn_s32((int32x4_t)b->v[0]), vqmovn_s32((int32x4_t)b->v[1]));
  const int16x8_t t = vcombine_s16(vqmovn_s32((int32x4_t)b->v[2]), vqmovn_s32((int32x4_t)b->v[3]));
  const int8x16_t r = vcombine_s8(vqmovn_s16(vqaddq_s16(s, zero)), vqmovn_s16(vqaddq_s16(t, zero)));
  return vmaxq_s8(vminq_s8(r, ALL_BYTES(to.high)), ALL_BYTES(to.low));
}
#define narrow_lanes narrow
#if defined(__aarch64__)
WH_INLINE vi v_round(vf x) { return (vi)vcvtnq_s32_f32((float32x4_t)x); }
#else
WH_INLINE vi v_round(vf x) {
  x = v_at_most(v_all(0x1p21f), v_at_least(v_all(-0x1p21f), x));
  return (vi)(x + 12582912.0f) - 0x4B400000;
}
#endif
WH_INLINE vi v_upper(vi a, vi b) { return (vi)vmaxq_s32((int32x4_t)a, (int32x4_t)b); }
WH_INLINE int v_reaches(vi a, vi b) {
  const uint16x4_t mask = vmovn_u32(vcgeq_s32((int32x4_t)a, (int32x4_t)b));
  return vget_lane_u64(vreinterpret_u64_u16(mask), 0) != 0;
}
#endif

#if !defined(__x86_64__) || WH_LANES != 16
WH_INLINE void store_some(uint8_t *p, bytes b, int64_t n) {
  uint8_t held[BLOCK];
  store_bytes(held, b);
  memcpy(p, held, (size_t)n);
}
#endif

/* What turns stored bytes into floats, (byte ^ flip) - zero with flip relative to how q is stored:
 * a block in the order that narrow_lanes() undoes, or in memory's. */
#if defined(__x86_64__) && WH_LANES == 4
typedef struct origin {
  vi zero;
  __m128i flip;
} origin;
WH_INLINE origin origin_of(uint8_t flip, int32_t zero) {
  return (origin){(vi){0} + (zero + 128), _mm_set1_epi8((char)flip)};
}
WH_INLINE floats in_order(const uint8_t *p, const origin *o) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i b = _mm_xor_si128(_mm_loadu_si128((const __m128i *)p), o->flip);
  const __m128i s = _mm_unpacklo_epi8(b, zero), t = _mm_unpackhi_epi8(b, zero);
  return (floats){{v_float_of((vi)_mm_unpacklo_epi16(s, zero) - o->zero),
                   v_float_of((vi)_mm_unpackhi_epi16(s, zero) - o->zero),
                   v_float_of((vi)_mm_unpacklo_epi16(t, zero) - o->zero),
                   v_float_of((vi)_mm_unpackhi_epi16(t, zero) - o->zero)}};
}
/* WH_LANES bytes as integers, as stored. */
WH_INLINE vi integers(const uint8_t *p) {
  const __m128i zero = _mm_setzero_si128();
  int32_t four;
  memcpy(&four, p, 4);
  return (vi)_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero), zero);
}
#define in_lanes in_order
#elif defined(__x86_64__)
typedef struct origin {
  bytes order[4]; /* byte 4 j + i of each 128 bits to the low end of its 32-bit lane i */
  vf less;
  vi zero;
  __m128i flip;
} origin;
WH_INLINE origin origin_of(uint8_t flip, int32_t zero) {
  origin o = {.zero = (vi){0} + (zero + 128), .flip = _mm_set1_epi8((char)flip)};
  o.less = v_float_of(o.zero) + 0x1p23f;
  WH_UNROLL
  for (int j = 0; j < 4; j++) {
    const int k = 4 * j | (WH_LANES == 8 ? (int)0x80808000 : 0);
#if WH_LANES == 16
    o.order[j] = _mm512_set4_epi32(k + 3, k + 2, k + 1, k);
#else
    o.order[j] = _mm256_setr_epi32(k, k + 1, k + 2, k + 3, k, k + 1, k + 2, k + 3);
#endif
    __asm__("" : "+x"(o.order[j])); /* else the compiler takes a longer way */
  }
  return o;
}
WH_INLINE vi widen(const uint8_t *p, const origin *o) {
#if WH_LANES == 16
  return (vi)_mm512_cvtepu8_epi32(_mm_xor_si128(_mm_loadu_si128((const __m128i *)p), o->flip));
#else
  return (vi)_mm256_cvtepu8_epi32(_mm_xor_si128(_mm_loadl_epi64((const __m128i *)p), o->flip));
#endif
}
WH_INLINE floats in_order(const uint8_t *p, const origin *o) {
  floats d;
  WH_UNROLL
  for (int j = 0; j < 4; j++) d.v[j] = v_float_of(widen(p + j * WH_LANES, o) - o->zero);
  return d;
}
/* WH_LANES bytes as integers, as stored. */
WH_INLINE vi integers(const uint8_t *p) {
#if WH_LANES == 16
  return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
#else
  return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
#endif
}
WH_INLINE floats in_lanes(const uint8_t *p, const origin *o) {
  floats d;
#if WH_LANES == 16 /* 2^23 with a byte in its lowest bits is 2^23 + byte */
  const __m512i b = _mm512_loadu_si512(p), first = _mm512_set1_epi32(0x4B000000);
  WH_UNROLL
  for (int j = 0; j < 4; j++)
    d.v[j] = (vf)_mm512_mask_shuffle_epi8(first, 0x1111111111111111, b, o->order[j]) - o->less;
#else
  const __m256i b = _mm256_loadu_si256((const __m256i *)p);
  WH_UNROLL
  for (int j = 0; j < 4; j++)
    d.v[j] = v_float_of((vi)_mm256_shuffle_epi8(b, o->order[j]) - o->zero);
#endif
  return d;
}
#else
typedef struct origin {
  int8x8_t zero, flip;
} origin;
WH_INLINE origin origin_of(uint8_t flip, int32_t zero) {
  return (origin){vdup_n_s8((int8_t)zero), vdup_n_s8((int8_t)flip)};
}
WH_INLINE floats in_order(const uint8_t *p, const origin *o) {
  floats d;
  WH_UNROLL
  for (int j = 0; j < 4; j += 2) {
    const int8x8_t b = veor_s8(vld1_s8((const int8_t *)p + j * 4), o->flip);
    const int16x8_t s = vsubl_s8(b, o->zero);
    d.v[j] = v_float_of((vi)vmovl_s16(vget_low_s16(s)));
    d.v[j + 1] = v_float_of((vi)vmovl_s16(vget_high_s16(s)));
  }
  return d;
}
WH_INLINE vi integers(const uint8_t *p) {
  return (vi)vmovl_s16(vget_low_s16(vmovl_s8(vld1_s8((const int8_t *)p))));
}
#define in_lanes in_order
#endif

#endif
