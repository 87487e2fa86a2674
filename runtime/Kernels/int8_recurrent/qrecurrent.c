#include "qrecurrent.h"
/**/
#include "../common/compact.h"

enum { STEPS = 8 /* whose products with x are taken together */, SLACK = 64 };

static int64_t pitch_of(const wh_qrecurrent *p) {
  return ((int64_t)p->hidden + WH_CELL_UNITS - 1) / WH_CELL_UNITS * WH_CELL_UNITS;
}

static int64_t panel_bytes(int64_t depth) { return (depth + 3) / 4 * 64 + WH_QCONV_HEAD; }

static uint64_t stream_bytes(int64_t depth, int64_t columns) {
  return wh_count3((columns + 15) / 16, panel_bytes(depth), 1);
}

static bool view(const wh_tensor *t, int64_t offset, int32_t a, int32_t b, int32_t c, int64_t s0,
                 int64_t s1) {
  const int32_t shape[] = {a, b, c};
  const int64_t strides[] = {s0, s1, 1};
  const unsigned bytes = wh_element_bytes(t->record->element);
  return wh_view_fits(wh_capacity(t, bytes), offset, 3, shape, strides);
}

const char *wh_qrecurrent_check(const wh_call *call, int gates, bool split) {
  const wh_qrecurrent *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32), q8 = WH_BIT(WH_Q8), i8 = WH_BIT(WH_INT8);
  const wh_tensor *x = wh_input(call, WH_QX), *y = wh_output(call, 0), *scratch = wh_scratch(call);
  if (p->steps < 0 || p->batch < 0 || p->input < 1 || p->hidden < 0) return WH_BAD_EXTENT;
  if (p->hidden > INT32_MAX / 64 || p->input > INT32_MAX / 64) return WH_BAD_EXTENT;
  if (!wh_q8_range_sane(p->h_zero, 0, 0) || !wh_q8_factor_sane(p->h_scale) ||
      !wh_q8_factor_sane(p->h_factor))
    return WH_BAD_QUANTIZATION;
  const int64_t n = p->hidden, columns = gates * n;
  const uint64_t state = wh_count3(p->batch, n, 1);
  const uint64_t r = split ? stream_bytes(n, 2 * n) + stream_bytes(n, n) : stream_bytes(n, columns);
  if (!wh_holds(x, q8, 0) ||
      !wh_holds(wh_input(call, WH_QW), i8, stream_bytes(p->input, columns)) ||
      !wh_holds(wh_input(call, WH_QR), i8, r) ||
      !wh_may_hold(wh_input(call, WH_QBIAS), f32, (uint64_t)columns) ||
      !wh_may_hold(wh_input(call, WH_QBIAS_R), f32, (uint64_t)columns) ||
      !wh_may_hold(wh_input(call, WH_QINITIAL_H), f32, state) ||
      !wh_may_hold(wh_input(call, WH_QINITIAL_C), f32, state) || !wh_may_hold(y, q8, 0))
    return WH_BAD_BYTES;
  if (wh_count3(p->steps, p->batch, p->input) > wh_capacity(x, 1)) return WH_BAD_EXTENT;
  if (!view(x, 0, p->steps, p->batch, p->input, p->x_step, p->x_batch) ||
      (y && !view(y, p->y_offset, p->steps, p->batch, p->hidden, p->y_step, p->y_batch)))
    return WH_BAD_VIEW;
  for (unsigned i = 1; i < 3; i++) {
    const wh_tensor *last = wh_output(call, i);
    if (!wh_may_hold(last, f32, 0)) return WH_BAD_BYTES;
    if (last && !view(last, p->h_offset, 1, p->batch, p->hidden, 0, p->h_batch)) return WH_BAD_VIEW;
  }
  const uint64_t floats = wh_times(wh_count3(wh_min64(p->steps, STEPS) + 1, p->batch, columns), 4);
  const uint64_t units = wh_times(wh_count3(p->batch, pitch_of(p), 1), 6);
  uint64_t total;
  if (__builtin_add_overflow(floats, units, &total) || total > UINT64_MAX / 2 || !scratch ||
      wh_capacity(scratch, 1) < total + 5 * SLACK)
    return WH_BAD_SCRATCH;
  /* A state kept between invocations is both initial and final: it is read before it is written. */
  return wh_check_outputs(call, 1u << WH_QINITIAL_H | 1u << WH_QINITIAL_C);
}

static float initial(const wh_tensor *from, int64_t at) {
  return from ? wh_cell8_state(((const float *)from->data)[at]) : 0;
}

void wh_qrecurrence_begin(wh_qrecurrence *s, const wh_call *call, int gates, unsigned state) {
  const wh_qrecurrent *p = call->parameters;
  const wh_q8_range range = wh_q8_range_of(call, p->h_zero, -128, 127);
  const wh_tensor *h = wh_input(call, WH_QINITIAL_H), *kept = wh_input(call, state);
  *s = (wh_qrecurrence){.call = call, .p = p, .gates = (int64_t)gates * p->hidden};
  const int64_t row = p->batch * s->gates, n = p->hidden;
  s->pitch = pitch_of(p);
  s->x = (float *)wh_scratch(call)->data;
  s->r = s->x + wh_min64(p->steps, STEPS) * row;
  s->cell = (wh_cell8){.state = s->r + row + SLACK,
                       .hidden = n,
                       .factor = p->h_factor,
                       .zero = p->h_zero,
                       .flip = wh_q8_flip(call),
                       .linear_before_reset = p->linear_before_reset != 0};
  s->cell.h = (uint8_t *)(s->cell.state + p->batch * s->pitch);
  s->cell.reset = s->cell.h + p->batch * s->pitch;
  for (int64_t b = 0; b < p->batch; b++) {
    for (int64_t u = 0; u < s->pitch; u++) {
      const int64_t at = b * s->pitch + u, from = b * n + u;
      s->cell.state[at] = u < n ? initial(kept, from) : 0;
      s->cell.h[at] = wh_q8_byte((u < n ? initial(h, from) : 0) * p->h_factor, &range);
      s->cell.reset[at] = 0;
    }
  }
}

