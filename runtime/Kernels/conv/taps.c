#include "taps.h"

WH_COMPACT void wh_taps_begin(wh_taps *s, const wh_conv *p, const float *x, int list_rows) {
  s->p = p;
  s->x = x;
  s->strides[2] = (ptrdiff_t)p->groups * p->channels;
  s->strides[1] = s->strides[2] * p->in[2];
  s->strides[0] = s->strides[1] * p->in[1];
  s->list_rows = list_rows;
  s->joins = p->dilation[2] == 1 && p->groups == 1;
  s->rows = s->axis = 0;
  s->image = 0;
  memset(s->next, 0, sizeof s->next);
  memset(s->zeros, 0, sizeof s->zeros); /* segments are written before they are read */
}

/* A line of taps along W is one segment when its taps join, else one a tap; where rows of zeros
 * stand for a part of the tile's windows, no segment is longer than they are. */
WH_COMPACT bool wh_taps_fit(const wh_taps *s, int axis, bool clean) {
  const wh_conv *p = s->p;
  const bool joined = s->joins && (clean || axis != 2);
  const int64_t length = (joined ? p->kernel[2] : 1) * (int64_t)p->channels;
  const int64_t pieces = clean ? 1 : (length + WH_ZEROS - 1) / WH_ZEROS;
  const int64_t lines = (int64_t)p->kernel[0] * p->kernel[1];
  return lines * (joined ? 1 : p->kernel[2]) * pieces <= WH_SEGMENTS;
}

WH_COMPACT void wh_taps_line(wh_taps *s, int axis, int32_t n, const int32_t o[3]) {
  const wh_conv *p = s->p;
  s->rows = s->axis == axis ? s->rows : 0;
  s->axis = axis;
  s->origin = n * s->strides[0] * p->in[0];
  for (int i = 0; i < 3; i++) {
    const int32_t at = o[i] * p->stride[i] - p->pad[i];
    s->origin += at * s->strides[i];
    s->taps[i] = wh_window(at, p->kernel[i], p->dilation[i], p->in[i]);
    if (i == axis) s->taps[i] = (wh_range){0, p->kernel[i]};
    if (i == axis) s->position = at;
  }
}

static bool inside(int32_t at, int32_t limit) { return (uint32_t)at < (uint32_t)limit; }

/* A segment whose rows are from and the steps after it. Addresses outside x are only formed. */
static inline void fill(const wh_taps *s, wh_segment *segment, ptrdiff_t from, ptrdiff_t b,
                        ptrdiff_t count) {
  const uintptr_t first = (uintptr_t)s->x + (uintptr_t)from * sizeof(float);
  segment->b = b;
  segment->count = count;
  for (int r = 0; r < WH_GEMM_ROWS; r++)
    segment->rows[r] = (const float *)(first + (uintptr_t)s->step[r]);
}

/* The same where a row's position along the axis, the first one's given, may be outside: by pieces
 * that a row of zeros can stand for. Returns the end of the list. */
static wh_segment *fill_over_edge(const wh_taps *s, wh_segment *segment, ptrdiff_t from,
                                  ptrdiff_t b, ptrdiff_t count, int32_t first) {
  for (ptrdiff_t i = 0; i < count; i += WH_ZEROS, segment++) {
    int32_t at = first;
    fill(s, segment, from + i, b + i, count - i < WH_ZEROS ? count - i : WH_ZEROS);
    for (int r = 0; r < s->list_rows; r++) {
      if (!inside(at, s->p->in[s->axis])) segment->rows[r] = s->zeros;
      if (r + 1 < s->rows) at += s->p->stride[s->axis];
    }
  }
  return segment;
}

static void set_rows(wh_taps *s, int rows) {
  const ptrdiff_t step = s->p->stride[s->axis] * s->strides[s->axis] * (ptrdiff_t)sizeof(float);
  for (int r = 0; r < WH_GEMM_ROWS; r++) s->step[r] = (r < rows ? r : rows - 1) * step;
  s->rows = rows;
}

