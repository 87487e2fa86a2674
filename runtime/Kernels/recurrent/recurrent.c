#include "recurrent.h"

#include <math.h>

#include "../elementwise/elementwise.h"
/**/
#include "../common/compact.h"

static bool view(const wh_tensor *t, int64_t offset, int32_t a, int32_t b, int32_t c, int64_t s0,
                 int64_t s1) {
  const int32_t shape[] = {a, b, c};
  const int64_t strides[] = {s0, s1, 1};
  return wh_view_fits(wh_capacity(t, 4), offset, 3, shape, strides);
}

const char *wh_recurrent_check(const wh_call *call, int gates, int split, int bias_gates,
                               int activations) {
  const wh_recurrent *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  const wh_tensor *x = wh_input(call, WH_X), *scratch = wh_scratch(call);
  if (p->steps < 0 || p->batch < 0 || p->input < 0 || p->hidden < 0) return WH_BAD_EXTENT;
  if (p->hidden > INT32_MAX / 64 || p->input > INT32_MAX / 64) return WH_BAD_EXTENT;
  for (int i = 0; i < activations; i++) {
    if (p->activation[i] < WH_ACT_SIGMOID || p->activation[i] > WH_ACT_SOFTPLUS) return WH_BAD_KIND;
  }
  const int64_t whole = ((int64_t)gates * p->hidden + 15) / 16 * 16;
  const int64_t two = (2 * (int64_t)p->hidden + 15) / 16 * 16,
                one = ((int64_t)p->hidden + 15) / 16 * 16;
  const uint64_t state = wh_count3(p->batch, p->hidden, 1);
  if (!wh_holds(x, f32, 0) || !wh_holds(wh_input(call, WH_W), f32, wh_count3(whole, p->input, 1)) ||
      !wh_holds(wh_input(call, WH_R), f32, wh_count3(split ? two + one : whole, p->hidden, 1)) ||
      !wh_may_hold(wh_input(call, WH_BIAS), f32, wh_count3(bias_gates, p->hidden, 1)) ||
      !wh_may_hold(wh_input(call, WH_INITIAL_H), f32, state) ||
      !wh_may_hold(wh_input(call, WH_INITIAL_C), f32, state) ||
      !wh_may_hold(wh_input(call, WH_PEEPHOLES), f32, wh_count3(3, p->hidden, 1)) ||
      !wh_may_hold(wh_input(call, WH_LENGTHS), WH_BIT(WH_INT32), (uint64_t)p->batch))
    return WH_BAD_BYTES;
  for (unsigned i = 0; i < 3; i++) {
    if (!wh_may_hold(wh_output(call, i), f32, 0)) return WH_BAD_BYTES;
    if (i > 0 && wh_output(call, i) &&
        !view(wh_output(call, i), p->h_offset, 1, p->batch, p->hidden, 0, p->h_batch))
      return WH_BAD_VIEW;
  }
  if (p->input < 1 || wh_count3(p->steps, p->batch, p->input) > wh_capacity(x, 4))
    return WH_BAD_EXTENT;
  if (!view(x, 0, p->steps, p->batch, p->input, p->x_step, p->x_batch)) return WH_BAD_VIEW;
  if (wh_output(call, 0) &&
      !view(wh_output(call, 0), p->y_offset, p->steps, p->batch, p->hidden, p->y_step, p->y_batch))
    return WH_BAD_VIEW;
  const uint64_t floats = wh_times(state, 2 * gates + 3);
  if (!scratch || floats == WH_TOO_MANY || scratch->record->bytes / 4 < floats)
    return WH_BAD_SCRATCH;
  /* A state kept between invocations is both initial and final: it is read before it is written. */
  return wh_check_outputs(call, 1u << WH_INITIAL_H | 1u << WH_INITIAL_C);
}

static void initial(float *to, const wh_tensor *from, int64_t count) {
  if (from)
    memcpy(to, from->data, (size_t)count * sizeof *to);
  else
    memset(to, 0, (size_t)count * sizeof *to);
}

int32_t wh_recurrence_begin(wh_recurrence *s, const wh_call *call, int gates) {
  const wh_recurrent *p = call->parameters;
  const wh_tensor *bias = wh_input(call, WH_BIAS), *lengths = wh_input(call, WH_LENGTHS);
  const int64_t state = (int64_t)p->batch * p->hidden;
  *s = (wh_recurrence){.p = p, .call = call, .gemm = wh_gemm_select(call->cpu)};
  s->hidden = p->hidden;
  s->gates = (int64_t)gates * p->hidden;
  s->bias = bias ? (const float *)bias->data : NULL;
  s->x_gates = (float *)wh_scratch(call)->data;
  s->h_gates = s->x_gates + state * gates;
  s->h = s->h_gates + state * gates;
  s->c = s->h + state;
  s->spare = s->c + state;
  for (int64_t b = 0; lengths && b < p->batch; b++) {
    const int32_t length = ((const int32_t *)lengths->data)[b];
    if (length < 0 || length > p->steps) return WHERRY_BAD_VALUE;
  }
  if (!state) return WHERRY_OK;
  initial(s->h, wh_input(call, WH_INITIAL_H), state);
  initial(s->c, wh_input(call, WH_INITIAL_C), state);
  return WHERRY_OK;
}

/* Clamped as well as checked at the start, in case y lies over the lengths. */
static int64_t length_of(const wh_recurrence *s, int64_t batch) {
  const wh_tensor *lengths = wh_input(s->call, WH_LENGTHS);
  if (!lengths) return s->p->steps;
  return wh_max64(0, wh_min64(s->p->steps, ((const int32_t *)lengths->data)[batch]));
}

