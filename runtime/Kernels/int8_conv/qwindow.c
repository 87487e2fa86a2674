#include "qwindow.h"

#include "../conv/window.h"

/* 16 bytes at a time; up to 15 more are read and written. */
static inline void copy_loosely(uint8_t *to, const uint8_t *from, ptrdiff_t count) {
  for (; count > 0; count -= 16, to += 16, from += 16) memcpy(to, from, 16);
}

static inline void pad_loosely(const wh_qwindow *s, uint8_t *to, ptrdiff_t count) {
  for (; count > 0; count -= 16, to += 16) memcpy(to, s->zeros, 16);
}

/* Copies of the windows of a column that crosses an edge stand for row r. */
static bool copy_column(wh_qwindow *s, int r, int32_t w, uint8_t **next) {
  const ptrdiff_t channels = s->p->channels, count = s->count;
  const wh_range taps = wh_window(w, s->p->kernel[2], 1, s->p->in[2]);
  const ptrdiff_t first = taps.first * channels, end = taps.end * channels;
  const ptrdiff_t from = taps.first < taps.end ? (w + taps.first) * channels : 0;
  uint8_t *edge = *next;
  for (int i = 0; i < s->phase_count; i++) {
    const wh_qphase *phase = &s->phases[i];
    if (!phase->line) continue;
    if ((s->edges + WH_QEDGES - edge) / count < phase->runs) return false;
    s->segments[i].rows[r] = edge;
    s->segments[i].steps[r] = count;
    const uint8_t *x = phase->line + from;
    for (ptrdiff_t run = phase->runs; run > 0; run--, x += phase->step, edge += count) {
      /* What one writes too much the next overwrites, and slack follows the last. */
      pad_loosely(s, edge, first);
      copy_loosely(edge + first, x, end - first);
      pad_loosely(s, edge + end, count - end);
    }
  }
  *next = edge;
  return true;
}

int wh_qwindow_span(wh_qwindow *s, int32_t column, int valid, int rows) {
  const wh_qconv *p = s->p;
  const int32_t w = column * p->stride[2] - p->pad[2];
  const ptrdiff_t between = p->stride[2] * s->strides[2];
  const bool crossing = column < s->first || column + valid > s->end;
  if (crossing && !s->by_rows) return 0;
  for (int i = 0; i < s->phase_count; i++) {
    const wh_qphase *phase = &s->phases[i];
    wh_qsegment *segment = &s->segments[i];
    segment->runs = phase->runs;
    segment->count = s->count;
    /* Where a window crosses an edge the address is replaced below. */
    uintptr_t at = (uintptr_t)s->zeros, more = 0;
    if (phase->line) {
      at = (uintptr_t)phase->line + (uintptr_t)(w * s->strides[2]);
      more = (uintptr_t)between;
    }
    for (int r = 0; r < rows; r++) {
      segment->rows[r] = (const uint8_t *)at;
      segment->steps[r] = phase->step;
      if (r + 1 < valid) at += more;
    }
  }
  if (!crossing) return s->phase_count;
  uint8_t *edge = s->edges;
  for (int r = 0; r < valid; r++) {
    if (column + r >= s->first && column + r < s->end) continue;
    if (!copy_column(s, r, w + r * p->stride[2], &edge)) return 0;
  }
  for (int i = 0; i < s->phase_count; i++) {
    wh_qsegment *segment = &s->segments[i];
    for (int r = valid; r < rows; r++) {
      segment->rows[r] = segment->rows[valid - 1];
      segment->steps[r] = segment->steps[valid - 1];
    }
  }
  return s->phase_count;
}

void wh_qwindow_of_strip(wh_qwindow *s, int32_t column, int valid, int rows) {
  const wh_qconv *p = s->p;
  wh_qsegment *segment = s->segments;
  const ptrdiff_t between = p->stride[2] * s->strides[2], step = p->dilation[1] * s->strip_line;
  const uint8_t *x = s->strip + column * between;
  segment->runs = s->runs;
  segment->count = s->count;
  for (int r = 0; r < rows; r++) {
    segment->rows[r] = x;
    segment->steps[r] = step;
    if (r + 1 < valid) x += between;
  }
}

/* A line of a strip: padding, inside bytes of x, padding. */
static inline void copy_line(const wh_qwindow *s, uint8_t *to, const uint8_t *x, ptrdiff_t before,
                             ptrdiff_t inside) {
  pad_loosely(s, to, before);
  to += before;
  if (inside < 128)
    copy_loosely(to, x, inside);
  else
    memcpy(to, x, (size_t)inside);
  pad_loosely(s, to + inside, s->strip_line - before - inside);
}

