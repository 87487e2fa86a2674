/* What strips of 32-byte vectors share; the variant has PARTS, interleave, dot and weights_of. */

typedef __m256i vec, acc;

typedef struct bounds {
  __m256i zero, low, high;
} bounds;

typedef struct heads {
  const wh_heads8 *in;
} heads;

WH_INLINE heads heads_of(const wh_heads8 *h) { return (heads){h}; }
WH_INLINE vec load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
WH_INLINE void store(uint8_t *p, vec v) { _mm256_storeu_si256((__m256i *)p, v); }
WH_INLINE acc start(const heads *h, int q) {
  return _mm256_loadu_si256((const __m256i *)(h->in->bias + 8 * q));
}

WH_INLINE void store_part(uint8_t *p, vec v, int32_t count) {
  uint8_t bytes[32];
  store(bytes, v);
  memcpy(p, bytes, (size_t)count);
}

WH_INLINE bounds bounds_of(int32_t zero, int32_t low, int32_t high) {
  return (bounds){_mm256_set1_epi16((int16_t)(zero + 128)), _mm256_set1_epi8((char)(low ^ 0x80)),
                  _mm256_set1_epi8((char)(high ^ 0x80))};
}

WH_INLINE vec pack(const acc *sums, const heads *h, const bounds *b) {
  __m256i t[4];
  WH_UNROLL
  for (int q = 0; q < 4; q++) {
    const __m256 scale = _mm256_loadu_ps(h->in->scale + 8 * q);
    t[q] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums[q]), scale));
  }
  const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(t[0], t[1]), b->zero);
  const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(t[2], t[3]), b->zero);
  return _mm256_min_epu8(_mm256_max_epu8(_mm256_packus_epi16(low, high), b->low), b->high);
}

static void weights_of(uint8_t *weights, int32_t count);
WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights);

/* Bytes are 128 too large: each bias goes down by 128 times the sum of its weights. */
WH_COMPACT static bool prepare(uint8_t *weights, int32_t count, int32_t first, int32_t taps,
                               wh_heads8 *h) {
  uint8_t offsets[PARTS * 32];
  const __m256 reach = _mm256_set1_ps(16384.0f * (float)taps), sign = _mm256_set1_ps(-0.0f);
  weights_of(weights, count);
  for (int j = 0; j < PARTS; j++)
    store(offsets + 32 * j, PARTS == 4 ? _mm256_set1_epi8(-128) : _mm256_set1_epi16(128));
  WH_ROLLED
  for (int q = 0; q < 4; q++) {
    const heads in = {h};
    const __m256i bias = start(&in, q);
    const __m256 sum = _mm256_add_ps(_mm256_andnot_ps(sign, _mm256_cvtepi32_ps(bias)), reach);
    const __m256 t = _mm256_mul_ps(sum, _mm256_loadu_ps(h->scale + 8 * q));
    const __m256 most = _mm256_set1_ps(0x1p30f);
    if (_mm256_movemask_ps(_mm256_cmp_ps(_mm256_andnot_ps(sign, t), most, _CMP_LT_OQ)) != 255)
      return false;
    __m256i offset = _mm256_setzero_si256();
    for (int32_t i = 0; i < first; i++)
      offset = dot(offset, offsets, q, (const vec *)(const void *)(weights + PARTS * 32 * i));
    _mm256_storeu_si256((__m256i *)(h->bias + 8 * q), _mm256_sub_epi32(bias, offset));
  }
  return true;
}
