#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "depthwise8.h"

/* Entries hold 16-bit numbers, two taps together: their products and sums of two are exact. */
#define PARTS 8
#define OUTPUTS 1
#include "depthwise8_ymm.h"

WH_INLINE void interleave(const vec *rows, vec *entry) {
  const vec zero = _mm256_setzero_si256();
  WH_UNROLL
  for (int pair = 0; pair < 2; pair++) {
    const vec low = _mm256_unpacklo_epi8(rows[2 * pair], rows[2 * pair + 1]);
    const vec high = _mm256_unpackhi_epi8(rows[2 * pair], rows[2 * pair + 1]);
    entry[pair] = _mm256_unpacklo_epi8(low, zero);
    entry[2 + pair] = _mm256_unpackhi_epi8(low, zero);
    entry[4 + pair] = _mm256_unpacklo_epi8(high, zero);
    entry[6 + pair] = _mm256_unpackhi_epi8(high, zero);
  }
}

WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights) {
  const vec first = _mm256_madd_epi16(load(entry + 64 * q), weights[2 * q]);
  const vec second = _mm256_madd_epi16(load(entry + 64 * q + 32), weights[2 * q + 1]);
  return _mm256_add_epi32(sums, _mm256_add_epi32(first, second));
}

/* Interleaved as unsigned bytes, weights get their signs back. */
static void weights_of(uint8_t *weights, int32_t count) {
  const vec sign = _mm256_set1_epi16(128);
  for (int32_t i = 0; i < count * PARTS; i++, weights += 32)
    store(weights, _mm256_sub_epi16(_mm256_xor_si256(load(weights), sign), sign));
}

#include "depthwise8_body.h"

static void run(const wh_run8 *r) { run_of(r); }

const wh_strips8 wh_strips8_avx2 = {32, 256, fill, prepare, run, NULL};

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_avx2_file;
