/* The windows of a tile of output pixels as segments of a matrix product: where the taps of each
 * pixel lie in x, with zeros for what is outside. Taps that are outside for every pixel are left
 * out. */
#ifndef WHERRY_TAPS_H
#define WHERRY_TAPS_H

#include "../gemm/gemm.h"
#include "window.h"

/* Limits of one list: segments, channels that a row of zeros can stand for, floats of copied lines
 * of windows, and of one such line. */
enum { WH_SEGMENTS = 64, WH_ZEROS = 256, WH_COPIES = 1024, WH_SHORT_LINE = 32 };

typedef struct wh_taps {
  const wh_conv *p;
  const float *x;       /* first channel of the group */
  ptrdiff_t strides[3]; /* of x in floats: D, H, W */
  int list_rows;        /* rows of every list; those after the tile's repeat another */
  int rows;             /* pixels of the tile */
  bool joins;           /* neighbouring taps along W are neighbours in x */
  bool copies_edges;    /* lines of windows over the edge are copied whole */
  int32_t kernel_line;  /* floats of a line of a window */

  /* Tiles within a line of y. */
  ptrdiff_t origin;             /* of the windows of output pixel 0 */
  wh_range kd, kh;              /* taps whose lines are inside */
  ptrdiff_t step[WH_GEMM_ROWS]; /* from the first pixel's window to each */
  int listed, listed_rows;      /* the last list, if it can be shifted; else 0 */
  int32_t listed_w;

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
  float copies[WH_COPIES];
} wh_taps;

void wh_taps_begin(wh_taps *s, const wh_conv *p, const float *x, int list_rows);

/* Does every tile within a line of y fit one list? */
bool wh_taps_fit_lines(const wh_taps *s);
/* Goes to a line of output pixels. */
void wh_taps_line(wh_taps *s, int32_t n, int32_t d, int32_t h);
/* Lists the windows of rows pixels from ow on; returns how many segments. */
int wh_taps_of_line(wh_taps *s, int32_t ow, int rows);

/* Goes to the next rows output pixels. */
void wh_taps_pixels(wh_taps *s, int rows);
/* Lists their windows from the first tap, or from where the last list ended. */
int wh_taps_of_pixels(wh_taps *s, bool from_first);
/* Was that all of them? */
static inline bool wh_taps_done(const wh_taps *s) { return s->tap_d == s->p->kernel[0]; }

#endif