#include "../common/compact.h"

static bool within(int32_t at, int32_t last) { return at >= 0 && at <= last; }

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

static bool runs_are_rows(const wh_qconv *p) { return p->groups == 1 && p->dilation[2] == 1; }

WH_COMPACT uint64_t wh_qconv_panel_bytes(const wh_qconv *p) {
  const bool by_rows = runs_are_rows(p);
  const uint64_t run = by_rows ? wh_count3(p->kernel[2], p->channels, 1) : (uint64_t)p->channels;
  if (run > INT64_MAX / 64) return WH_TOO_MANY;
  const uint64_t runs = wh_count3(p->kernel[0], p->kernel[1], by_rows ? 1 : p->kernel[2]);
  const uint64_t bytes = wh_times(runs, (int64_t)((run + 3) / 4 * 64));
  return bytes > INT64_MAX / 2 ? WH_TOO_MANY : bytes + WH_QCONV_HEAD;
}

/* Lines of a strip for rows of output. */
static int64_t strip_lines(const wh_qconv *p, int64_t rows) {
  return (rows - 1) * p->stride[1] + (int64_t)(p->kernel[1] - 1) * p->dilation[1] + 1;
}

static void begin_strips(wh_qwindow *s) {
  const wh_qconv *p = s->p;
  s->strip_rows = 0;
  if (!s->by_rows || p->kernel[0] != 1 || p->in[0] != 1 || p->out[0] != 1 || p->pad[0]) return;
  /* Of a share of a convolution pad may be negative. */
  s->is_copy = p->pad[1] > 0 || s->first > 0 || s->end < p->out[2] ||
               (p->out[1] - 1) * (int64_t)p->stride[1] - p->pad[1] > s->inside[1];
  s->strip_line = s->strides[1];
  s->strip_rows = p->out[1];
  if (!s->is_copy) return;
  const int64_t line =
      ((p->out[2] - 1) * (int64_t)p->stride[2] + p->kernel[2]) * (int64_t)p->channels;
  const int64_t spare = line > WH_QEDGES ? -1 : WH_QEDGES / line - strip_lines(p, 1);
  s->strip_line = (ptrdiff_t)line;
  s->strip_rows = spare < 0 ? 0 : (int32_t)wh_min64(spare / p->stride[1] + 1, p->out[1]);
  /* Copies must serve more than one row. */
  if (s->strip_rows == 1 && p->out[1] > 1) s->strip_rows = 0;
}

WH_COMPACT void wh_qwindow_begin(wh_qwindow *s, const wh_qconv *p, const uint8_t *x, uint8_t pad) {
  s->p = p;
  s->x = x;
  s->pad = pad;
  s->group = 0;
  s->by_rows = runs_are_rows(p);
  s->strides[2] = (ptrdiff_t)p->groups * p->channels;
  s->strides[1] = s->strides[2] * p->in[2];
  s->strides[0] = s->strides[1] * p->in[1];
  s->count = ((s->by_rows ? (ptrdiff_t)p->kernel[2] * p->channels : p->channels) + 3) / 4 * 4;
  s->runs = (ptrdiff_t)p->kernel[0] * p->kernel[1] * (s->by_rows ? 1 : p->kernel[2]);
  for (int i = 0; i < 3; i++) s->inside[i] = p->in[i] - (p->kernel[i] - 1) * p->dilation[i] - 1;
  s->first = (p->pad[2] + p->stride[2] - 1) / p->stride[2];
  s->end = s->inside[2] < 0 ? 0 : (s->inside[2] + p->pad[2]) / p->stride[2] + 1;
  if (s->end > p->out[2]) s->end = p->out[2];
  begin_strips(s);
  memset(s->zeros, pad, sizeof s->zeros);
  memset(s->edges + WH_QEDGES, pad, WH_QSLACK); /* read, not meant */
}

/* Coordinates of an output pixel's window, and the image it is in. */
static wh_qpixel pixel_at(const wh_qwindow *s, ptrdiff_t pixel) {
  const wh_qconv *p = s->p;
  int32_t o[3];
  for (int i = 2; i >= 0; i--) {
    o[i] = (int32_t)(pixel % p->out[i]);
    pixel /= p->out[i];
  }
  wh_qpixel at = {.image = s->x + pixel * s->strides[0] * p->in[0] + s->group};
  for (int i = 0; i < 3; i++) at.at[i] = o[i] * p->stride[i] - p->pad[i];
  return at;
}

