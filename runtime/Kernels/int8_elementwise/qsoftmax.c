#include "../common/q8.h"
#include "../reduce/axis.h"
#include "bytes.h"

/* The largest byte in the order of byte ^ flip. */
WH_HOT uint8_t most_of(const uint8_t *x, uint8_t flip, int64_t count) {
  uint8_t most = 0;
#pragma clang loop interleave(disable)
  for (int64_t i = 0; i < count; i++) most = (x[i] ^ flip) > most ? x[i] ^ flip : most;
  return most ^ flip;
}

WH_HOT uint64_t sum_of(const uint32_t *table, uint8_t most, const uint8_t *x, int64_t count) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < count; i++) sum += table[(uint8_t)(most - x[i])];
  return sum;
}

/* reversed[255 - d] is of distance d below the largest, further entries are 0. */
WH_HOT void reverse(const uint32_t *table, float *reversed) {
  for (int i = 0; i < 256; i++) reversed[i] = (float)table[255 - i];
  for (int i = 256; i < 512; i++) reversed[i] = 0;
}

/**/
#include "../common/compact.h"

const char *wh_qsoftmax_check(const wh_call *call) {
  const wh_qsoftmax *p = call->parameters;
  const double largest = (double)WH_LARGEST_FACTOR;
  if (!wh_q8_range_sane(p->y_zero, 0, 0) || !(p->inverse >= 1 / largest && p->inverse <= largest))
    return WH_BAD_QUANTIZATION;
  if (!wh_holds(wh_input(call, 1), WH_BIT(WH_UINT32), 256)) return WH_BAD_BYTES;
  const char *reason = wh_check_axis(call, WH_Q8, p->outer, p->count, p->inner, 0, WH_Q8, p->count);
  return reason ? reason : wh_check_outputs(call, 1);
}

/* A column by way of a table from its bytes to y's. Its elements are gathered, HELD at a time,
 * where they are apart. */
static void column(const wh_call *call, const float *reversed, int64_t at) {
  enum { HELD = 512 };
  const wh_qsoftmax *p = call->parameters;
  const uint8_t flip = wh_q8_flip(call), order = flip ^ 0x80, *x = wh_input(call, 0)->data + at;
  const uint32_t *exponentials = (const uint32_t *)wh_input(call, 1)->data;
  const int64_t count = p->count, inner = p->inner, step = inner == 1 ? count : HELD;
  uint8_t table[256], held[HELD], most = order, *y = wh_output(call, 0)->data + at;
  uint64_t sum = 0;
  for (int pass = 0; pass < 3; pass++) {
    if (pass == 2) {
      const float k = sum ? (float)(p->inverse / (double)sum) : 0;
      wh_softmax_table(call->cpu)(reversed + 255 - (most ^ order), k, p->y_zero, flip, table);
    }
    for (int64_t i = 0; i < count; i += step) {
      const int64_t n = wh_min64(step, count - i);
      for (int64_t j = 0; inner > 1 && j < n; j++) held[j] = x[(i + j) * inner];
      const uint8_t *from = inner == 1 ? x : held;
      if (pass == 0) {
        const uint8_t m = most_of(from, order, n);
        most = (m ^ order) > (most ^ order) ? m : most;
      } else if (pass == 1) {
        sum += sum_of(exponentials, most, from, n);
      } else {
        uint8_t *to = inner == 1 ? y : held;
        wh_bytes_lookup(call->cpu, n)(table, from, to, n);
        for (int64_t j = 0; inner > 1 && j < n; j++) y[(i + j) * inner] = to[j];
      }
    }
  }
}

int32_t wh_qsoftmax_run(const wh_call *call) {
  const wh_qsoftmax *p = call->parameters;
  float reversed[512];
  if (!p->count || !p->inner) return WHERRY_OK;
  reverse((const uint32_t *)wh_input(call, 1)->data, reversed);
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t i = 0; i < p->inner; i++) column(call, reversed, o * p->count * p->inner + i);
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
