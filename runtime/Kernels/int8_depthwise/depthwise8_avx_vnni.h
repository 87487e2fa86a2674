/* Strips of 32-byte vectors with vpdpbusd, which the includer names DPBUSD. */
#include "../common/vector.h"
#include "depthwise8.h"

#define PARTS 4
#define OUTPUTS 2
#include "depthwise8_x86.h"

WH_INLINE void interleave(const vec *rows, vec *entry) {
  const vec low = _mm256_unpacklo_epi8(rows[0], rows[1]);
  const vec high = _mm256_unpackhi_epi8(rows[0], rows[1]);
  const vec low2 = _mm256_unpacklo_epi8(rows[2], rows[3]);
  const vec high2 = _mm256_unpackhi_epi8(rows[2], rows[3]);
  entry[0] = _mm256_unpacklo_epi16(low, low2);
  entry[1] = _mm256_unpackhi_epi16(low, low2);
  entry[2] = _mm256_unpacklo_epi16(high, high2);
  entry[3] = _mm256_unpackhi_epi16(high, high2);
}

WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights) {
  return DPBUSD(sums, load(entry + 32 * q), weights[q]);
}

static void weights_of(uint8_t *weights, int32_t count) { (void)weights, (void)count; }

#include "depthwise8_body.h"

static void run(const wh_run8 *r) { run_of(r); }
