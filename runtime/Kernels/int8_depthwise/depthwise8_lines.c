#include "depthwise8_plan.h"

void wh_lines_of(wh_plan8 *s, ptrdiff_t at, int32_t shared) {
  const wh_qconv *p = s->d->p;
  const int32_t outputs = (p->out[s->b] - 1) / s->pixels + 1, bytes = s->v->bytes;
  const bool add = s->d->residual != NULL;
  /* Pixels side by side go two lines at a time; where there is one, the other only waits. */
  const bool pair = s->shared > 1 && (shared > 1 || s->pixels > 1),
             whole = s->whole && pair == (shared > 1);
  wh_line8 line = {.pad = s->pad,
                   .even = s->even,
                   .weights = s->weights,
                   .heads = &s->heads,
                   .step = s->x_step[s->b],
                   .limit = p->in[s->b],
                   .lines = pair ? 2 : 1,
                   .stride = p->stride[s->b],
                   .pixels = s->pixels,
                   .channels = p->groups,
                   .y_step = whole ? s->y_pixels[s->b] * s->pixels * p->y_row : bytes,
                   .y_pair = whole ? s->y_pixels[s->a] * p->y_row : WH_RESULTS8 / 2,
                   .zero = add ? p->c_zero : p->y_zero,
                   .low = add ? p->c_low : p->low,
                   .high = add ? p->c_high : p->high};
  for (int j = 0; j < 4; j++) line.rows[j] = s->sources[j].at;
  const int32_t most = whole ? outputs : WH_RESULTS8 / 2 / bytes;
  for (int32_t first = 0; first < outputs; first += line.count) {
    line.count = outputs - first < most ? outputs - first : most;
    line.column = first * s->pixels * line.stride - p->pad[s->b];
    const int32_t left = p->out[s->b] - (first + line.count - 1) * s->pixels;
    const int32_t last = left < s->pixels ? left : s->pixels;
    line.tail = !whole ? bytes : s->pixels > 1 ? last * p->groups : s->width;
    const ptrdiff_t pixel = at + s->y_pixels[s->b] * first * s->pixels;
    line.y = whole ? s->d->y + pixel * p->y_row + s->channel : s->results;
    s->v->line(&line);
    for (int32_t i = 0; !whole && i < shared; i++)
      wh_deliver8(s, s->results + i * line.y_pair, pixel + i * s->y_pixels[s->a], line.count, last);
  }
}
