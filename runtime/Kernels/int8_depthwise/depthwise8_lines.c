#if defined(__x86_64__)
#include "depthwise8_plan.h"
/**/
#include "../common/compact.h"

enum { REPEATS = WH_ROWS8 / 4 };

/* The rows under lines from number oa on, lines of them at a time. */
static void list_rows(const wh_plan8 *s, const uint8_t *plane, int32_t oa, int32_t lines,
                      int32_t repeats, const uint8_t **rows) {
  const wh_qconv *p = s->d->p;
  int64_t first = (int64_t)oa * p->stride[s->a] - p->pad[s->a];
  for (; repeats > 0; repeats--, first += (int64_t)lines * p->stride[s->a]) {
    int64_t h = first;
    for (int32_t j = 0; j < 4; j++, h += p->dilation[s->a], rows++)
      *rows =
          plane && j < lines + 2 && h >= 0 && h < p->in[s->a] ? plane + h * s->x_step[s->a] : NULL;
  }
}

void wh_lines_of(wh_plan8 *s, const uint8_t *plane, ptrdiff_t at) {
  const wh_qconv *p = s->d->p;
  const int32_t outputs = (p->out[s->b] - 1) / s->pixels + 1, bytes = s->v->bytes;
  const uint8_t *rows[4 * REPEATS];
  wh_line8 line = {.rows = rows,
                   .pad = s->pad,
                   .weights = s->weights,
                   .heads = &s->heads,
                   .step = s->x_step[s->b],
                   .limit = p->in[s->b],
                   .stride = p->stride[s->b],
                   .pixels = s->pixels,
                   .channels = p->groups,
                   .y_step = s->whole ? s->y_pixels[s->b] * s->pixels * p->y_row : bytes,
                   .y_pair = s->whole ? s->y_pixels[s->a] * p->y_row : WH_RESULTS8 / 2,
                   .zero = s->d->zero,
                   .low = s->d->low,
                   .high = s->d->high};
  const int32_t most = s->whole ? outputs : WH_RESULTS8 / 2 / bytes;
  for (int32_t oa = 0; oa < p->out[s->a]; oa += line.repeats * line.lines) {
    const int32_t left = p->out[s->a] - oa, limit = s->whole ? REPEATS : 1;
    line.lines = left < s->shared ? left : s->shared;
    line.repeats = left / line.lines < limit ? left / line.lines : limit;
    line.y_repeat = line.lines * line.y_pair;
    list_rows(s, plane, oa, line.lines, line.repeats, rows);
    for (int32_t first = 0; first < outputs; first += line.count) {
      line.count = outputs - first < most ? outputs - first : most;
      line.column = first * s->pixels * line.stride - p->pad[s->b];
      const int32_t rest = p->out[s->b] - (first + line.count - 1) * s->pixels;
      const int32_t last = rest < s->pixels ? rest : s->pixels;
      line.tail = !s->whole ? bytes : s->pixels > 1 ? last * p->groups : s->width;
      const ptrdiff_t pixel = at + s->y_pixels[s->a] * oa + s->y_pixels[s->b] * first * s->pixels;
      line.y = s->whole ? s->d->y + pixel * p->y_row + s->channel : s->results;
      s->v->line(&line);
      for (int32_t i = 0; !s->whole && i < line.lines; i++)
        wh_deliver8(s, s->results + i * line.y_pair, pixel + i * s->y_pixels[s->a], line.count,
                    last);
    }
  }
}

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_lines_file;
