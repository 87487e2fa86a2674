#include "qwindow.h"

#include "../conv/window.h"

static bool runs_are_rows(const wh_qconv *p) { return p->groups == 1 && p->dilation[2] == 1; }

WH_COMPACT uint64_t wh_qconv_panel_bytes(const wh_qconv *p) {
  const bool by_rows = runs_are_rows(p);
  const uint64_t run = by_rows ? wh_count3(p->kernel[2], p->channels, 1) : (uint64_t)p->channels;
  if (run > INT64_MAX / 64) return WH_TOO_MANY;
  const uint64_t runs = wh_count3(p->kernel[0], p->kernel[1], by_rows ? 1 : p->kernel[2]);
  const uint64_t bytes = wh_times(runs, (int64_t)((run + 3) / 4 * 64));
  return bytes > INT64_MAX / 2 ? WH_TOO_MANY : bytes + WH_QCONV_HEAD;
}

WH_COMPACT void wh_qwindow_begin(wh_qwindow *s, const wh_qconv *p, const uint8_t *x, uint8_t pad) {
  s->p = p;
  s->x = x;
  s->pad = pad;
  s->by_rows = runs_are_rows(p);
  s->strides[2] = (ptrdiff_t)p->groups * p->channels;
  s->strides[1] = s->strides[2] * p->in[2];
  s->strides[0] = s->strides[1] * p->in[1];
  s->count = ((s->by_rows ? (ptrdiff_t)p->kernel[2] * p->channels : p->channels) + 3) / 4 * 4;
  s->runs = (ptrdiff_t)p->kernel[0] * p->kernel[1] * (s->by_rows ? 1 : p->kernel[2]);
  for (int i = 0; i < 3; i++) s->inside[i] = p->in[i] - (p->kernel[i] - 1) * p->dilation[i] - 1;
  memset(s->zeros, pad, sizeof s->zeros);
  memset(s->edges + WH_QEDGES, pad, WH_QSLACK);
}

void wh_qwindow_rewind(wh_qwindow *s, ptrdiff_t group) {
  memset(s->next, 0, sizeof s->next);
  s->image = 0;
  s->group = group;
}

void wh_qwindow_locate(wh_qwindow *s, int valid, int rows) {
  const wh_qconv *p = s->p;
  int32_t *o = s->next;
  s->rows = rows;
  for (int r = 0; r < rows; r++) {
    wh_qpixel *pixel = &s->pixels[r];
    if (r >= valid) {
      *pixel = s->pixels[valid - 1];
      continue;
    }
    pixel->image = s->x + s->image;
    for (int i = 0; i < 3; i++) pixel->at[i] = o[i] * p->stride[i] - p->pad[i];
    if (++o[2] < p->out[2]) continue;
    o[2] = 0;
    if (++o[1] < p->out[1]) continue;
    o[1] = 0;
    if (++o[0] < p->out[0]) continue;
    o[0] = 0;
    s->image += s->strides[0] * p->in[0];
  }
}

static bool within(int32_t at, int32_t last) { return at >= 0 && at <= last; }

static const uint8_t *address(const wh_qwindow *s, const wh_qpixel *x, int32_t d, int32_t h,
                              int32_t w) {
  return x->image + d * s->strides[0] + h * s->strides[1] + w * s->strides[2] + s->group;
}

/* Bytes from ... from + count of a row of the window that crosses an edge; line is column 0 of x.
 */
static void copy_row(const wh_qwindow *s, uint8_t *to, const uint8_t *line, int32_t w,
                     ptrdiff_t from, ptrdiff_t count) {
  const wh_qconv *p = s->p;
  const wh_range taps = wh_window(w, p->kernel[2], 1, p->in[2]);
  const ptrdiff_t first = wh_max64(from, (ptrdiff_t)taps.first * p->channels);
  const ptrdiff_t end = wh_min64(from + count, (ptrdiff_t)taps.end * p->channels);
  memset(to, s->pad, (size_t)count);
  if (first < end)
    memcpy(to + (first - from), line + (ptrdiff_t)w * p->channels + first, (size_t)(end - first));
}

/* The windows of one pixel for one kd, crossing an edge along W: copied one after the other. */
static uint8_t *copy_window(const wh_qwindow *s, uint8_t *to, const wh_qpixel *x, int32_t d) {
  const wh_qconv *p = s->p;
  for (int32_t kh = 0; kh < p->kernel[1]; kh++, to += s->count)
    copy_row(s, to, address(s, x, d, x->at[1] + kh * p->dilation[1], 0), x->at[2], 0, s->count);
  return to;
}

