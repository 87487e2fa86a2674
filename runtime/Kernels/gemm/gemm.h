/* The one matrix kernel behind convolution, MatMul and the recurrent operators:
 *
 *   y[r][n] = clamp(init[r][n] + sum over segments s, k < s.count of s.rows[r][k] * b[s.b + k][n] +
 * residual[r][n])
 *
 * for a tile of rows by panels of 16 columns. Rows are pointers, so a convolution's window is a
 * list of segments and needs no copy. Variants differ in rounding only: fused or not, order of the
 * k sum. */
#ifndef WHERRY_GEMM_H
#define WHERRY_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../ABI/plan.h"

#define WH_GEMM_ROWS 8
#define WH_GEMM_PANELS 2

typedef struct wh_segment {
  const float *rows[WH_GEMM_ROWS]; /* all readable; those past the tile's rows repeat another */
  ptrdiff_t b;                     /* first row of b */
  ptrdiff_t count;
} wh_segment;

typedef struct wh_tile {
  const wh_segment *segments;
  ptrdiff_t segment_count;
  const float *b;
  ptrdiff_t b_row, b_panel; /* floats between rows and between panels of b */
  const float *init;        /* wh_gemm_columns and wh_gemm_rows: null for zeros */
  ptrdiff_t init_row;
  const float *residual; /* or null */
  ptrdiff_t residual_row;
  float *y;
  ptrdiff_t y_row;
  float low, high;
  int rows, columns; /* 1 ... variant's rows, 16 * panels; more than one panel only for rows > 1 */
  int packed;        /* b is packed panels, readable to their full width */
  /* So many tiles below each other, each with rows of its own in y, residual and (unless init_row
   * is 0) init. The rows of a begin a floats after the segments' for the first, a_next more for
   * each further one. */
  int repeats;
  ptrdiff_t a, a_next;
} wh_tile;

/* Reads init, residual and writes y for exactly rows by columns, repeats times. */
typedef void wh_tile_function(const wh_tile *tile);
wh_tile_function wh_tile_scalar, wh_tile_avx2, wh_tile_avx512, wh_tile_neon;

typedef struct wh_gemm {
  wh_tile_function *tile;
  int rows, panels; /* the tile's best extents */
  int step;         /* columns come in multiples of this: 1, 8 or 16 */
  bool exact;       /* a tile costs by its rows; else every tile costs as much as a full one */
} wh_gemm;

wh_gemm wh_gemm_select(uint32_t cpu);

/* Rows as tiles: the first more of them have big rows, the rest small. */
typedef struct wh_split {
  ptrdiff_t tiles, more;
  int big, small;
} wh_split;

/* As few tiles as hold the rows: of equal size where that saves work. rows > 0. */
wh_split wh_gemm_split(const wh_gemm *gemm, ptrdiff_t rows);

static inline int wh_split_rows(const wh_split *split, ptrdiff_t tile) {
  return tile < split->more ? split->big : split->small;
}

/* Tiles of any number of columns; changes tile.columns only. Packed: b_row is 16 and b_panel the
 * panel's size. Row-major: b_panel is 16 and there is one segment, from b's first row. */
void wh_gemm_columns(const wh_gemm *gemm, wh_tile *tile, ptrdiff_t columns);

/* Columns of b, a multiple of 16 * WH_GEMM_PANELS, that stay in a cache beside everything else. */
ptrdiff_t wh_gemm_block(ptrdiff_t k);

/* y[m][n] with contiguous rows a + i * a_row of k floats. tile gives everything else;
 * tile's segments, rows, columns, repeats, a and a_next are ignored. */
void wh_gemm_rows(const wh_gemm *gemm, const wh_tile *tile, const float *a, ptrdiff_t a_row,
                  ptrdiff_t m, ptrdiff_t n, ptrdiff_t k);

#endif
