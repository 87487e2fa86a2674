/* Where the window of each output pixel lies in x, as segments for a tile. */
#ifndef WHERRY_QWINDOW_H
#define WHERRY_QWINDOW_H

#include "qtile.h"

/* Limits of one list: its segments, bytes a row of padding can stand for, bytes of copied windows
 * that cross the left or right edge. Copies of one segment of WH_QPAD bytes fit for every row. */
enum { WH_QSEGMENTS = 16, WH_QPAD = 256, WH_QEDGES = 8192, WH_QSLACK = 64 };

typedef struct wh_qpixel {
  const uint8_t *image;
  int32_t at[3]; /* window origin, may be outside */
} wh_qpixel;

/* A convolution in progress. A run of the stream is a row of the window or one tap. */
typedef struct wh_qwindow {
  const wh_qconv *p;
  const uint8_t *x;
  ptrdiff_t strides[3]; /* of x in bytes: D, H, W */
  ptrdiff_t group;      /* first channel in a pixel */
  bool by_rows;         /* runs are rows of the window */
  ptrdiff_t count;      /* values in a run, padded to a multiple of 4 */
  ptrdiff_t runs;       /* of a window */
  int32_t inside[3];    /* origins 0 ... inside need no padding; negative: none */
  uint8_t pad;          /* the byte padding holds */
  int32_t next[3];      /* output pixel to locate next */
  ptrdiff_t image;      /* and where its image begins in x */
  int rows;             /* of the tile, repeated pixels included */
  wh_qpixel pixels[WH_QROWS];
  wh_qsegment segments[WH_QSEGMENTS];
  uint8_t zeros[WH_QPAD + WH_QSLACK];
  uint8_t edges[WH_QEDGES + WH_QSLACK];
} wh_qwindow;

/* Bytes of a panel, its head included; WH_TOO_MANY when they overflow. */
uint64_t wh_qconv_panel_bytes(const wh_qconv *p);

void wh_qwindow_begin(wh_qwindow *s, const wh_qconv *p, const uint8_t *x, uint8_t pad);

/* Back to output pixel 0 of a group. */
void wh_qwindow_rewind(wh_qwindow *s, ptrdiff_t group);

/* Takes the next valid output pixels, repeating the last up to rows. */
void wh_qwindow_locate(wh_qwindow *s, int valid, int rows);

/* Lists whole windows of the located pixels and returns how many segments, or 0 when they need
 * wh_qwindow_pieces. */
int wh_qwindow_whole(wh_qwindow *s);

/* Lists values from *from of the window on, moves *from behind them and returns how many segments.
 * Values count padding to a multiple of 4; the last is at runs * count. */
int wh_qwindow_pieces(wh_qwindow *s, ptrdiff_t *from);

#endif
