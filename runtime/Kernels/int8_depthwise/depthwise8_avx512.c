#if defined(__x86_64__)
#include "../common/target_avx512_vnni.h"
/**/
#include "../common/vector.h"
#include "depthwise8.h"

#define PARTS 4
typedef __m512i vec, acc;

typedef struct bounds {
  __m512i zero, low, high;
} bounds;

WH_INLINE vec load(const uint8_t *p) { return _mm512_loadu_si512(p); }
WH_INLINE void store(uint8_t *p, vec v) { _mm512_storeu_si512(p, v); }

WH_INLINE void store_part(uint8_t *p, vec v, int32_t count) {
  _mm512_mask_storeu_epi8(p, (1ull << count) - 1, v);
}

WH_INLINE vec load_lanes(const uint8_t *p, const ptrdiff_t *lanes) {
  vec v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(p + lanes[0])));
  v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(p + lanes[1])), 1);
  v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(p + lanes[2])), 2);
  return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(p + lanes[3])), 3);
}

WH_INLINE void interleave(const vec *rows, vec *entry) {
  const vec low = _mm512_unpacklo_epi8(rows[0], rows[1]),
            high = _mm512_unpackhi_epi8(rows[0], rows[1]);
  const vec low2 = _mm512_unpacklo_epi8(rows[2], rows[3]),
            high2 = _mm512_unpackhi_epi8(rows[2], rows[3]);
  entry[0] = _mm512_unpacklo_epi16(low, low2);
  entry[1] = _mm512_unpackhi_epi16(low, low2);
  entry[2] = _mm512_unpacklo_epi16(high, high2);
  entry[3] = _mm512_unpackhi_epi16(high, high2);
}

WH_INLINE acc start(const wh_heads8 *h, int q) { return _mm512_loadu_si512(h->bias + 16 * q); }

WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights) {
  return _mm512_dpbusd_epi32(sums, load(entry + 64 * q), weights[q]);
}

WH_INLINE bounds bounds_of(const wh_run8 *r) {
  return (bounds){_mm512_set1_epi16((int16_t)(r->zero + 128)),
                  _mm512_set1_epi8((char)(r->low ^ 0x80)),
                  _mm512_set1_epi8((char)(r->high ^ 0x80))};
}

WH_INLINE vec pack(const acc *sums, const wh_heads8 *h, const bounds *b) {
  __m512i t[4];
  WH_UNROLL
  for (int q = 0; q < 4; q++)
    t[q] = _mm512_cvtps_epi32(
        _mm512_mul_ps(_mm512_cvtepi32_ps(sums[q]), _mm512_loadu_ps(h->scale + 16 * q)));
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(t[0], t[1]), b->zero);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(t[2], t[3]), b->zero);
  return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(low, high), b->low), b->high);
}

#include "depthwise8_body.h"

static bool prepare(uint8_t *weights, int32_t count, int32_t first, int32_t taps, wh_heads8 *h) {
  (void)count;
  const __m512 most = _mm512_set1_ps(0x1p30f), reach = _mm512_set1_ps(16384.0f * (float)taps);
  for (int q = 0; q < 4; q++) {
    const __m512i bias = _mm512_loadu_si512(h->bias + 16 * q);
    const __m512 sum = _mm512_add_ps(_mm512_abs_ps(_mm512_cvtepi32_ps(bias)), reach);
    const __m512 t = _mm512_abs_ps(_mm512_mul_ps(sum, _mm512_loadu_ps(h->scale + 16 * q)));
    if (_mm512_cmp_ps_mask(t, most, _CMP_LT_OQ) != 0xFFFF) return false;
    __m512i offset = _mm512_setzero_si512();
    for (int32_t i = 0; i < first; i++)
      offset =
          _mm512_dpbusd_epi32(offset, _mm512_set1_epi8(-128), load(weights + 256 * i + 64 * q));
    _mm512_storeu_si512(h->bias + 16 * q, _mm512_sub_epi32(bias, offset));
  }
  return true;
}

static void run(const wh_run8 *r) { r->groups == 1 && r->taps == 3 ? run_of(r, 3) : run_of(r, 0); }

const wh_strips8 wh_strips8_avx512_vnni = {64, 256, fill, prepare, run};

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_avx512_file;
