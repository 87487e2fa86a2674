#include "qtile.h"

/* The definition of every variant. Unsigned arithmetic, because streams may hold anything. */

static int32_t read_int(const uint8_t *p) {
  int32_t value;
  memcpy(&value, p, 4);
  return value;
}

static float read_float(const uint8_t *p) {
  float value;
  memcpy(&value, p, 4);
  return value;
}

static void accumulate(uint32_t acc[16], const uint8_t *x, const uint8_t *w, ptrdiff_t count,
                       uint8_t flip) {
  for (ptrdiff_t k = 0; k < count; k += 4, w += 64) {
    int32_t value[4];
    for (int j = 0; j < 4; j++) value[j] = flip ? x[k + j] : (int8_t)x[k + j];
    for (int n = 0; n < 16; n++) {
      int32_t sum = 0;
      for (int j = 0; j < 4; j++) sum += value[j] * (int8_t)w[n * 4 + j];
      acc[n] += (uint32_t)sum;
    }
  }
}

static void finish(const wh_qtile *t, const wh_qspot *spot, const uint32_t *acc,
                   const uint8_t *head, int row, int at) {
  const wh_qresult *result = t->result;
  for (int i = 0; i < 16 && at + i < t->columns; i++) {
    const int n = at + i;
    uint8_t *y = spot->y + row * t->y_row;
    const float factor = read_float(head + 128 + 4 * i), sum = (float)(int32_t)acc[i];
    if (result->kind == WH_RESULT_INT32) {
      memcpy(y + 4 * n, &acc[i], 4);
    } else if (result->kind == WH_RESULT_DYNAMIC) {
      float value = sum * (result->x_scale * factor);
      if (t->bias) value += t->bias[n];
      memcpy(y + 4 * n, &value, 4);
    } else if (!spot->residual) {
      y[n] = wh_q8_byte(sum * factor, &result->range);
    } else {
      const int32_t r = (int8_t)(spot->residual[row * t->residual_row + n] ^ result->flip);
      const float c = wh_q8_clamp(sum * factor, result->c_low, result->c_high);
      const float first = c * result->c_factor;
      const float second = (float)(r - result->r_zero) * result->r_factor;
      y[n] = wh_q8_byte(first + second, &result->range);
    }
  }
}

/* One row of one panel. */
static void row_of(const wh_qtile *t, const wh_qspot *spot, int r, int p) {
  const uint8_t *head = t->head + p * t->panel, *w = t->w + p * t->panel;
  uint32_t acc[16];
  int32_t *sums = t->sums + (r * t->panels + p) * 16;
  for (int n = 0; n < 16; n++) {
    const uint32_t bias = (uint32_t)read_int(head + 4 * n);
    const uint32_t sum = (uint32_t)read_int(head + 64 + 4 * n);
    acc[n] = bias - (uint32_t)t->x_offset * sum;
    if (spot->row_terms) acc[n] += (uint32_t)spot->row_terms[r];
    if (t->resume) acc[n] = (uint32_t)sums[n];
  }
  for (ptrdiff_t i = 0; i < t->segment_count; i++) {
    const wh_qsegment *s = &t->segments[i];
    const uint8_t *x = s->rows[r] + spot->x;
    for (ptrdiff_t run = 0; run < s->runs; run++, w += 16 * s->count)
      accumulate(acc, x + run * s->steps[r], w, s->count, t->result->flip);
  }
  if (t->suspend)
    memcpy(sums, acc, sizeof acc);
  else
    finish(t, spot, acc, head, r, 16 * p);
}

void wh_qtile_scalar(const wh_qtile *t) {
  wh_qspots at = wh_qspots_of(t);
  do {
    for (int r = 0; r < t->rows; r++) {
      for (int p = 0; p < t->panels; p++) row_of(t, &at.spot, r, p);
    }
  } while (wh_qspots_next(t, &at));
}
