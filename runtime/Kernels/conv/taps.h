/* The windows of a tile of output pixels as segments of a matrix product: where the taps of each
 * pixel lie in x, with zeros for what is outside. Taps that are outside for every pixel are left
 * out. */
#ifndef WHERRY_TAPS_H
#define WHERRY_TAPS_H

#include "../gemm/gemm.h"
#include "window.h"

/* Limits of one list: segments, and floats of a row that zeros can stand for. */
enum { WH_SEGMENTS = 64, WH_ZEROS = 256 };

typedef struct wh_taps {
  const wh_conv *p;
  const float *x;       /* first channel of the group */
  ptrdiff_t strides[3]; /* of x in floats: D, H, W */
  int list_rows;        /* rows of every list; those after the tile's repeat another */
  int rows;             /* pixels of the tile */
  bool joins;           /* neighbouring taps along W are neighbours in x */

  /* Tiles along an axis of y. */
  int axis;
  int32_t position;             /* along it, of the line's first window */
  ptrdiff_t origin;             /* that window's, in x */
  wh_range taps[3];             /* inside; all of them along the axis */
  ptrdiff_t step[WH_GEMM_ROWS]; /* bytes from the first pixel's window to each */

  /* Tiles of any pixels. */
  int32_t next[3];            /* output pixel */
  ptrdiff_t image;            /* where its image begins in x */
  ptrdiff_t at[WH_GEMM_ROWS]; /* the windows' origins in x, which may be outside */
  int32_t d[WH_GEMM_ROWS], h[WH_GEMM_ROWS], w[WH_GEMM_ROWS];
  wh_range whole;              /* taps along W that are inside for every pixel */
  int32_t tap_d, tap_h, tap_w; /* the next tap to list */
  int32_t channel;             /* of it */

  wh_segment segments[WH_SEGMENTS];
  float zeros[WH_ZEROS];
} wh_taps;

void wh_taps_begin(wh_taps *s, const wh_conv *p, const float *x, int list_rows);

/* Does every tile along an axis fit one list? clean: none has windows over that axis's edges. */
bool wh_taps_fit(const wh_taps *s, int axis, bool clean);
/* Goes to the line along an axis that begins with output pixel o of image n. */
void wh_taps_line(wh_taps *s, int axis, int32_t n, const int32_t o[3]);
/* Lists the windows of rows pixels from the line's first on and returns how many segments. repeats:
 * as many of the next tiles, at least one, have the same list further on. */
int wh_taps_of_line(wh_taps *s, int32_t first, int rows, int tiles, int *repeats);

/* Goes to the next rows output pixels. */
void wh_taps_pixels(wh_taps *s, int rows);
/* Lists their windows from the first tap, or from where the last list ended. */
int wh_taps_of_pixels(wh_taps *s, bool from_first);
/* Was that all of them? */
static inline bool wh_taps_done(const wh_taps *s) { return s->tap_d == s->p->kernel[0]; }

#endif
