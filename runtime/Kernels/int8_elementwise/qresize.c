#include "../common/operands.h"
#include "bytes.h"
#include "rounding.h"
/**/
#include "../common/compact.h"

enum { X, INDICES0, WEIGHTS0, INDICES1, WEIGHTS1 };

const char *wh_qresize_check(const wh_call *call) {
  const wh_qresize *p = call->parameters;
  const uint32_t q8 = WH_BIT(WH_Q8), i32 = WH_BIT(WH_INT32);
  const int32_t from[] = {p->outer, p->in[0], p->in[1], p->inner};
  const int32_t to[] = {p->outer, p->out[0], p->out[1], p->inner};
  if (!wh_is_byte(p->x_zero) || !wh_is_byte(p->y_zero) || !wh_is_factor(p->factor))
    return WH_BAD_SCALE;
  for (unsigned i = 0; i < 2; i++) {
    const uint64_t table = wh_count3(p->out[i], p->taps[i], 1);
    if (!wh_holds(wh_input(call, INDICES0 + 2 * i), i32, table) ||
        !wh_holds(wh_input(call, WEIGHTS0 + 2 * i), i32, table))
      return WH_BAD_BYTES;
  }
  if (!wh_holds(wh_input(call, X), q8, wh_count(from, 4)) ||
      !wh_holds(wh_output(call, 0), q8, wh_count(to, 4)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

static bool inside(const int32_t *indices, int64_t count, int32_t limit) {
  for (int64_t i = 0; i < count; i++) {
    if (indices[i] < 0 || indices[i] >= limit) return false;
  }
  return true;
}

/* One pixel of inner values. Sums wrap: what a sound file holds stays below 2^31. */
static void pixel(const wh_qresize *p, const wh_resize_taps *taps, uint8_t flip, const uint8_t *x,
                  uint8_t *y) {
  for (int64_t i = 0; i < p->inner; i++) {
    uint32_t sum = 0;
    for (int64_t s = 0; s < p->taps[0]; s++) {
      for (int64_t t = 0; t < p->taps[1]; t++) {
        const int64_t at = (int64_t)taps->indices[0][s] * p->in[1] + taps->indices[1][t];
        const int32_t q = (int8_t)(x[at * p->inner + i] ^ flip);
        sum += (uint32_t)taps->weights[0][s] * (uint32_t)taps->weights[1][t] *
               (uint32_t)(q - p->x_zero);
      }
    }
    y[i] = (uint8_t)wh_to_byte((float)(int32_t)sum * p->factor, p->y_zero, -128, 127) ^ flip;
  }
}

int32_t wh_qresize_run(const wh_call *call) {
  const wh_qresize *p = call->parameters;
  const uint8_t flip = wh_q8_flip(call), *x = wh_input(call, X)->data;
  uint8_t *y = wh_output(call, 0)->data;
  wh_resize_function *vectors = wh_resize(call->cpu);
  wh_resize_taps first, taps;
  for (unsigned i = 0; i < 2; i++) {
    first.indices[i] = (const int32_t *)wh_input(call, INDICES0 + 2 * i)->data;
    first.weights[i] = (const int32_t *)wh_input(call, WEIGHTS0 + 2 * i)->data;
    if (!inside(first.indices[i], (int64_t)p->out[i] * p->taps[i], p->in[i]))
      return WHERRY_BAD_VALUE;
  }
  if (!p->inner || !p->out[0] || !p->out[1]) return WHERRY_OK;
  for (int64_t n = 0; n < p->outer; n++, x += (int64_t)p->in[0] * p->in[1] * p->inner) {
    taps = first;
    for (int64_t i = 0; i < p->out[0]; i++) {
      taps.indices[1] = first.indices[1];
      taps.weights[1] = first.weights[1];
      for (int64_t j = 0; j < p->out[1]; j++, y += p->inner) {
        if (vectors)
          vectors(p, &taps, x, y);
        else
          pixel(p, &taps, flip, x, y);
        taps.indices[1] += p->taps[1];
        taps.weights[1] += p->taps[1];
      }
      taps.indices[0] += p->taps[0];
      taps.weights[0] += p->taps[0];
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
