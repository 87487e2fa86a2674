#include "taps.h"

WH_COMPACT void wh_taps_begin(wh_taps *s, const wh_conv *p, const float *x, int list_rows) {
  s->p = p;
  s->x = x;
  s->strides[2] = (ptrdiff_t)p->groups * p->channels;
  s->strides[1] = s->strides[2] * p->in[2];
  s->strides[0] = s->strides[1] * p->in[1];
  s->list_rows = list_rows;
  s->joins = p->dilation[2] == 1 && p->groups == 1;
  s->listed = s->listed_rows = 0;
  const int64_t line = (int64_t)p->kernel[2] * p->channels;
  s->kernel_line = (int32_t)wh_min64(line, WH_SHORT_LINE);
  s->copies_edges = s->joins && line <= WH_SHORT_LINE &&
                    line * p->kernel[0] * p->kernel[1] * list_rows <= WH_COPIES;
  s->image = 0;
  memset(s->next, 0, sizeof s->next);
  memset(s->zeros, 0, sizeof s->zeros); /* copies and segments are written before they are read */
}

WH_COMPACT bool wh_taps_fit_lines(const wh_taps *s) {
  const wh_conv *p = s->p;
  const int64_t lines = (int64_t)p->kernel[0] * p->kernel[1];
  const int64_t runs = (p->channels + WH_ZEROS - 1) / WH_ZEROS;
  return lines * (s->copies_edges ? 1 : p->kernel[2] * runs) <= WH_SEGMENTS;
}

WH_COMPACT void wh_taps_line(wh_taps *s, int32_t n, int32_t d, int32_t h) {
  const wh_conv *p = s->p;
  const int32_t at_d = d * p->stride[0] - p->pad[0], at_h = h * p->stride[1] - p->pad[1];
  s->origin = n * s->strides[0] * p->in[0] + at_d * s->strides[0] + at_h * s->strides[1] -
              p->pad[2] * s->strides[2];
  s->kd = wh_window(at_d, p->kernel[0], p->dilation[0], p->in[0]);
  s->kh = wh_window(at_h, p->kernel[1], p->dilation[1], p->in[1]);
  s->listed = 0;
}

static bool inside(int32_t at, int32_t limit) { return (uint32_t)at < (uint32_t)limit; }

/* Copies one line of the window that begins at tap position w, with zeros for what is outside. */
WH_COMPACT static void copy_line(const wh_taps *s, float *to, ptrdiff_t from, int32_t w) {
  const wh_range range = wh_window(w, s->p->kernel[2], 1, s->p->in[2]);
  const int32_t channels = s->p->channels, count = s->p->kernel[2] * channels;
  for (int32_t i = 0; i < count; i++) to[i] = 0;
  for (int32_t i = range.first * channels; i < range.end * channels; i++) to[i] = s->x[from + i];
}

/* One segment for a line of taps that begins at from: pixels over the edge have theirs copied. */
static void copied_line(wh_taps *s, wh_segment *segment, ptrdiff_t from, int32_t w,
                        float **copies) {
  const wh_conv *p = s->p;
  segment->count = s->kernel_line;
  for (int r = 0; r < s->list_rows; r++, w += r < s->rows ? p->stride[2] : 0) {
    if (w >= 0 && w <= p->in[2] - p->kernel[2]) {
      segment->rows[r] = s->x + (from + s->step[r]);
    } else if (r >= s->rows) {
      segment->rows[r] = segment->rows[r - 1];
    } else {
      copy_line(s, *copies, from + s->step[r], w);
      segment->rows[r] = *copies;
      *copies += s->kernel_line;
    }
  }
}

int wh_taps_of_line(wh_taps *s, int32_t ow, int rows) {
  const wh_conv *p = s->p;
  const int32_t stride = p->stride[2], dilation = p->dilation[2];
  const int32_t w = ow * stride - p->pad[2], last = w + (rows - 1) * stride;
  const bool all = w >= 0 && last + (p->kernel[2] - 1) * dilation < p->in[2];
  if (all && s->listed && rows == s->listed_rows) { /* the last list, further right */
    const ptrdiff_t by = (w - s->listed_w) * s->strides[2];
    for (int i = 0; i < s->listed; i++) {
      for (int r = 0; r < WH_GEMM_ROWS; r++) s->segments[i].rows[r] += by;
    }
    s->listed_w = w;
    return s->listed;
  }
  if (rows != s->listed_rows) {
    for (int r = 0; r < WH_GEMM_ROWS; r++)
      s->step[r] = (r < rows ? r : rows - 1) * (ptrdiff_t)stride * s->strides[2];
  }
  s->rows = s->listed_rows = rows;
  const wh_range whole = {wh_window(w, p->kernel[2], dilation, p->in[2]).first,
                          wh_window(last, p->kernel[2], dilation, p->in[2]).end};
  wh_segment *segment = s->segments;
  float *copies = s->copies;
  for (int32_t kd = s->kd.first; kd < s->kd.end; kd++) {
    for (int32_t kh = s->kh.first; kh < s->kh.end; kh++) {
      const ptrdiff_t b = ((ptrdiff_t)kd * p->kernel[1] + kh) * p->kernel[2] * p->channels;
      const ptrdiff_t line = s->origin + kd * p->dilation[0] * s->strides[0] +
                             kh * p->dilation[1] * s->strides[1] +
                             ow * (ptrdiff_t)stride * s->strides[2];
      if (s->copies_edges && !all) {
        segment->b = b;
        copied_line(s, segment++, line, w, &copies);
        continue;
      }
      for (int32_t kw = 0, taps = 1; kw < p->kernel[2]; kw += taps) {
        const ptrdiff_t from = line + kw * dilation * s->strides[2];
        const bool here = kw >= whole.first && kw < whole.end;
        taps = here && s->joins ? whole.end - kw : 1;
        const ptrdiff_t count = (ptrdiff_t)taps * p->channels;
        if (here) {
          segment->b = b + (ptrdiff_t)kw * p->channels;
          segment->count = count;
          for (int r = 0; r < WH_GEMM_ROWS; r++) segment->rows[r] = s->x + (from + s->step[r]);
          segment++;
          continue;
        }
        for (ptrdiff_t c = 0; c < count; c += WH_ZEROS, segment++) {
          segment->b = b + (ptrdiff_t)kw * p->channels + c;
          segment->count = count - c < WH_ZEROS ? count - c : WH_ZEROS;
          for (int r = 0; r < s->list_rows; r++) {
            const int32_t at = w + kw * dilation + (r < rows ? r : rows - 1) * stride;
            segment->rows[r] = inside(at, p->in[2]) ? s->x + (from + c + s->step[r]) : s->zeros;
          }
        }
      }
    }
  }
  s->listed = all ? (int)(segment - s->segments) : 0;
  s->listed_w = w;
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
