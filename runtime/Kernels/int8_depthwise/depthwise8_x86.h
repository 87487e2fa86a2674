/* What strips of x86's vectors share, in those of vector.h; the variant has PARTS, interleave, dot
 * and weights_of. */

#if WH_LANES == 4
#define OP(name) _mm_##name
#define OF(name) _mm_##name##_si128
typedef __m128i vec, acc;
typedef __m128 reals;
#elif WH_LANES == 8
#define OP(name) _mm256_##name
#define OF(name) _mm256_##name##_si256
typedef __m256i vec, acc;
typedef __m256 reals;
#else
#define OP(name) _mm512_##name
#define OF(name) _mm512_##name##_si512
typedef __m512i vec, acc;
typedef __m512 reals;
#endif

typedef struct bounds {
  vec zero, low, high;
} bounds;

typedef struct heads {
  const wh_heads8 *in;
} heads;

WH_INLINE heads heads_of(const wh_heads8 *h) { return (heads){h}; }
WH_INLINE vec load(const uint8_t *p) { return OF(loadu)((const void *)p); }
WH_INLINE void store(uint8_t *p, vec v) { OF(storeu)((void *)p, v); }
WH_INLINE acc start(const heads *h, int q) {
  return load((const uint8_t *)(h->in->bias + WH_LANES * q));
}

WH_INLINE void store_part(uint8_t *p, vec v, int32_t count) {
  uint8_t bytes[sizeof(vec)];
  store(bytes, v);
  memcpy(p, bytes, (size_t)count);
}

WH_INLINE bounds bounds_of(int32_t zero, int32_t low, int32_t high) {
  return (bounds){OP(set1_epi16)((int16_t)(zero + 128)), OP(set1_epi8)((char)(low ^ 0x80)),
                  OP(set1_epi8)((char)(high ^ 0x80))};
}

/* Two quarters of the results before their clamp, as 16-bit numbers. */
WH_INLINE vec words_of(const acc *sums, const heads *h, int first, const bounds *b) {
  vec t[2];
  WH_UNROLL
  for (int q = 0; q < 2; q++) {
    const reals scale = OP(loadu_ps)(h->in->scale + WH_LANES * (first + q));
    t[q] = OP(cvtps_epi32)(OP(mul_ps)(OP(cvtepi32_ps)(sums[q]), scale));
  }
  return OP(adds_epi16)(OP(packs_epi32)(t[0], t[1]), b->zero);
}

WH_INLINE vec clamped(vec low, vec high, const bounds *b) {
  return OP(min_epu8)(OP(max_epu8)(OP(packus_epi16)(low, high), b->low), b->high);
}

WH_INLINE vec pack(const acc *sums, const heads *h, const bounds *b) {
  return clamped(words_of(sums, h, 0, b), words_of(sums + 2, h, 2, b), b);
}

static void weights_of(uint8_t *weights, int32_t count);
WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights);

/* Bytes are 128 too large: each bias goes down by 128 times the sum of its weights. */
WH_COMPACT static bool prepare(uint8_t *weights, int32_t count, int32_t first, int32_t taps,
                               wh_heads8 *h) {
  uint8_t offsets[PARTS * sizeof(vec)];
  const vec magnitude = OP(set1_epi32)(INT32_MAX), most = OP(set1_epi32)(0x4E800000); /* 2^30 */
  const reals reach = OP(set1_ps)(16384.0f * (float)taps);
  int32_t below[WH_LANES];
  vec all = OP(set1_epi32)(-1);
  weights_of(weights, count);
  for (int j = 0; j < PARTS; j++)
    store(offsets + sizeof(vec) * (size_t)j,
          PARTS == 4 ? OP(set1_epi8)(-128) : OP(set1_epi16)(128));
  const heads in = {h};
  WH_ROLLED
  for (int q = 0; q < 4; q++) {
    const vec bias = OF(and)(magnitude, (vec)OP(cvtepi32_ps)(start(&in, q)));
    const reals sum = OP(add_ps)((reals)bias, reach), scale = OP(loadu_ps)(h->scale + WH_LANES * q);
    /* Positive floats compare like their bits. */
    all = OF(and)(all, OP(sub_epi32)(OF(and)(magnitude, (vec)OP(mul_ps)(sum, scale)), most));
    vec offset = OP(set1_epi32)(0);
    for (int32_t i = 0; i < first; i++)
      offset =
          dot(offset, offsets, q,
              (const vec *)(const void *)(weights + (ptrdiff_t)PARTS * (ptrdiff_t)sizeof(vec) * i));
    store((uint8_t *)(h->bias + WH_LANES * q), OP(sub_epi32)(start(&in, q), offset));
  }
  store((uint8_t *)below, all);
  for (int i = 0; i < WH_LANES; i++) {
    if (below[i] >= 0) return false;
  }
  return true;
}
