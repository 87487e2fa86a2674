/* cells8.h in the vectors of vector.h; a variant's file includes this inside its target. A block is
 * 2 * WH_LANES units: two vectors of 32-bit lanes or one of 16-bit words, which on x86-64 takes
 * turns of 128 bits from both. */
#include "../common/vector.h"
#include "cells8.h"

enum { BLOCK = 2 * WH_LANES };

#if defined(__x86_64__) && WH_LANES == 16
typedef __m512i words;
WH_INLINE vi to_int(vf x) { return (vi)_mm512_cvtps_epi32((__m512)x); }
WH_INLINE words pack(vi a, vi b) { return _mm512_packs_epi32((__m512i)a, (__m512i)b); }
WH_INLINE vi low_of(words x) { return (vi)_mm512_srai_epi32(_mm512_unpacklo_epi16(x, x), 16); }
WH_INLINE vi high_of(words x) { return (vi)_mm512_srai_epi32(_mm512_unpackhi_epi16(x, x), 16); }
WH_INLINE words all(int x) { return _mm512_set1_epi16((short)x); }
WH_INLINE words plus(words a, words b) { return _mm512_adds_epi16(a, b); }
WH_INLINE words times(words a, words b) { return _mm512_mulhrs_epi16(a, b); }
WH_INLINE words half(words a) { return _mm512_srai_epi16(a, 1); }
WH_INLINE words size_of(words a) { return _mm512_abs_epi16(_mm512_max_epi16(a, all(-32767))); }
WH_INLINE words signed_as(words a, words s) {
  return _mm512_mask_sub_epi16(a, _mm512_movepi16_mask(s), _mm512_setzero_si512(), a);
}
WH_INLINE words part_of(words a) { return _mm512_and_si512(_mm512_slli_epi16(a, 4), all(0x7FF0)); }
typedef words place;
WH_INLINE place place_of(words a) { return _mm512_srli_epi16(a, 11); }
WH_INLINE words entry(const int16_t table[16], place at) {
  const __m256i half = _mm256_loadu_si256((const __m256i *)table);
  return _mm512_permutexvar_epi16(at, _mm512_castsi256_si512(half));
}
WH_INLINE void store_bytes(uint8_t *p, words x, uint8_t flip) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 4, 8, 12, 1, 5, 9, 13);
  const __m512i b = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(x, x));
  _mm256_storeu_si256((__m256i *)p,
                      _mm256_xor_si256(_mm512_castsi512_si256(b), _mm256_set1_epi8((char)flip)));
}
WH_INLINE vi load_bytes(const uint8_t *p, uint8_t flip) {
  const __m128i b = _mm_loadu_si128((const __m128i *)p);
  return (vi)_mm512_cvtepi8_epi32(_mm_xor_si128(b, _mm_set1_epi8((char)flip)));
}

#elif defined(__x86_64__)
typedef __m256i words;
WH_INLINE vi to_int(vf x) { return (vi)_mm256_cvtps_epi32((__m256)x); }
WH_INLINE words pack(vi a, vi b) { return _mm256_packs_epi32((__m256i)a, (__m256i)b); }
WH_INLINE vi low_of(words x) { return (vi)_mm256_srai_epi32(_mm256_unpacklo_epi16(x, x), 16); }
WH_INLINE vi high_of(words x) { return (vi)_mm256_srai_epi32(_mm256_unpackhi_epi16(x, x), 16); }
WH_INLINE words all(int x) { return _mm256_set1_epi16((short)x); }
WH_INLINE words plus(words a, words b) { return _mm256_adds_epi16(a, b); }
WH_INLINE words times(words a, words b) { return _mm256_mulhrs_epi16(a, b); }
WH_INLINE words half(words a) { return _mm256_srai_epi16(a, 1); }
WH_INLINE words size_of(words a) { return _mm256_abs_epi16(_mm256_max_epi16(a, all(-32767))); }
WH_INLINE words signed_as(words a, words s) { return _mm256_sign_epi16(a, s); }
WH_INLINE words part_of(words a) { return _mm256_and_si256(_mm256_slli_epi16(a, 4), all(0x7FF0)); }
/* Shuffle controls of an entry's low and high bytes. */
typedef struct place {
  words low, high;
} place;
WH_INLINE place place_of(words a) {
  const words k = _mm256_srli_epi16(a, 11);
  return (place){_mm256_or_si256(k, all(0x8000)),
                 _mm256_or_si256(_mm256_slli_epi16(k, 8), all(0x80))};
}
WH_INLINE words entry(const int16_t table[16], place at) {
  const __m128i a = _mm_loadu_si128((const __m128i *)table);
  const __m128i b = _mm_loadu_si128((const __m128i *)table + 1), mask = _mm_set1_epi16(255);
  const __m128i low = _mm_packus_epi16(_mm_and_si128(a, mask), _mm_and_si128(b, mask));
  const __m128i high = _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8));
  return _mm256_or_si256(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(low), at.low),
                         _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(high), at.high));
}
WH_INLINE void store_bytes(uint8_t *p, words x, uint8_t flip) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
  const __m256i b = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(x, x), order);
  _mm_storeu_si128((__m128i *)p,
                   _mm_xor_si128(_mm256_castsi256_si128(b), _mm_set1_epi8((char)flip)));
}
WH_INLINE vi load_bytes(const uint8_t *p, uint8_t flip) {
  const __m128i b = _mm_loadl_epi64((const __m128i *)p);
  return (vi)_mm256_cvtepi8_epi32(_mm_xor_si128(b, _mm_set1_epi8((char)flip)));
}

