/* What strips of NEON vectors share; the variant has acc, start, dot and total. */

#define PARTS 4
typedef int8x16_t vec;

typedef struct bounds {
  int16x8_t zero;
  int8x16_t low, high;
} bounds;

typedef struct heads {
  int32x4_t bias[4];
  float32x4_t scale[4];
} heads;

WH_INLINE heads heads_of(const wh_heads8 *h) {
  heads in;
  WH_UNROLL
  for (int q = 0; q < 4; q++) {
    in.bias[q] = vld1q_s32(h->bias + 4 * q);
    in.scale[q] = vld1q_f32(h->scale + 4 * q);
  }
  return in;
}

WH_INLINE vec load(const uint8_t *p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
WH_INLINE void store(uint8_t *p, vec v) { vst1q_u8(p, vreinterpretq_u8_s8(v)); }

WH_INLINE void store_part(uint8_t *p, vec v, int32_t count) {
  int8_t bytes[16];
  vst1q_s8(bytes, v);
  memcpy(p, bytes, (size_t)count);
}

#if !defined(FILLED_ELSEWHERE)
WH_INLINE void interleave(const vec *rows, vec *entry) {
  const int8x16x2_t a = vzipq_s8(rows[0], rows[1]), b = vzipq_s8(rows[2], rows[3]);
  const int16x8x2_t low = vzipq_s16(vreinterpretq_s16_s8(a.val[0]), vreinterpretq_s16_s8(b.val[0]));
  const int16x8x2_t high =
      vzipq_s16(vreinterpretq_s16_s8(a.val[1]), vreinterpretq_s16_s8(b.val[1]));
  entry[0] = vreinterpretq_s8_s16(low.val[0]);
  entry[1] = vreinterpretq_s8_s16(low.val[1]);
  entry[2] = vreinterpretq_s8_s16(high.val[0]);
  entry[3] = vreinterpretq_s8_s16(high.val[1]);
}
#endif

WH_INLINE bounds bounds_of(int32_t zero, int32_t low, int32_t high) {
  return (bounds){vdupq_n_s16((int16_t)zero), vdupq_n_s8((int8_t)low), vdupq_n_s8((int8_t)high)};
}

/* Half to even; what 32 bits do not hold saturates, or is beyond 8 bits anyway. */
WH_INLINE int32x4_t to_nearest(float32x4_t t) {
#if defined(__aarch64__)
  return vcvtnq_s32_f32(t);
#else
  t = vminq_f32(vmaxq_f32(t, vdupq_n_f32(-0x1p20f)), vdupq_n_f32(0x1p20f));
  return vsubq_s32(vreinterpretq_s32_f32(vaddq_f32(t, vdupq_n_f32(12582912.0f))),
                   vdupq_n_s32(0x4B400000));
#endif
}

WH_INLINE vec pack(const acc *sums, const heads *h, const bounds *b) {
  int16x4_t t[4];
  WH_UNROLL
  for (int q = 0; q < 4; q++)
    t[q] = vqmovn_s32(to_nearest(vmulq_f32(vcvtq_f32_s32(total(sums[q], h, q)), h->scale[q])));
  const int8x8_t low = vqmovn_s16(vqaddq_s16(vcombine_s16(t[0], t[1]), b->zero));
  const int8x8_t high = vqmovn_s16(vqaddq_s16(vcombine_s16(t[2], t[3]), b->zero));
  return vminq_s8(vmaxq_s8(vcombine_s8(low, high), b->low), b->high);
}