int wh_taps_of_line(wh_taps *s, int32_t first, int rows, int tiles, int *repeats) {
  const wh_conv *p = s->p;
  const int axis = s->axis;
  const int32_t stride = p->stride[axis], dilation = p->dilation[axis];
  const int32_t at = s->position + first * stride, last = at + (rows - 1) * stride;
  const int32_t left = p->in[axis] - 1 - (last + (p->kernel[axis] - 1) * dilation);
  if (rows != s->rows) set_rows(s, rows);
  /* Taps along the axis that are inside for every pixel. */
  wh_range whole = {0, p->kernel[axis]};
  *repeats = 1;
  if (at >= 0 && left >= 0) {
    *repeats = (int)wh_min64(tiles, 1 + left / (rows * stride));
  } else {
    whole.first = wh_window(at, p->kernel[axis], dilation, p->in[axis]).first;
    whole.end = wh_window(last, p->kernel[axis], dilation, p->in[axis]).end;
  }
  const wh_range *kd = &s->taps[0], *kh = &s->taps[1], *kw = &s->taps[2];
  const ptrdiff_t origin = s->origin + first * stride * s->strides[axis];
  const ptrdiff_t tap_h = p->dilation[1] * s->strides[1], tap_w = p->dilation[2] * s->strides[2];
  wh_segment *segment = s->segments;
  for (int32_t d = kd->first; d < kd->end; d++) {
    for (int32_t h = kh->first; h < kh->end; h++) {
      const ptrdiff_t from = origin + d * p->dilation[0] * s->strides[0] + h * tap_h;
      const ptrdiff_t b = ((ptrdiff_t)d * p->kernel[1] + h) * p->kernel[2];
      for (int32_t w = kw->first, taps = 1; w < kw->end; w += taps) {
        const int32_t along = axis == 2 ? w : axis == 1 ? h : d;
        const bool clean = along >= whole.first && along < whole.end;
        const int32_t end = axis == 2 && clean ? whole.end : kw->end;
        taps = s->joins && (clean || axis != 2) ? end - w : 1;
        const ptrdiff_t count = (ptrdiff_t)taps * p->channels;
        if (clean)
          fill(s, segment++, from + w * tap_w, (b + w) * p->channels, count);
        else
          segment = fill_over_edge(s, segment, from + w * tap_w, (b + w) * p->channels, count,
                                   at + along * dilation);
      }
    }
  }
  return (int)(segment - s->segments);
}

WH_COMPACT void wh_taps_pixels(wh_taps *s, int rows) {
  const wh_conv *p = s->p;
  int32_t *o = s->next;
  s->rows = rows;
  s->whole = (wh_range){0, p->kernel[2]};
  for (int r = 0; r < rows; r++) {
    const int32_t w = o[2] * p->stride[2] - p->pad[2];
    const wh_range range = wh_window(w, p->kernel[2], p->dilation[2], p->in[2]);
    if (range.first > s->whole.first) s->whole.first = range.first;
    if (range.end < s->whole.end) s->whole.end = range.end;
    s->d[r] = o[0] * p->stride[0] - p->pad[0];
    s->h[r] = o[1] * p->stride[1] - p->pad[1];
    s->w[r] = w;
    s->at[r] = s->image + s->d[r] * s->strides[0] + s->h[r] * s->strides[1] + w * s->strides[2];
    if (++o[2] < p->out[2]) continue;
    o[2] = 0;
    if (++o[1] < p->out[1]) continue;
    o[1] = 0;
    if (++o[0] < p->out[0]) continue;
    o[0] = 0;
    s->image += s->strides[0] * p->in[0];
  }
}

/* Goes to the next line of taps. */
static void next_line(wh_taps *s) {
  s->tap_w = 0;
  if (++s->tap_h < s->p->kernel[1]) return;
  s->tap_h = 0;
  s->tap_d++;
}

WH_COMPACT int wh_taps_of_pixels(wh_taps *s, bool from_first) {
  const wh_conv *p = s->p;
  int listed = 0;
  if (from_first) s->tap_d = s->tap_h = s->tap_w = s->channel = 0;
  while (!wh_taps_done(s) && listed < WH_SEGMENTS) {
    bool all = true, any = false, lines[WH_GEMM_ROWS];
    for (int r = 0; r < s->rows; r++) {
      lines[r] = inside(s->d[r] + s->tap_d * p->dilation[0], p->in[0]) &&
                 inside(s->h[r] + s->tap_h * p->dilation[1], p->in[1]);
      all &= lines[r];
      any |= lines[r];
    }
    if (!any) {
      next_line(s);
      continue;
    }
    const int32_t w = s->tap_w * p->dilation[2], left = p->channels - s->channel;
    const ptrdiff_t line = (ptrdiff_t)s->tap_d * p->kernel[1] + s->tap_h;
    const ptrdiff_t from = s->tap_d * p->dilation[0] * s->strides[0] +
                           s->tap_h * p->dilation[1] * s->strides[1] + w * s->strides[2] +
                           s->channel;
    wh_segment *segment = &s->segments[listed++];
    segment->b = (line * p->kernel[2] + s->tap_w) * p->channels + s->channel;
    all = all && s->tap_w >= s->whole.first && s->tap_w < s->whole.end;
    const int32_t taps = all && s->joins ? s->whole.end - s->tap_w : 1;
    segment->count = all ? (ptrdiff_t)taps * p->channels : left < WH_ZEROS ? left : WH_ZEROS;
    for (int r = 0; r < s->list_rows; r++) {
      const int i = r < s->rows ? r : s->rows - 1;
      const bool there = all || (lines[i] && inside(s->w[i] + w, p->in[2]));
      segment->rows[r] = there ? s->x + (s->at[i] + from) : s->zeros;
    }
    if (!all && left > WH_ZEROS) {
      s->channel += WH_ZEROS;
      continue;
    }
    s->channel = 0;
    s->tap_w += taps;
    if (s->tap_w >= p->kernel[2]) next_line(s);
  }
  return listed;
}