int64_t wh_recurrence_time(const wh_recurrence *s, int64_t step, int64_t batch) {
  const int64_t length = length_of(s, batch);
  if (step >= length) return -1;
  return s->p->reverse ? length - 1 - step : step;
}

void wh_multiply_x(const wh_recurrence *s, int64_t step, const float *b, int64_t columns,
                   const float *init, int64_t init_row, float *y) {
  const wh_recurrent *p = s->p;
  const float *x = (const float *)wh_input(s->call, WH_X)->data;
  wh_segment segment = {.count = p->input};
  wh_tile t = {.segments = &segment,
               .segment_count = 1,
               .b = b,
               .b_row = 16,
               .b_panel = (ptrdiff_t)p->input * 16,
               .init_row = init_row,
               .y_row = columns,
               .low = -INFINITY,
               .high = INFINITY,
               .packed = 1,
               .repeats = 1};
  for (int64_t i = 0; i < p->batch; i += t.rows) {
    t.rows = (int)wh_min64(p->batch - i, s->gemm.rows);
    for (int r = 0; r < s->gemm.rows; r++) {
      const int64_t row = i + (r < t.rows ? r : 0);
      const int64_t time = wh_max64(0, wh_recurrence_time(s, step, row));
      segment.rows[r] = x + time * p->x_step + row * p->x_batch;
    }
    t.init = init ? init + i * init_row : NULL;
    t.y = y + i * columns;
    wh_gemm_columns(&s->gemm, &t, columns);
  }
}

void wh_multiply_h(const wh_recurrence *s, const float *h, const float *b, int64_t columns,
                   const float *init, int64_t init_row, float *y, int64_t y_row) {
  const wh_tile t = {.b = b,
                     .b_row = 16,
                     .b_panel = s->hidden * 16,
                     .init = init,
                     .init_row = init_row,
                     .y = y,
                     .y_row = y_row,
                     .low = -INFINITY,
                     .high = INFINITY,
                     .packed = 1};
  wh_gemm_rows(&s->gemm, &t, h, s->hidden, s->p->batch, columns, s->hidden);
}

void wh_activate(const wh_recurrence *s, int which, float *x, int64_t count) {
  static const uint8_t kinds[] = {0,
                                  WH_SIGMOID,
                                  WH_TANH,
                                  WH_CLIP,
                                  WH_AFFINE,
                                  WH_LEAKY_RELU,
                                  WH_THRESHOLDED_RELU,
                                  WH_TANH,
                                  WH_HARD_SIGMOID,
                                  WH_ELU,
                                  WH_SOFTSIGN,
                                  WH_SOFTPLUS};
  const uint32_t cpu = s->call->cpu;
  const int kind = s->p->activation[which];
  wh_unary u = {.kind = kinds[kind],
                .element = WH_FLOAT32,
                .alpha = s->p->alpha[which],
                .beta = s->p->beta[which]};
  if (s->p->clip_set) {
    const wh_unary clip = {.kind = WH_CLIP, .alpha = -s->p->clip, .beta = s->p->clip};
    wh_unary_span(cpu, &clip, x, x, count);
  }
  if (kind == WH_ACT_RELU) {
    u.alpha = 0;
    u.beta = INFINITY;
  }
  if (kind == WH_ACT_SCALED_TANH) {
    const wh_unary inner = {.kind = WH_AFFINE, .alpha = u.beta};
    wh_unary_span(cpu, &inner, x, x, count);
  }
  wh_unary_span(cpu, &u, x, x, count);
  if (kind == WH_ACT_SCALED_TANH) {
    const wh_unary outer = {.kind = WH_AFFINE, .alpha = u.alpha};
    wh_unary_span(cpu, &outer, x, x, count);
  }
}

void wh_recurrence_step(wh_recurrence *s, int64_t step, const float *next_h, const float *next_c) {
  const wh_recurrent *p = s->p;
  const wh_tensor *y = wh_output(s->call, 0);
  const size_t bytes = (size_t)s->hidden * sizeof(float);
  for (int64_t b = 0; b < p->batch; b++) {
    const int64_t time = wh_recurrence_time(s, step, b), at = b * s->hidden;
    if (time < 0) continue;
    if (next_h != s->h) memcpy(s->h + at, next_h + at, bytes);
    if (next_c && next_c != s->c) memcpy(s->c + at, next_c + at, bytes);
    if (y)
      memcpy((float *)y->data + p->y_offset + time * p->y_step + b * p->y_batch, s->h + at, bytes);
  }
}

void wh_recurrence_end(const wh_recurrence *s) {
  const wh_recurrent *p = s->p;
  const wh_tensor *y = wh_output(s->call, 0);
  const size_t bytes = (size_t)s->hidden * sizeof(float);
  if (!bytes) return;
  for (int64_t b = 0; b < p->batch; b++) {
    for (int64_t time = length_of(s, b); y && time < p->steps; time++)
      memset((float *)y->data + p->y_offset + time * p->y_step + b * p->y_batch, 0, bytes);
    for (unsigned i = 1; i < 3; i++) {
      const wh_tensor *last = wh_output(s->call, i);
      if (last)
        memcpy((float *)last->data + p->h_offset + b * p->h_batch,
               (i == 1 ? s->h : s->c) + b * s->hidden, bytes);
    }
  }
}

#include "../common/region_end.h"