#else
typedef int16x8_t words;
#if defined(__aarch64__)
WH_INLINE vi to_int(vf x) { return (vi)vcvtnq_s32_f32((float32x4_t)x); }
#else
WH_INLINE vi to_int(vf x) {
  x = v_at_most(v_all(0x1p21f), v_at_least(v_all(-0x1p21f), x));
  return (vi)(x + 12582912.0f) - 0x4B400000;
}
#endif
WH_INLINE words pack(vi a, vi b) {
  return vcombine_s16(vqmovn_s32((int32x4_t)a), vqmovn_s32((int32x4_t)b));
}
WH_INLINE vi low_of(words x) { return (vi)vmovl_s16(vget_low_s16(x)); }
WH_INLINE vi high_of(words x) { return (vi)vmovl_s16(vget_high_s16(x)); }
WH_INLINE words all(int x) { return vdupq_n_s16((int16_t)x); }
WH_INLINE words plus(words a, words b) { return vqaddq_s16(a, b); }
WH_INLINE words times(words a, words b) { return vqrdmulhq_s16(a, b); }
WH_INLINE words half(words a) { return vshrq_n_s16(a, 1); }
WH_INLINE words size_of(words a) { return vqabsq_s16(a); }
WH_INLINE words signed_as(words a, words s) {
  const words mask = vshrq_n_s16(s, 15);
  return vsubq_s16(veorq_s16(a, mask), mask);
}
WH_INLINE words part_of(words a) { return vandq_s16(vshlq_n_s16(a, 4), all(0x7FF0)); }
/* Table positions of an entry's bytes. */
typedef uint8x16_t place;
WH_INLINE place place_of(words a) {
  const uint16x8_t k = vshrq_n_u16(vreinterpretq_u16_s16(a), 11);
  return vreinterpretq_u8_u16(vmlaq_n_u16(vdupq_n_u16(0x0100), k, 0x0202));
}
WH_INLINE words entry(const int16_t table[16], place at) {
  const uint8_t *p = (const uint8_t *)table;
#if defined(__aarch64__)
  const uint8x16x2_t t = {{vld1q_u8(p), vld1q_u8(p + 16)}};
  return vreinterpretq_s16_u8(vqtbl2q_u8(t, at));
#else
  const uint8x8x4_t t = {{vld1_u8(p), vld1_u8(p + 8), vld1_u8(p + 16), vld1_u8(p + 24)}};
  return vreinterpretq_s16_u8(
      vcombine_u8(vtbl4_u8(t, vget_low_u8(at)), vtbl4_u8(t, vget_high_u8(at))));
#endif
}
WH_INLINE void store_bytes(uint8_t *p, words x, uint8_t flip) {
  (void)flip;
  vst1_s8((int8_t *)p, vqmovn_s16(x));
}
WH_INLINE vi load_bytes(const uint8_t *p, uint8_t flip) {
  (void)flip;
  return (vi)vmovl_s16(vget_low_s16(vmovl_s8(vld1_s8((const int8_t *)p))));
}
#endif

WH_INLINE vf float_of(vi x) { return __builtin_convertvector(x, vf); }

/* 2^15 tanh(v / 2^13) */
static __attribute__((noinline)) words curve(words v) {
  const words a = size_of(v), part = part_of(a);
  const place at = place_of(a);
  const words slope = plus(entry(wh_cell8_curve[1], at), times(part, entry(wh_cell8_curve[2], at)));
  return signed_as(plus(entry(wh_cell8_curve[0], at), times(part, slope)), v);
}

