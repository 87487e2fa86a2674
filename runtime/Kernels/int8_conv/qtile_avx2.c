#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#define PAIRS(a, b) ((vi)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))
#include "qtile_pairs_body.h"

void wh_qfinish_avx2(const wh_qtile *t, const wh_qspot *spot, const int32_t *acc) {
  finish(t, spot, acc);
}

TILE(6, 1)
TILE(4, 1)
TILE(1, 1)

void wh_qtile_avx2(const wh_qtile *t) {
  (t->rows > 4 ? tile_6x1 : t->rows > 1 ? tile_4x1 : tile_1x1)(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_avx2_file;
