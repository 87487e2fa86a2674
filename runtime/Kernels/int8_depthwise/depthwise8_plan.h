/* How one quantized depthwise convolution is cut into strips or lines. */
#ifndef WHERRY_DEPTHWISE8_PLAN_H
#define WHERRY_DEPTHWISE8_PLAN_H

#include "depthwise8.h"

/* Bytes of a strip, of interleaved weights and of waiting results; rows of taps; bytes of the
 * widest vector. */
enum { WH_STRIP8 = 8192, WH_WEIGHTS8 = 12288, WH_RESULTS8 = 4096, WH_ROWS8 = 128, WH_VECTOR8 = 64 };

/* A row of taps: where column 0 is, null for padding, and how many columns it is moved. */
typedef struct wh_row8 {
  const uint8_t *at;
  int32_t shift;
} wh_row8;

/* Outputs run along axis b; the window's taps along the other axes are its rows, or all of them are
 * when they lie on one line. */
typedef struct wh_plan8 {
  const wh_depthwise8 *d;
  const wh_strips8 *v;
  int a, b;
  ptrdiff_t x_step[3];   /* bytes between neighbours along an axis of x */
  ptrdiff_t y_pixels[3]; /* pixels between neighbours along an axis of y */
  int32_t rows, columns; /* taps of the window */
  int32_t groups;        /* of four rows */
  int32_t shared;        /* outputs along a that one strip serves */
  int32_t pixels;        /* of a vector of results */
  int32_t channel;       /* first one of the block */
  int32_t width;         /* bytes of a vector of results */
  int32_t capacity;      /* entries of a group's strip */
  ptrdiff_t row;  /* bytes of a row of weights; what is copied past the last element has room */
  int32_t line;   /* vectors of results of a strip */
  bool one_line;  /* all taps are rows */
  bool by_output; /* a strip holds the columns of every output instead of the input's */
  bool by_lines;  /* without strips */
  bool whole;     /* results are stored where they belong, not by way of waiting */
  wh_row8 sources[WH_ROWS8 + 4];
  wh_heads8 heads;
  uint8_t pad[WH_VECTOR8], zeros[WH_VECTOR8];
  uint8_t edges[4][2 * WH_VECTOR8];
  uint8_t results[WH_RESULTS8];
  _Alignas(64) uint8_t weights[WH_WEIGHTS8];
  _Alignas(64) uint8_t strip[WH_STRIP8 + WH_VECTOR8];
} wh_plan8;

static inline void wh_copy16(void *to, const void *from) { memcpy(to, from, 16); }

/* Interleaves the block's weights, once for every output that shares a strip. False if the variant
 * cannot round its results. */
bool wh_prepare8(wh_plan8 *s);

/* The line of outputs along b from pixel at on, and those of the shared lines beside it. */
void wh_strips_of(wh_plan8 *s, ptrdiff_t at, int32_t shared);

/* All outputs of a plane, whose first pixel is at; plane: its rows of taps, null for padding. */
void wh_lines_of(wh_plan8 *s, const uint8_t *plane, ptrdiff_t at);

/* Takes count vectors of results, the last one of last pixels, from where they wait to the outputs
 * from pixel at on, with their residuals. */
void wh_deliver8(const wh_plan8 *s, const uint8_t *from, ptrdiff_t at, int32_t count, int32_t last);

#endif
