/* Where the windows of output pixels lie in x, as segments for tiles. */
#ifndef WHERRY_QWINDOW_H
#define WHERRY_QWINDOW_H

#include "qtile.h"

/* Limits of one list: its segments, bytes a row of padding can stand for, bytes of copied windows
 * that cross the left or right edge, or of a strip. Copies of one segment of WH_QPAD bytes fit for
 * every row. */
enum { WH_QSEGMENTS = 16, WH_QPAD = 256, WH_QEDGES = 10496, WH_QSLACK = 64 };

typedef struct wh_qpixel {
  const uint8_t *image;
  int32_t at[3]; /* window origin, may be outside */
} wh_qpixel;

/* Runs that have one line of x after the other, or padding. */
typedef struct wh_qphase {
  const uint8_t *line; /* column 0 of the group's first channel, or null for padding */
  ptrdiff_t runs, step;
} wh_qphase;

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
  int32_t first, end;   /* output columns first ..< end need no padding along W */
  uint8_t pad;          /* the byte padding holds */
  int rows;             /* of the tile, repeated pixels included */
  int phase_count;
  bool padded;          /* is one of them padding? Then tiles do not advance together */
  int32_t strip_rows;   /* rows of output whose windows one strip may hold, or 0: no strips */
  bool is_copy;         /* strips are */
  ptrdiff_t strip_line; /* bytes of its lines */
  const uint8_t *strip; /* the first window of the current one */
  wh_qpixel pixels[WH_QROWS];
  wh_qphase phases[WH_QSEGMENTS];
  wh_qsegment segments[WH_QSEGMENTS];
  uint8_t zeros[WH_QPAD + WH_QSLACK];
  uint8_t edges[WH_QEDGES + WH_QSLACK];
} wh_qwindow;

/* Bytes of a panel, its head included; WH_TOO_MANY when they overflow. */
uint64_t wh_qconv_panel_bytes(const wh_qconv *p);

/* All that checks of QConv and QDepthwiseConv prove, given the bytes their stream must hold. */
const char *wh_qconv_check_operands(const wh_call *call, uint64_t stream);

void wh_qwindow_begin(wh_qwindow *s, const wh_qconv *p, const uint8_t *x, uint8_t pad);

/* The output row that pixel (an index of all output pixels) begins: false if its columns need
 * wh_qwindow_pieces. */
bool wh_qwindow_row(wh_qwindow *s, ptrdiff_t pixel);

/* Lists the windows of valid columns of that row from column on, the last repeated up to rows.
 * Returns how many segments, or 0 when they need wh_qwindow_pieces. */
int wh_qwindow_span(wh_qwindow *s, int32_t column, int valid, int rows);

/* A strip is what windows of several output rows read, padding included: x itself where none needs
 * any, else a copy. Makes that of rows <= strip_rows output rows from pixel on, which begins one.
 */
void wh_qwindow_strip(wh_qwindow *s, ptrdiff_t pixel, int32_t rows);

/* Lists the windows of valid columns of the strip's first output row from column on, the last
 * repeated up to rows, as one segment. */
void wh_qwindow_of_strip(wh_qwindow *s, int32_t column, int valid, int rows);

/* Any valid pixels from pixel on, the last repeated up to rows, for wh_qwindow_pieces. */
void wh_qwindow_locate(wh_qwindow *s, ptrdiff_t pixel, int valid, int rows);

/* Lists values from *from of the located windows on, moves *from behind them and returns how many
 * segments. Values count padding to a multiple of 4; the last is at runs * count. */
int wh_qwindow_pieces(wh_qwindow *s, ptrdiff_t *from);

#endif
