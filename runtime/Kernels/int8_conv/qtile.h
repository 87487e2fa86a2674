/* The one integer matrix kernel behind QConv and QMatMul:
 *
 *   acc[r][n] = bias[n] - x_offset * sums[n] + row_terms[r] + sum_k x[r][k] * w[k][n]   (mod 2^32)
 *   y[r][n]   = result(acc[r][n])
 *
 * for tiles of rows by panels of 16 columns of wh_qconv's stream; x are the stored bytes, unsigned
 * where flip is 0x80. Rows are pointers, so a convolution's window needs no copy. All variants
 * give the same bytes. */
#ifndef WHERRY_QTILE_H
#define WHERRY_QTILE_H

#include "../common/q8.h"

/* Rows of the highest tile; accumulators of any tile, in panels of a row. */
#define WH_QROWS 8
#define WH_QSUMS 16

/* Part of k: runs of count values for every row, the next run steps[r] bytes further. */
typedef struct wh_qsegment {
  const uint8_t *rows[WH_QROWS]; /* those past the tile's rows repeat another */
  ptrdiff_t steps[WH_QROWS];
  ptrdiff_t runs, count; /* at least 1; a multiple of 4. 63 bytes after each run are readable */
} wh_qsegment;

/* What becomes of the accumulators, the same for a whole call. */
typedef struct wh_qresult {
  int32_t kind; /* WH_RESULT_… */
  uint8_t flip;
  wh_q8_range range;
  float c_low, c_high; /* with a residual: of c - c_zero */
  float c_factor, r_factor;
  int32_t r_zero;
  float x_scale; /* WH_RESULT_DYNAMIC */
} wh_qresult;

/* What a variant works out once for all tiles of the same panels; head null: nothing yet. */
typedef struct wh_qready {
  const uint8_t *head;
  int panels;
  _Alignas(64) uint8_t bytes[2048];
} wh_qready;

typedef struct wh_qtile {
  wh_qready *ready; /* kept for tiles of one result */
  const wh_qresult *result;
  const wh_qsegment *segments;
  ptrdiff_t segment_count;
  int rows;        /* of each tile, 1 ... kernel.rows */
  ptrdiff_t tiles; /* at least 1: equal tiles whose rows follow each other in x and y */
  ptrdiff_t lines; /* at least 1: so many times */
  ptrdiff_t advance, line_advance; /* bytes of x from a tile or line to the next */
  const uint8_t *head;             /* of the first panel in the stream */
  const uint8_t *w;                /* the first panel's weights for the first segment */
  ptrdiff_t panel;                 /* bytes between panels */
  int panels;                      /* wh_qtile_columns: any number; a variant: 1 ... its panels */
  ptrdiff_t columns;               /* of y; at least 1, more than 16 * (panels - 1) */
  int32_t x_offset;
  const int32_t *row_terms; /* one a row of one line, or null */
  int32_t *sums; /* [rows][panels][16] of one tile, anything but while a product is suspended */
  bool resume, suspend; /* add to sums what a suspended tile left there; leave it there */
  uint8_t *y;
  ptrdiff_t y_row, y_line; /* in bytes */
  const uint8_t *residual; /* stored bytes, or null */
  ptrdiff_t residual_row, residual_line;
  const float *bias; /* WH_RESULT_DYNAMIC, or null */
} wh_qtile;

/* Where one of the tiles is. */
typedef struct wh_qspot {
  ptrdiff_t x; /* bytes from the segments' rows */
  uint8_t *y;
  const uint8_t *residual;
  const int32_t *row_terms;
} wh_qspot;

/* The tiles' spots one after the other: for (spot = first; more; more = next) … */
typedef struct wh_qspots {
  wh_qspot spot;
  ptrdiff_t tiles, lines; /* left of the line, the one at spot included, and lines */
} wh_qspots;

static inline wh_qspots wh_qspots_of(const wh_qtile *t) {
  return (wh_qspots){{0, t->y, t->residual, t->row_terms}, t->tiles, t->lines};
}

/* The next spot; false behind the last. */
static inline bool wh_qspots_next(const wh_qtile *t, wh_qspots *s) {
  ptrdiff_t rows = t->rows, x = t->advance, y = rows * t->y_row;
  ptrdiff_t residual = rows * t->residual_row;
  if (!--s->tiles) {
    const ptrdiff_t back = t->tiles - 1;
    if (!--s->lines) return false;
    s->tiles = t->tiles;
    x = t->line_advance - back * x;
    y = t->y_line - back * y;
    residual = t->residual_line - back * residual;
    rows = -back * rows;
  }
  s->spot.x += x;
  s->spot.y += y;
  if (s->spot.residual) s->spot.residual += residual;
  if (s->spot.row_terms) s->spot.row_terms += rows;
  return true;
}

typedef void wh_qtile_function(const wh_qtile *tile);
wh_qtile_function wh_qtile_scalar, wh_qtile_avx2, wh_qtile_avx_vnni, wh_qtile_avx512_vnni,
    wh_qtile_neon, wh_qtile_dotprod, wh_qtile_i8mm;

/* The whole of QConv where that is 8-bit results of one pixel without a residual, stored unsigned;
 * false where it is not. */
bool wh_qgemv_avx512_vnni(const wh_call *call);

/* Any result of one tile from its accumulators [rows][panels][16]. */
typedef void wh_qfinish_function(const wh_qtile *tile, const wh_qspot *spot, const int32_t *acc);
wh_qfinish_function wh_qfinish_avx2, wh_qfinish_avx512, wh_qfinish_neon;

typedef struct wh_qkernel {
  wh_qtile_function *tile;
  uint16_t heights; /* bit r - 1: tiles of r rows waste nothing */
  uint16_t thin;    /* the same of one panel: some of those */
  uint8_t rows, panels;
  uint8_t single; /* bit p - 1: a tile of one row may have p panels */
} wh_qkernel;

/* The kernel for a processor and its storage of WH_Q8. */
wh_qkernel wh_qkernel_select(uint32_t cpu);

/* The height of the smallest tile for so many rows: as many pointers are read. */
int wh_qkernel_reach(const wh_qkernel *kernel, int rows);

/* The height of tiles that takes least time for so many rows. */
int wh_qkernel_height(const wh_qkernel *kernel, ptrdiff_t rows, ptrdiff_t panels);

/* Tiles of any number of panels. */
void wh_qtile_columns(const wh_qkernel *kernel, const wh_qtile *tile);

#endif
