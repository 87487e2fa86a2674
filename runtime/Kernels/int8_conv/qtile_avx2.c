#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#define PAIRS(a, b) ((vi)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))
#include "qtile_pairs_body.h"

void wh_qfinish_avx2(const wh_qtile *t, const wh_qspot *spot, const int32_t *acc) {
  finish(t, spot, acc);
}

SPLIT(8)
SPLIT(6)
SPLIT(4)
SPLIT(1)
TILE(6, 1)
TILE(4, 1)
TILE(1, 1)
HALF_TILE(6)
HALF_TILE(8)

/* Of up to 8 columns also for wh_qtile_avx512, whose tiles are higher. */
void wh_qtile_avx2(const wh_qtile *t) {
  if (t->rows > 4 && t->columns <= 8)
    (t->rows > 6 ? half_tile_8 : half_tile_6)(t);
  else
    (t->rows > 4 ? tile_6x1 : t->rows > 1 ? tile_4x1 : tile_1x1)(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_avx2_file;
