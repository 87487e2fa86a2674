#include "depthwise8_plan.h"

/* Weights of one tap for the elements of an entry. */
static void tap_row(const wh_plan8 *s, ptrdiff_t tap, uint8_t *to) {
  const ptrdiff_t block = wh_depthwise8_block(s->d);
  const uint8_t *from = s->d->stream + WH_QDEPTHWISE_HEAD + tap * 16;
  const int32_t channels = s->d->p->groups;
  if (s->pixels > 1) {
    for (int32_t i = 0; i < s->pixels; i++, to += channels) {
      for (int32_t c = 0; c < channels; c += 16) wh_copy16(to + c, from + c / 16 * block);
    }
    return;
  }
  from += s->channel / 16 * block;
  for (int32_t c = 0; c < s->v->bytes; c += 16, from += block)
    wh_copy16(to + c, s->channel + c < channels ? from : s->zeros);
}

/* Where an element's bias and scale stand: see depthwise8.h. */
static int32_t place_of(const wh_plan8 *s, int32_t element) {
  return element % 16 / 4 * (s->v->bytes / 4) + element / 16 * 4 + element % 4;
}

static void fill_heads(wh_plan8 *s) {
  const ptrdiff_t block = wh_depthwise8_block(s->d);
  const int32_t channels = s->d->p->groups;
  const int32_t run = s->pixels > 1 && channels % 4 ? 1 : 4;
  memset(&s->heads, 0, sizeof s->heads);
  for (int32_t e = 0, c = s->channel; e < s->v->bytes; e += run, c += run) {
    if (s->pixels > 1 && c == channels) c = 0;
    if (c >= channels) return;
    const uint8_t *from = s->d->stream + c / 16 * block + c % 16 * 4;
    const int32_t to = place_of(s, e);
    if (run == 4) {
      wh_copy16(s->heads.bias + to, from);
      wh_copy16(s->heads.scale + to, from + 64);
    } else {
      memcpy(s->heads.bias + to, from, 4);
      memcpy(s->heads.scale + to, from + 64, 4);
    }
  }
}

bool wh_prepare8(wh_plan8 *s) {
  const int32_t *k = s->d->p->kernel;
  const ptrdiff_t step[3] = {(ptrdiff_t)k[1] * k[2], k[2], 1}, bytes = s->v->bytes;
  uint8_t *to = s->strip;
  for (int32_t r = 0; r < s->rows; r++) {
    ptrdiff_t tap = r * step[s->b];
    if (!s->one_line) tap = r / k[s->a] * step[0] + r % k[s->a] * step[s->a];
    for (int32_t i = 0; i < s->columns; i++, to += bytes) tap_row(s, tap + i * step[s->b], to);
  }
  wh_fill8 fill = {.to = s->weights, .to_step = s->v->entry, .count = s->columns};
  for (int32_t i = 0; i < s->shared; i++) {
    for (int32_t g = 0; g < s->groups; g++, fill.to += s->columns * fill.to_step) {
      for (int32_t j = 0; j < 4; j++) {
        const int32_t r = 4 * g + j - i;
        const bool there = r >= 0 && r < s->rows;
        fill.rows[j] = there ? s->strip + r * s->columns * bytes : s->zeros;
        fill.steps[j] = there ? bytes : 0;
      }
      s->v->fill(&fill);
    }
  }
  fill_heads(s);
  const int32_t entries = s->groups * s->columns;
  return s->v->prepare(s->weights, s->shared * entries, entries, s->d->taps, &s->heads);
}
