#if defined(__x86_64__)
#include <stdbool.h>
#include <stddef.h>
/**/
#include "../common/vector.h"
#define PAIRS(a, b) ((vi)_mm_madd_epi16((__m128i)(a), (__m128i)(b)))
#include "qtile_pairs_body.h"

SPLIT(3)
SPLIT(1)
TILE(3, 1)
TILE(1, 1)
HALF_TILE(3)

void wh_qtile_sse2(const wh_qtile *t) {
  (t->rows < 2 ? tile_1x1 : t->columns <= 8 ? half_tile_3 : tile_3x1)(t);
}
#endif
typedef int wh_qtile_sse2_file;
