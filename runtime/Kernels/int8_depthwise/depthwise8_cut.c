#include "depthwise8_plan.h"
/**/
#include "../common/compact.h"

void wh_deliver8(const wh_plan8 *s, const uint8_t *from, ptrdiff_t at, int32_t count,
                 int32_t last) {
  const wh_qconv *p = s->d->p;
  const int32_t channels = s->pixels > 1 ? p->groups : s->width;
  for (int32_t i = 0; i < count; i++, from += s->v->bytes) {
    const int32_t pixels = i + 1 < count ? s->pixels : last;
    for (int32_t j = 0; j < pixels; j++, at += s->y_pixels[s->b]) {
      const uint8_t *c = from + (ptrdiff_t)j * channels;
      uint8_t *y = s->d->y + at * p->y_row + s->channel;
      if (s->d->residual)
        wh_add_residual8(s->d, c, s->d->residual + at * p->groups + s->channel, y, channels);
      else
        memcpy(y, c, (size_t)channels);
    }
  }
}

/* The rows of taps under output oa of plane od. */
static void set_rows(wh_plan8 *s, const uint8_t *image, int32_t od, int32_t oa) {
  const wh_qconv *p = s->d->p;
  const int32_t lines = s->one_line ? 1 : p->kernel[s->a] + s->shared - 1;
  const int64_t h0 = (int64_t)oa * p->stride[s->a] - p->pad[s->a];
  int64_t d = (int64_t)od * p->stride[0] - p->pad[0], h = h0;
  int32_t line = 0;
  for (int32_t r = 0; r < 4 * s->groups; r++) {
    wh_row8 *row = &s->sources[r];
    const bool there =
        r < s->rows + s->shared - 1 && d >= 0 && d < p->in[0] && h >= 0 && h < p->in[s->a];
    row->at = there ? image + d * s->x_step[0] + h * s->x_step[s->a] + s->channel : NULL;
    row->shift = s->one_line ? r * p->dilation[s->b] : 0;
    if (s->one_line) continue;
    h += p->dilation[s->a];
    if (++line < lines) continue;
    line = 0;
    h = h0;
    d += p->dilation[0];
  }
}

/* All outputs of a block of channels. */
static void block_of(wh_plan8 *s) {
  const wh_qconv *p = s->d->p;
  const uint8_t *image = s->d->x;
  ptrdiff_t at = 0;
  for (int32_t n = 0; n < p->batch; n++, image += s->x_step[0] * p->in[0]) {
    for (int32_t od = 0; od < p->out[0]; od++, at += s->y_pixels[0]) {
#if defined(__x86_64__)
      if (s->by_lines) {
        const int64_t d = (int64_t)od * p->stride[0] - p->pad[0];
        const bool there = d >= 0 && d < p->in[0];
        wh_lines_of(s, there ? image + d * s->x_step[0] + s->channel : NULL, at);
        continue;
      }
#endif
      for (int32_t oa = 0; oa < p->out[s->a]; oa += s->shared) {
        const int32_t left = p->out[s->a] - oa, shared = left < s->shared ? left : s->shared;
        set_rows(s, image, od, oa);
        wh_strips_of(s, at + s->y_pixels[s->a] * oa, shared);
      }
    }
  }
}

/* How many pixels make a vector of results, and whether lines do without strips. */
static void decide_pixels(wh_plan8 *s) {
  const wh_qconv *p = s->d->p;
  const int32_t stride = p->stride[s->b], channels = p->groups, bytes = s->v->bytes;
  const bool fills = channels % 8 == 0 && bytes % channels == 0;
  s->pixels = 1;
  s->by_lines = s->v->line && s->rows == 3 && s->columns == 3 && p->kernel[0] == 1 &&
                p->dilation[s->b] == 1 && stride <= 2;
  if (s->by_lines && stride == 2) s->shared = 1;
  if (s->b != 2 || channels > bytes / 2 || channels % 4) return;
  if (stride == 1 || (s->by_lines && fills)) s->pixels = bytes / channels;
  if (s->pixels > 1) s->by_lines = s->by_lines && fills;
}

/* Decides how the window is cut; false if it is too large for strips. */
static bool decide(wh_plan8 *s) {
  const wh_qconv *p = s->d->p;
  const int32_t bytes = s->v->bytes, entry = s->v->entry;
  /* Along the longer axis, unless vectors over the end of a pixel would spoil finished ones. */
  s->a = p->groups >= bytes && p->out[1] > p->out[2] ? 2 : 1;
  s->b = 3 - s->a;
  s->one_line = p->kernel[0] == 1 && p->kernel[s->a] == 1;
  if (s->d->taps > WH_ROWS8 || s->d->taps * (bytes + 16) > WH_STRIP8) return false;
  s->rows = s->one_line ? p->kernel[s->b] : p->kernel[0] * p->kernel[s->a];
  s->columns = s->one_line ? 1 : p->kernel[s->b];
  s->groups = (s->rows - 1) / 4 + 1;
  const int32_t entries = s->groups * s->columns, most = WH_WEIGHTS8 / entry;
  if (entries > most || entries * entry > WH_STRIP8) return false;
  s->shared = 1;
  if (!s->one_line && p->kernel[0] == 1 && p->stride[s->a] == 1 && p->dilation[s->a] == 1) {
    s->shared = 4 * s->groups - s->rows + 1;
    if (s->shared > most / entries) s->shared = most / entries;
  }
  decide_pixels(s);
  s->capacity = WH_STRIP8 / entry / s->groups;
  const int64_t reach = (int64_t)(s->columns - 1) * p->dilation[s->b] + 1;
  s->by_output = s->pixels > 1 || s->columns == 1 || reach > s->capacity;
  s->line = s->capacity / s->columns;
  if (!s->by_output) s->line = (s->capacity - (int32_t)reach) / p->stride[s->b] + 1;
  if (s->line > WH_RESULTS8 / bytes) s->line = WH_RESULTS8 / bytes;
  return true;
}

void wh_depthwise8_strips(const wh_depthwise8 *d, const wh_strips8 *strips) {
  const wh_qconv *p = d->p;
  wh_plan8 s; /* its large members are written before they are read */
  s.d = d;
  s.v = strips;
  if (!decide(&s)) {
    wh_depthwise8_scalar(d, 0, (p->groups - 1) / 16 + 1);
    return;
  }
  const int32_t c = p->groups, bytes = strips->bytes;
  s.x_step[2] = c;
  s.y_pixels[2] = 1;
  for (int i = 2; i > 0; i--) {
    s.x_step[i - 1] = s.x_step[i] * p->in[i];
    s.y_pixels[i - 1] = s.y_pixels[i] * p->out[i];
  }
  memset(s.zeros, 0, sizeof s.zeros);
  memset(s.pad, (uint8_t)p->x_zero ^ d->flip, sizeof s.pad);
  /* The last block first: its vectors may reach into the next pixel, whose first block comes last.
   */
  for (int32_t block = s.pixels > 1 ? 0 : (c - 1) / bytes; block >= 0; block--) {
    s.channel = block * bytes;
    const int32_t left = c - s.channel;
    s.width = s.pixels > 1 ? s.pixels * c : left < bytes ? left : bytes;
    const bool dense = p->y_row == c && (s.pixels > 1 || c >= bytes / 2);
    s.whole = !d->residual && (dense || (s.pixels == 1 && s.width == bytes));
    if (wh_prepare8(&s))
      block_of(&s);
    else
      wh_depthwise8_scalar(d, s.channel / 16,
                           (s.channel + (s.pixels > 1 ? c : s.width) - 1) / 16 + 1);
  }
}

#include "../common/region_end.h"