static int whole_by_rows(wh_qwindow *s) {
  const wh_qconv *p = s->p;
  uint8_t *edge = s->edges;
  const ptrdiff_t copy = (ptrdiff_t)p->kernel[1] * s->count;
  for (int32_t kd = 0; kd < p->kernel[0]; kd++) {
    wh_qsegment *segment = &s->segments[kd];
    segment->runs = p->kernel[1];
    segment->count = s->count;
    for (int r = 0; r < s->rows; r++) {
      const wh_qpixel *x = &s->pixels[r];
      const int32_t d = x->at[0] + kd * p->dilation[0];
      if (within(x->at[2], s->inside[2])) {
        segment->rows[r] = address(s, x, d, x->at[1], x->at[2]);
        segment->steps[r] = p->dilation[1] * s->strides[1];
        continue;
      }
      if (s->edges + WH_QEDGES - edge < copy) return 0;
      segment->rows[r] = edge;
      segment->steps[r] = s->count;
      edge = copy_window(s, edge, x, d);
    }
  }
  return p->kernel[0];
}

static int whole_by_taps(wh_qwindow *s) {
  const wh_qconv *p = s->p;
  wh_qsegment *segment = s->segments;
  for (int r = 0; r < s->rows; r++) {
    if (!within(s->pixels[r].at[2], s->inside[2])) return 0;
  }
  for (int32_t kd = 0; kd < p->kernel[0]; kd++) {
    for (int32_t kh = 0; kh < p->kernel[1]; kh++, segment++) {
      segment->runs = p->kernel[2];
      segment->count = s->count;
      for (int r = 0; r < s->rows; r++) {
        const wh_qpixel *x = &s->pixels[r];
        segment->rows[r] =
            address(s, x, x->at[0] + kd * p->dilation[0], x->at[1] + kh * p->dilation[1], x->at[2]);
        segment->steps[r] = p->dilation[2] * s->strides[2];
      }
    }
  }
  return p->kernel[0] * p->kernel[1];
}

int wh_qwindow_whole(wh_qwindow *s) {
  const wh_qconv *p = s->p;
  if (p->kernel[0] > WH_QSEGMENTS || p->kernel[1] > WH_QEDGES) return 0;
  for (int r = 0; r < s->rows; r++) {
    const wh_qpixel *x = &s->pixels[r];
    if (!within(x->at[0], s->inside[0]) || !within(x->at[1], s->inside[1])) return 0;
  }
  if (s->by_rows) return whole_by_rows(s);
  return p->kernel[0] * p->kernel[1] <= WH_QSEGMENTS ? whole_by_taps(s) : 0;
}

/* Where each row finds count values from on of one run; kw is 0 when runs are rows. */
static uint8_t *list_piece(wh_qwindow *s, wh_qsegment *segment, const int32_t tap[3],
                           ptrdiff_t from, uint8_t *edge) {
  const wh_qconv *p = s->p;
  for (int r = 0; r < s->rows; r++) {
    const wh_qpixel *x = &s->pixels[r];
    const int32_t d = x->at[0] + tap[0] * p->dilation[0], h = x->at[1] + tap[1] * p->dilation[1];
    const int32_t w = x->at[2] + tap[2] * p->dilation[2];
    segment->rows[r] = s->zeros;
    segment->steps[r] = 0;
    if (!within(d, p->in[0] - 1) || !within(h, p->in[1] - 1)) continue;
    if (within(w, s->by_rows ? s->inside[2] : p->in[2] - 1)) {
      segment->rows[r] = address(s, x, d, h, w) + from;
    } else if (s->by_rows) {
      copy_row(s, edge, address(s, x, d, h, 0), w, from, segment->count);
      segment->rows[r] = edge;
      edge += segment->count;
    }
  }
  return edge;
}

int wh_qwindow_pieces(wh_qwindow *s, ptrdiff_t *from) {
  const wh_qconv *p = s->p;
  const int32_t taps_w = s->by_rows ? 1 : p->kernel[2];
  int listed = 0;
  uint8_t *edge = s->edges;
  while (*from < s->runs * s->count && listed < WH_QSEGMENTS) {
    const ptrdiff_t run = *from / s->count, at = *from % s->count;
    wh_qsegment *segment = &s->segments[listed];
    segment->runs = 1;
    segment->count = wh_min64(s->count - at, WH_QPAD);
    if (s->edges + WH_QEDGES - edge < s->rows * segment->count) break;
    const int32_t tap[3] = {(int32_t)(run / taps_w / p->kernel[1]),
                            (int32_t)(run / taps_w % p->kernel[1]), (int32_t)(run % taps_w)};
    edge = list_piece(s, segment, tap, at, edge);
    *from += segment->count;
    listed++;
  }
  return listed;
}
