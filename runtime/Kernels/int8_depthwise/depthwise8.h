/* QDepthwiseConv: one 8-bit filter a channel over channels-last maps. */
#ifndef WHERRY_DEPTHWISE8_H
#define WHERRY_DEPTHWISE8_H

#include "../common/q8.h"

/* A call with its operands looked up. */
typedef struct wh_depthwise8 {
  const wh_qconv *p;
  const uint8_t *x, *stream;
  const uint8_t *residual; /* dense, or null */
  uint8_t *y;              /* element 0, y_offset counted in */
  int32_t taps;            /* of the window */
  uint8_t flip;            /* as wh_q8_flip */
  int32_t zero, low, high; /* of the convolution's own 8-bit result: c's with a residual, or y's */
  wh_q8_range own, sum;    /* the same, and y's */
} wh_depthwise8;

/* Bytes of the stream of a block of 16 channels. */
static inline ptrdiff_t wh_depthwise8_block(const wh_depthwise8 *d) {
  return WH_QDEPTHWISE_HEAD + (ptrdiff_t)d->taps * 16;
}

/* The definition, for the blocks of 16 channels first ..< end. */
void wh_depthwise8_scalar(const wh_depthwise8 *d, int32_t first, int32_t end);

/* y = the sum of count 8-bit results c and their residuals, as wh_qconv says; r = y allowed. */
void wh_add_residual8(const wh_depthwise8 *d, const uint8_t *c, const uint8_t *r, uint8_t *y,
                      ptrdiff_t count);

/* Vector variants. Taps that lie above each other are interleaved four by four, so that a dot
 * product of four 8-bit pairs sums them: an entry of a strip holds, for a vector of elements
 * (channels, or channels of neighbouring pixels), the four bytes of each element in turn. Its
 * vectors hold elements 0-3, 4-7, 8-11 and 12-15 of every 16: the order the interleaving
 * instructions give and the packing ones undo. */

/* Interleaves four rows into entries: entry i from rows[j] + i * steps[j]. */
typedef struct wh_fill8 {
  const uint8_t *rows[4];
  ptrdiff_t steps[4];
  uint8_t *to;
  ptrdiff_t to_step;
  int32_t count;
} wh_fill8;

/* Bias (corrected by the storage's offset) and scale of each element, in an entry's order. */
typedef struct wh_heads8 {
  int32_t bias[64];
  float scale[64];
} wh_heads8;

/* A line of outputs: entry g, t of output i is strip + i * out_step + g * group_step + t *
 * tap_step, its weights weights[g * taps + t]. Each output stores a vector of bytes, the last only
 * tail of them. */
typedef struct wh_run8 {
  const uint8_t *strip, *weights;
  const wh_heads8 *heads;
  ptrdiff_t out_step, group_step, tap_step;
  int32_t groups, taps, count, tail;
  uint8_t *y;
  ptrdiff_t y_step;
  int32_t zero, low, high;
} wh_run8;

/* Lines of 3x3 windows without strips. rows holds column 0 of four rows for each repeat, null for
 * padding; three are of the first line, the last three of the second. */
typedef struct wh_line8 {
  const uint8_t *const *rows;
  const uint8_t *pad;     /* 64 bytes of it */
  const uint8_t *weights; /* of each line three entries */
  const wh_heads8 *heads;
  ptrdiff_t step;           /* between columns */
  int32_t column, limit;    /* the first window's first one; how many there are */
  int32_t stride;           /* 1, or 2 and one line */
  int32_t lines;            /* 1, or 2 that lie one row apart */
  int32_t repeats;          /* of these lines */
  int32_t pixels, channels; /* of an output; pixels > 1: of 8, 16 or 32 channels */
  int32_t count, tail;      /* as in wh_run8 */
  uint8_t *y;
  ptrdiff_t y_step, y_pair, y_repeat; /* between outputs, lines and repeats */
  int32_t zero, low, high;
} wh_line8;

typedef struct wh_strips8 {
  int32_t bytes; /* elements of an entry */
  int32_t entry; /* bytes of an entry */
  void (*fill)(const wh_fill8 *fill);
  /* Makes weights of count filled entries, and corrects heads by the sums of the first ones of
   * them. False if results might not fit in 31 bits before they are clamped. */
  bool (*prepare)(uint8_t *weights, int32_t count, int32_t first, int32_t taps, wh_heads8 *heads);
  void (*run)(const wh_run8 *run);
  void (*line)(const wh_line8 *line); /* or null */
} wh_strips8;

extern const wh_strips8 wh_strips8_avx2, wh_strips8_avx_vnni, wh_strips8_avx512_vnni,
    wh_strips8_neon, wh_strips8_dotprod;

/* What both NEON variants fill and prepare with. */
void wh_fill8_neon(const wh_fill8 *fill);
bool wh_prepare8_neon(uint8_t *weights, int32_t count, int32_t first, int32_t taps,
                      wh_heads8 *heads);

/* The whole convolution by way of strips, or of the definition where a window is too large. */
void wh_depthwise8_strips(const wh_depthwise8 *d, const wh_strips8 *strips);

#endif