void wh_qwindow_strip(wh_qwindow *s, ptrdiff_t pixel, int32_t rows) {
  const wh_qconv *p = s->p;
  const wh_qpixel at = pixel_at(s, pixel);
  const ptrdiff_t origin = wh_max64(at.at[2], 0) * s->strides[2];
  s->strip = at.image + origin;
  if (!s->is_copy) {
    s->strip += at.at[1] * s->strides[1];
    return;
  }
  const ptrdiff_t line = s->strip_line;
  const ptrdiff_t before = wh_min64(wh_max64(-at.at[2], 0) * s->strides[2], line);
  const ptrdiff_t inside = wh_min64(line - before, wh_max64(s->strides[1] - origin, 0));
  const uint8_t *image = s->strip;
  const int32_t lines = (int32_t)strip_lines(p, rows);
  uint8_t *to = s->edges;
  for (int32_t i = 0; i < lines; i++, to += line) {
    const int32_t h = at.at[1] + i;
    if (within(h, p->in[1] - 1))
      copy_line(s, to, image + h * s->strides[1], before, inside);
    else
      copy_line(s, to, image, line, 0);
  }
  s->strip = s->edges;
}

static bool add_phase(wh_qwindow *s, const uint8_t *line, ptrdiff_t runs, ptrdiff_t step) {
  if (!runs) return true;
  if (s->phase_count == WH_QSEGMENTS || (!line && s->count > WH_QPAD)) return false;
  if (!line) s->padded = true;
  s->phases[s->phase_count++] = (wh_qphase){line, runs, step};
  return true;
}

/* The rows of the window at one kd: padding, lines of x, padding. */
static bool add_rows(wh_qwindow *s, const uint8_t *plane, int32_t h) {
  const wh_qconv *p = s->p;
  const ptrdiff_t runs = s->by_rows ? 1 : p->kernel[2];
  const ptrdiff_t step = p->dilation[1] * s->strides[1];
  const wh_range valid = plane ? wh_window(h, p->kernel[1], p->dilation[1], p->in[1])
                               : (wh_range){p->kernel[1], p->kernel[1]};
  if (!add_phase(s, NULL, valid.first * runs, 0)) return false;
  const uint8_t *line = valid.first < valid.end
                            ? plane + (h + (ptrdiff_t)valid.first * p->dilation[1]) * s->strides[1]
                            : NULL;
  if (s->by_rows) {
    if (!add_phase(s, line, valid.end - valid.first, step)) return false;
  } else {
    const ptrdiff_t tap = p->dilation[2] * s->strides[2];
    for (int32_t kh = valid.first; kh < valid.end; kh++) {
      if (!add_phase(s, line + (kh - valid.first) * step, runs, tap)) return false;
    }
  }
  return add_phase(s, NULL, (p->kernel[1] - valid.end) * runs, 0);
}

bool wh_qwindow_row(wh_qwindow *s, ptrdiff_t pixel) {
  const wh_qconv *p = s->p;
  const wh_qpixel at = pixel_at(s, pixel);
  s->phase_count = 0;
  s->padded = false;
  for (int32_t kd = 0; kd < p->kernel[0]; kd++) {
    const int32_t d = at.at[0] + kd * p->dilation[0];
    const uint8_t *plane = within(d, p->in[0] - 1) ? at.image + d * s->strides[0] : NULL;
    if (!add_rows(s, plane, at.at[1])) return false;
  }
  return true;
}

void wh_qwindow_locate(wh_qwindow *s, ptrdiff_t pixel, int valid, int rows) {
  s->rows = rows;
  for (int r = 0; r < rows; r++)
    s->pixels[r] = r < valid ? pixel_at(s, pixel + r) : s->pixels[valid - 1];
}

/* Where each row finds count values from on of one run; tap[2] is 0 when runs are rows. */
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
    const uint8_t *line = x->image + d * s->strides[0] + h * s->strides[1];
    if (within(w, s->by_rows ? s->inside[2] : p->in[2] - 1)) {
      segment->rows[r] = line + w * s->strides[2] + from;
    } else if (s->by_rows) {
      copy_row(s, edge, line, w, from, segment->count);
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

#include "../common/region_end.h"
