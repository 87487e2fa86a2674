#include "depthwise8_plan.h"

/* Copies the weights of up to 16 channels from their block of the stream to elements from on of
 * every row, and their bias and scale to where an entry has them: see depthwise8.h. */
static void copy_run(wh_plan8 *s, const uint8_t *block, uint32_t element, uint32_t count) {
  const int32_t *k = s->d->p->kernel;
  const ptrdiff_t step[3] = {(ptrdiff_t)k[1] * k[2] * 16, k[2] * 16, 16};
  const uint8_t *head = block;
  for (uint32_t e = element; e < element + count; e += 4, head += 16) {
    const uint32_t to = e / 4 % 4 * ((uint32_t)s->v->bytes / 4) + e / 16 * 4;
    wh_copy16(s->heads.bias + to, head);
    wh_copy16(s->heads.scale + to, head + 64);
  }
  const uint8_t *plane = block + WH_QDEPTHWISE_HEAD;
  uint8_t *to = s->strip + element;
  const int32_t planes = s->one_line ? 1 : k[0], lines = s->one_line ? s->rows : k[s->a];
  const ptrdiff_t line_step = step[s->one_line ? s->b : s->a];
  for (int32_t d = 0; d < planes; d++, plane += step[0]) {
    const uint8_t *line = plane;
    for (int32_t r = 0; r < lines; r++, line += line_step) {
      const uint8_t *tap = line;
      for (int32_t i = 0; i < s->columns; i++, tap += step[s->b], to += s->row) wh_copy16(to, tap);
    }
  }
}

/* The weights as rows of an entry's elements, in s->strip. */
static void copy_rows(wh_plan8 *s) {
  const ptrdiff_t block = wh_depthwise8_block(s->d);
  const uint8_t *stream = s->d->stream;
  const uint32_t channels = (uint32_t)s->d->p->groups, bytes = (uint32_t)s->v->bytes;
  if (s->pixels == 1) {
    if ((uint32_t)s->channel + bytes > channels) {
      memset(s->strip, 0, (size_t)(s->d->taps * s->row));
      memset(&s->heads, 0, sizeof s->heads);
    }
    for (uint32_t e = 0, c = (uint32_t)s->channel; e < bytes && c < channels; e += 16, c += 16)
      copy_run(s, stream + c / 16 * block, e, 16);
    return;
  }
  memset(&s->heads, 0, sizeof s->heads);
  for (uint32_t e = 0; e < (uint32_t)s->width; e += channels) {
    for (uint32_t c = 0; c < channels; c += 16)
      copy_run(s, stream + c / 16 * block, e + c, channels - c < 16 ? channels - c : 16);
  }
}

bool wh_prepare8(wh_plan8 *s) {
  s->row = s->v->bytes + (s->pixels > 1 ? 16 : 0);
  copy_rows(s);
  wh_fill8 fill = {.to = s->weights, .to_step = s->v->entry, .count = s->columns};
  for (int32_t i = 0; i < s->shared; i++) {
    for (int32_t g = 0; g < s->groups; g++, fill.to += s->columns * fill.to_step) {
      for (int32_t j = 0; j < 4; j++) {
        const int32_t r = 4 * g + j - i;
        const bool there = r >= 0 && r < s->rows;
        fill.rows[j] = there ? s->strip + r * s->columns * s->row : s->zeros;
        fill.steps[j] = there ? s->row : 0;
      }
      s->v->fill(&fill);
    }
  }
  const int32_t entries = s->groups * s->columns;
  return s->v->prepare(s->weights, s->shared * entries, entries, s->d->taps, &s->heads);
}