/* Rounded and saturated. x86-64's conversion has one answer for all that is too large. */
WH_INLINE words fixed(vf a, vf b) {
#if defined(__x86_64__)
  a = v_at_most(v_all(32768), a);
  b = v_at_most(v_all(32768), b);
#endif
  return pack(to_int(a), to_int(b));
}
WH_INLINE words sigmoid(words v) { return plus(half(curve(v)), all(16384)); }
WH_INLINE words tangent(words v) { return curve(plus(v, v)); }

/* A gate's pre-activations. */
WH_INLINE words gate(const wh_cell8 *s, int64_t at) {
  const float *x = s->x + at, *r = s->r + at;
  return fixed(v_load(x) + v_load(r), v_load(x + WH_LANES) + v_load(r + WH_LANES));
}

/* kept * state + (product of two values of 2^-15), stored as the next state. */
WH_INLINE vf next_state(float *state, vi kept, vi product) {
  vf c = float_of(kept) * 0x1p-15f * v_load(state) + float_of(product) * 0x1p-30f;
  c = (vf)((vi)c & (c == c));
  c = v_at_most(v_all(WH_CELL8_MOST), v_at_least(v_all(-WH_CELL8_MOST), c));
  c = (vf)((vi)c & (v_abs(c) >= WH_CELL8_LEAST));
  v_store(state, c);
  return c;
}

/* h of two vectors relative to its zero. */
WH_INLINE void store_h(const wh_cell8 *s, uint8_t *to, vf a, vf b) {
  store_bytes(to, plus(fixed(a, b), all(s->zero)), s->flip);
}

WH_INLINE void lstm(const wh_cell8 *s) {
  const int64_t n = s->hidden;
  const vf factor = v_all(s->factor * 0x1p-30f);
  for (int64_t u = 0; u < n; u += BLOCK) {
    const words i = sigmoid(gate(s, u)), o = sigmoid(gate(s, n + u));
    const words f = sigmoid(gate(s, 2 * n + u)), g = tangent(gate(s, 3 * n + u));
    float *state = s->state + u;
    const vf a = next_state(state, low_of(f), low_of(i) * low_of(g));
    const vf b = next_state(state + WH_LANES, high_of(f), high_of(i) * high_of(g));
    const words c = tangent(fixed(a * 4096, b * 4096));
    store_h(s, s->h + u, float_of(low_of(o) * low_of(c)) * factor,
            float_of(high_of(o) * high_of(c)) * factor);
  }
}

WH_INLINE void gru_reset(const wh_cell8 *s) {
  const int64_t n = s->hidden;
  for (int64_t u = 0; u < n; u += BLOCK) {
    const words r = sigmoid(gate(s, n + u));
    const vi a = load_bytes(s->h + u, s->flip) - s->zero;
    const vi b = load_bytes(s->h + u + WH_LANES, s->flip) - s->zero;
    store_h(s, s->reset + u, float_of(low_of(r) * a) * 0x1p-15f,
            float_of(high_of(r) * b) * 0x1p-15f);
  }
}

WH_INLINE void gru(const wh_cell8 *s) {
  const int64_t n = s->hidden;
  for (int64_t u = 0; u < n; u += BLOCK) {
    const float *x = s->x + 2 * n + u, *r = s->r + 2 * n + u;
    const words z = sigmoid(gate(s, u));
    vf p = v_load(r), q = v_load(r + WH_LANES);
    if (s->linear_before_reset) {
      const words by = sigmoid(gate(s, n + u));
      p *= float_of(low_of(by)) * 0x1p-15f;
      q *= float_of(high_of(by)) * 0x1p-15f;
    }
    const words g = tangent(fixed(v_load(x) + p, v_load(x + WH_LANES) + q));
    float *state = s->state + u;
    p = next_state(state, low_of(z), (32768 - low_of(z)) * low_of(g)) * s->factor;
    q = next_state(state + WH_LANES, high_of(z), (32768 - high_of(z)) * high_of(g)) * s->factor;
    store_h(s, s->h + u, p, q);
  }
}

#define VARIANTS(isa)                                       \
  void wh_lstm8_##isa(const wh_cell8 *cell) { lstm(cell); } \
  void wh_gru8_##isa(const wh_cell8 *cell) { gru(cell); }   \
  void wh_gru8_reset_##isa(const wh_cell8 *cell) { gru_reset(cell); }
