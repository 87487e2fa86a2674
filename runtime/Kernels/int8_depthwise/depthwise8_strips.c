#include "../conv/window.h"
#include "depthwise8_plan.h"
/**/
#include "../common/compact.h"

/* Where the row of an entry at a column is: in x, or over its edge copied among padding. */
static const uint8_t *entry_row(wh_plan8 *s, const wh_row8 *source, int64_t column, uint8_t *to) {
  const ptrdiff_t c = s->d->p->groups;
  if (!source->at) return s->pad;
  column += source->shift;
  const wh_range valid = wh_window(column, s->pixels, 1, s->d->p->in[s->b]);
  if (valid.first == valid.end) return s->pad;
  const uint8_t *from = source->at + (column + valid.first) * s->x_step[s->b];
  if (valid.end - valid.first == s->pixels) return from;
  memcpy(to, s->pad, WH_VECTOR8);
  memcpy(to + valid.first * c, from, WH_VECTOR8);
  memcpy(to + valid.end * c, s->pad, WH_VECTOR8);
  return to;
}

/* Fills count entries of group g from number first on, every step-th, from columns column, column +
 * skip, … */
static void fill_entries(wh_plan8 *s, int32_t g, int32_t first, int32_t step, int64_t column,
                         int64_t skip, int32_t count) {
  const wh_row8 *sources = s->sources + 4 * g;
  /* The entries that lie inside x with all of their rows. */
  const int64_t least = column + sources[0].shift, most = column + sources[3].shift + s->pixels;
  const int64_t room = s->d->p->in[s->b] - most;
  const int64_t end = room < 0 ? 0 : wh_min64(room / skip + 1, count);
  const int64_t begin = least >= 0 ? 0 : wh_min64((-least + skip - 1) / skip, end);
  wh_fill8 fill;
  fill.to = s->strip + ((ptrdiff_t)g * s->capacity + first) * s->v->entry;
  fill.to_step = (ptrdiff_t)step * s->v->entry;
  for (int64_t i = 0; i < count; i += fill.count, fill.to += fill.count * fill.to_step) {
    fill.count = i == begin && begin < end ? (int32_t)(end - begin) : 1;
    for (int j = 0; j < 4; j++) {
      fill.rows[j] = entry_row(s, &sources[j], column + i * skip, s->edges[j]);
      fill.steps[j] = sources[j].at ? skip * s->x_step[s->b] : 0;
    }
    s->v->fill(&fill);
  }
}

/* The strip of count outputs from number first on. */
static void fill_strip(wh_plan8 *s, int32_t first, int32_t count) {
  const wh_qconv *p = s->d->p;
  const int64_t stride = p->stride[s->b], dilation = p->dilation[s->b];
  const int64_t column = (int64_t)first * s->pixels * stride - p->pad[s->b];
  for (int32_t g = 0; g < s->groups; g++) {
    if (!s->by_output) {
      const int64_t reach = (count - 1) * stride + (s->columns - 1) * dilation + 1;
      fill_entries(s, g, 0, 1, column, 1, (int32_t)reach);
      continue;
    }
    for (int32_t k = 0; k < s->columns; k++)
      fill_entries(s, g, k, s->columns, column + k * dilation, s->pixels * stride, count);
  }
}

void wh_strips_of(wh_plan8 *s, ptrdiff_t at, int32_t shared) {
  const wh_qconv *p = s->d->p;
  const int32_t outputs = (p->out[s->b] - 1) / s->pixels + 1, bytes = s->v->bytes;
  wh_run8 run = {.strip = s->strip,
                 .heads = &s->heads,
                 .out_step = (ptrdiff_t)(s->by_output ? s->columns : p->stride[s->b]) * s->v->entry,
                 .group_step = (ptrdiff_t)s->capacity * s->v->entry,
                 .tap_step = (ptrdiff_t)(s->by_output ? 1 : p->dilation[s->b]) * s->v->entry,
                 .groups = s->groups,
                 .taps = s->columns,
                 .y_step = s->whole ? s->y_pixels[s->b] * s->pixels * p->y_row : bytes,
                 .zero = s->d->zero,
                 .low = s->d->low,
                 .high = s->d->high};
  for (int32_t first = 0; first < outputs; first += s->line) {
    run.count = outputs - first < s->line ? outputs - first : s->line;
    fill_strip(s, first, run.count);
    const int32_t left = p->out[s->b] - (first + run.count - 1) * s->pixels;
    const int32_t last = left < s->pixels ? left : s->pixels;
    run.tail = !s->whole ? bytes : s->pixels > 1 ? last * p->groups : s->width;
    run.weights = s->weights;
    for (int32_t i = 0; i < shared; i++) {
      const ptrdiff_t pixel = at + s->y_pixels[s->a] * i + s->y_pixels[s->b] * first * s->pixels;
      run.y = s->whole ? s->d->y + pixel * p->y_row + s->channel : s->results;
      s->v->run(&run);
      if (!s->whole) wh_deliver8(s, s->results, pixel, run.count, last);
      run.weights += (ptrdiff_t)s->groups * s->columns * s->v->entry;
    }
  }
}

#include "../common/region_end.h"
