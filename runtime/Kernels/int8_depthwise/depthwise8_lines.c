#if defined(__x86_64__)
#include "depthwise8_plan.h"
/**/
#include "../common/compact.h"

void wh_lines_of(wh_plan8 *s, ptrdiff_t at, int32_t shared) {
  const wh_qconv *p = s->d->p;
  const int32_t outputs = (p->out[s->b] - 1) / s->pixels + 1, bytes = s->v->bytes;
  wh_line8 line = {.pad = s->pad,
                   .even = s->even,
                   .weights = s->weights,
                   .heads = &s->heads,
                   .step = s->x_step[s->b],
                   .limit = p->in[s->b],
                   .lines = shared,
                   .stride = p->stride[s->b],
                   .pixels = s->pixels,
                   .channels = p->groups,
                   .y_step = s->whole ? s->y_pixels[s->b] * s->pixels * p->y_row : bytes,
                   .y_pair = s->whole ? s->y_pixels[s->a] * p->y_row : WH_RESULTS8 / 2,
                   .zero = s->d->zero,
                   .low = s->d->low,
                   .high = s->d->high};
  for (int j = 0; j < 4; j++) line.rows[j] = j < shared + 2 ? s->sources[j].at : NULL;
  const int32_t most = s->whole ? outputs : WH_RESULTS8 / 2 / bytes;
  for (int32_t first = 0; first < outputs; first += line.count) {
    line.count = outputs - first < most ? outputs - first : most;
    line.column = first * s->pixels * line.stride - p->pad[s->b];
    const int32_t left = p->out[s->b] - (first + line.count - 1) * s->pixels;
    const int32_t last = left < s->pixels ? left : s->pixels;
    line.tail = !s->whole ? bytes : s->pixels > 1 ? last * p->groups : s->width;
    const ptrdiff_t pixel = at + s->y_pixels[s->b] * first * s->pixels;
    line.y = s->whole ? s->d->y + pixel * p->y_row + s->channel : s->results;
    s->v->line(&line);
    for (int32_t i = 0; !s->whole && i < shared; i++)
      wh_deliver8(s, s->results + i * line.y_pair, pixel + i * s->y_pixels[s->a], line.count, last);
  }
}

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_lines_file;
