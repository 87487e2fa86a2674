#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "../common/vector.h"
#define PAIRS(a, b) ((vi)_mm512_madd_epi16((__m512i)(a), (__m512i)(b)))
#include "qtile_pairs_body.h"

SPLIT(8)
SPLIT(4)
SPLIT(1)
TILE(8, 2)
TILE(4, 2)
TILE(8, 1)
TILE(4, 1)
TILE(1, 2)
TILE(1, 1)

void wh_qtile_avx512(const wh_qtile *t) {
  if (t->columns <= 8)
    wh_qtile_avx2(t);
  else if (t->panels > 1)
    (t->rows > 4 ? tile_8x2 : t->rows > 1 ? tile_4x2 : tile_1x2)(t);
  else
    (t->rows > 4 ? tile_8x1 : t->rows > 1 ? tile_4x1 : tile_1x1)(t);
}

#include "../common/region_end.h"
#endif
typedef int wh_qtile_avx512_file;