/* rows of depth bytes at x, batch rows and then steps apart. */
typedef struct rows {
  const uint8_t *x;
  int64_t count, depth, batch, step;
} rows;

static const uint8_t *multiply(const wh_qrecurrence *s, const uint8_t *stream, int64_t columns,
                               const rows *rows, const float *bias, float *y) {
  const wh_qkernel kernel = wh_qkernel_select(s->call->cpu);
  const int64_t panels = (columns + 15) / 16, panel = panel_bytes(rows->depth);
  const int height = wh_qkernel_height(&kernel, rows->count, panels);
  const wh_qresult result = {.kind = WH_RESULT_DYNAMIC, .flip = s->cell.flip, .x_scale = 1};
  wh_qsegment segment = {.runs = 1, .count = (rows->depth + 3) / 4 * 4};
  int32_t sums[WH_QSUMS * 16];
  wh_qready ready;
  wh_qtile t = {.ready = &ready,
                .result = &result,
                .segments = &segment,
                .segment_count = 1,
                .tiles = 1,
                .lines = 1,
                .head = stream,
                .w = stream + WH_QCONV_HEAD,
                .panel = panel,
                .panels = (int)panels,
                .columns = columns,
                .x_offset = result.flip ? 128 : 0,
                .sums = sums,
                .y_row = s->gates * 4,
                .bias = bias};
  ready.head = NULL;
  for (int64_t i = 0; i < rows->count; i += t.rows) {
    t.rows = (int)wh_min64(rows->count - i, height);
    for (int r = 0; r < wh_qkernel_reach(&kernel, t.rows); r++) {
      const int64_t at = i + (r < t.rows ? r : t.rows - 1);
      segment.rows[r] = rows->x + at % s->p->batch * rows->batch + at / s->p->batch * rows->step;
    }
    t.y = (uint8_t *)(y + i * s->gates);
    wh_qtile_columns(&kernel, &t);
  }
  return stream + panels * panel;
}

const uint8_t *wh_qrecurrence_multiply(const wh_qrecurrence *s, const uint8_t *stream,
                                       int64_t columns, const uint8_t *h, const float *bias,
                                       float *y) {
  const rows rows = {h, s->p->batch, s->p->hidden, s->pitch, 0};
  return multiply(s, stream, columns, &rows, bias, y);
}

static int64_t time_of(const wh_qrecurrence *s, int64_t step) {
  return s->p->reverse ? s->p->steps - 1 - step : step;
}

void wh_qrecurrence_take(wh_qrecurrence *s, int64_t step) {
  const wh_qrecurrent *p = s->p;
  const wh_tensor *bias = wh_input(s->call, WH_QBIAS);
  if (step % STEPS) return;
  const rows rows = {wh_input(s->call, WH_QX)->data + time_of(s, step) * p->x_step,
                     wh_min64(p->steps - step, STEPS) * p->batch, p->input, p->x_batch,
                     p->reverse ? -p->x_step : p->x_step};
  multiply(s, wh_input(s->call, WH_QW)->data, s->gates, &rows,
           bias ? (const float *)bias->data : NULL, s->x);
}

wh_cell8 wh_qrecurrence_cell(const wh_qrecurrence *s, int64_t step, int64_t batch) {
  wh_cell8 cell = s->cell;
  const int64_t at = batch * s->pitch;
  cell.x = s->x + (step % STEPS * s->p->batch + batch) * s->gates;
  cell.r = s->r + batch * s->gates;
  cell.state += at;
  cell.h += at;
  cell.reset += at;
  return cell;
}

void wh_qrecurrence_give(const wh_qrecurrence *s, int64_t step) {
  const wh_qrecurrent *p = s->p;
  const wh_tensor *y = wh_output(s->call, 0);
  for (int64_t b = 0; y && b < p->batch; b++)
    memcpy(y->data + p->y_offset + time_of(s, step) * p->y_step + b * p->y_batch,
           s->cell.h + b * s->pitch, (size_t)p->hidden);
}

void wh_qrecurrence_end(const wh_qrecurrence *s, bool kept) {
  const wh_qrecurrent *p = s->p;
  for (unsigned i = 1; i < 3; i++) {
    const wh_tensor *last = wh_output(s->call, i);
    for (int64_t b = 0; last && b < p->batch; b++) {
      float *to = (float *)last->data + p->h_offset + b * p->h_batch;
      for (int64_t u = 0; u < p->hidden; u++) {
        const int64_t at = b * s->pitch + u;
        const int32_t q = (int8_t)(s->cell.h[at] ^ s->cell.flip);
        to[u] = kept || i == 2 ? s->cell.state[at] : (float)(q - p->h_zero) * p->h_scale;
      }
    }
  }
}

#include "../common/region_end.h"
