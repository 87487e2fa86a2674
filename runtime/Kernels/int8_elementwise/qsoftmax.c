#include "../reduce/axis.h"
#include "bytes.h"
#include "rounding.h"

enum { COLUMN = 512 };

/* Bytes here are in the order of their values after flip. */
WH_HOT uint8_t most_of(const uint8_t *x, uint8_t flip, int64_t count) {
  uint8_t most = 0;
  for (int64_t i = 0; i < count; i++) most = (x[i] ^ flip) > most ? x[i] ^ flip : most;
  return most ^ flip;
}

WH_HOT uint64_t sum_of(const uint32_t *table, uint8_t most, const uint8_t *x, int64_t count) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < count; i++) sum += table[(uint8_t)(most - x[i])];
  return sum;
}

WH_HOT void reverse(const uint32_t *table, float *reversed) {
  for (int i = 0; i < 256; i++) reversed[i] = (float)table[255 - i];
  for (int i = 256; i < 512; i++) reversed[i] = 0;
}

/**/
#include "../common/compact.h"

const char *wh_qsoftmax_check(const wh_call *call) {
  const wh_qsoftmax *p = call->parameters;
  const double largest = (double)WH_LARGEST_FACTOR;
  if (!wh_is_byte(p->y_zero) || !(p->inverse >= 1 / largest && p->inverse <= largest))
    return WH_BAD_SCALE;
  if (!wh_holds(wh_input(call, 1), WH_BIT(WH_UINT32), 256)) return WH_BAD_BYTES;
  const char *reason = wh_check_axis(call, WH_Q8, p->outer, p->count, p->inner, 0, WH_Q8, p->count);
  return reason ? reason : wh_check_outputs(call, 1);
}

static float factor_of(const wh_qsoftmax *p, uint64_t sum) {
  return sum ? (float)(p->inverse / (double)sum) : 0;
}

/* One column, elements stride apart. */
static void column(const wh_qsoftmax *p, const uint32_t *table, uint8_t flip, const uint8_t *x,
                   uint8_t *y, int64_t stride) {
  int32_t most = -128;
  uint64_t sum = 0;
  for (int64_t i = 0; i < p->count; i++) {
    const int32_t q = (int8_t)(x[i * stride] ^ flip);
    most = q > most ? q : most;
  }
  for (int64_t i = 0; i < p->count; i++) sum += table[most - (int8_t)(x[i * stride] ^ flip)];
  const float k = factor_of(p, sum);
  for (int64_t i = 0; i < p->count; i++) {
    const float e = (float)table[most - (int8_t)(x[i * stride] ^ flip)];
    y[i * stride] = (uint8_t)wh_to_byte(e * k, p->y_zero, -128, 127) ^ flip;
  }
}

/* A row by way of a table from its bytes to y's. */
static void row(const wh_call *call, const float *reversed, const uint8_t *x, uint8_t *y) {
  const wh_qsoftmax *p = call->parameters;
  const uint8_t flip = wh_q8_flip(call) ^ 0x80, most = most_of(x, flip, p->count);
  const uint32_t *exponentials = (const uint32_t *)wh_input(call, 1)->data;
  const float k = factor_of(p, sum_of(exponentials, most, x, p->count));
  uint8_t table[256];
  wh_softmax_table(call->cpu)(reversed + 255 - (most ^ flip), k, p->y_zero, table);
  wh_bytes_lookup(call->cpu, table, x, y, p->count);
}

static void held_column(const wh_call *call, const float *reversed, const uint8_t *x, uint8_t *y) {
  const wh_qsoftmax *p = call->parameters;
  uint8_t held[COLUMN];
  for (int i = 0; i < p->count; i++) held[i] = x[(int64_t)i * p->inner];
  row(call, reversed, held, held);
  for (int i = 0; i < p->count; i++) y[(int64_t)i * p->inner] = held[i];
}

int32_t wh_qsoftmax_run(const wh_call *call) {
  const wh_qsoftmax *p = call->parameters;
  const uint32_t *table = (const uint32_t *)wh_input(call, 1)->data;
  const uint8_t *x = wh_input(call, 0)->data;
  uint8_t *y = wh_output(call, 0)->data;
  const int64_t inner = p->inner;
  const bool vectors = wh_softmax_table(call->cpu) != NULL;
  float reversed[512];
  if (!p->count || !inner) return WHERRY_OK;
  if (vectors) reverse(table, reversed);
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t i = 0; i < inner; i++) {
      const int64_t at = o * p->count * inner + i;
      if (vectors && inner == 1)
        row(call, reversed, x + at, y + at);
      else if (vectors && p->count <= COLUMN)
        held_column(call, reversed, x + at, y + at);
      else
        column(p, table, wh_q8_flip(call), x + at, y + at, inner);
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
