#include <math.h>

#include "../common/vector.h"
#include "../conv/window.h"

enum { MAX, AVERAGE, LP };

WH_COMPACT const char *wh_pool_check(const wh_call *call) {
  const wh_pool *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  if (p->kind < MAX || p->kind > LP) return WH_BAD_KIND;
  if (p->batch < 0 || p->channels < 0 || (p->kind == LP && p->p < 1)) return WH_BAD_EXTENT;
  uint64_t plane = p->channels ? (uint64_t)p->channels : 1;
  for (int i = 0; i < 3; i++) {
    if (!wh_window_sane(p->in[i], p->out[i], p->kernel[i], p->stride[i], p->dilation[i],
                        p->pad[i]) ||
        p->pad_end[i] < 0)
      return WH_BAD_EXTENT;
    plane = wh_times(plane, p->in[i] ? p->in[i] : 1);
  }
  if (plane > INT64_MAX) return WH_BAD_EXTENT;
  const uint64_t maps = wh_count3(p->batch, p->channels, 1);
  const uint64_t out = wh_times(wh_count(p->out, 3), maps);
  if (maps > INT64_MAX ||
      !wh_holds(wh_input(call, 0), f32, wh_times(wh_count(p->in, 3), (int64_t)maps)) ||
      !wh_holds(wh_output(call, 0), f32, out))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

typedef struct window {
  const float *x; /* the image */
  wh_range range[3];
  int64_t origin[3], step[3], tap[3]; /* positions; floats between positions, and between taps */
  double divisor;
} window;

/* Channels c ..< c + 4, or the first part of them. */
static void vector_of(const wh_pool *p, const window *w, int64_t c, int64_t part, float *y) {
  vf sum = v_all(p->kind == MAX ? -INFINITY : 0);
  const float *first = w->x + c;
  for (int i = 0; i < 3; i++)
    first += (w->origin[i] + (int64_t)w->range[i].first * p->dilation[i]) * w->step[i];
  for (int32_t d = 0; d < w->range[0].end - w->range[0].first; d++) {
    for (int32_t h = 0; h < w->range[1].end - w->range[1].first; h++) {
      const float *x = first + d * w->tap[0] + h * w->tap[1];
      for (int32_t k = w->range[2].first; k < w->range[2].end; k++, x += w->tap[2]) {
        const vf v = part ? v_load_part(x, part) : v_load(x);
        sum = p->kind == MAX ? v_select((v > sum) | (v != v), v, sum) : sum + v;
      }
    }
  }
  if (p->kind == AVERAGE) sum = sum / v_all((float)w->divisor);
  if (part)
    v_store_part(y + c, sum, part);
  else
    v_store(y + c, sum);
}

WH_COMPACT static double power_sum(const wh_pool *p, const window *w, int64_t c) {
  double sum = 0;
  for (int32_t d = w->range[0].first; d < w->range[0].end; d++) {
    for (int32_t h = w->range[1].first; h < w->range[1].end; h++) {
      for (int32_t k = w->range[2].first; k < w->range[2].end; k++) {
        const double v =
            (double)fabsf(w->x[(w->origin[0] + (int64_t)d * p->dilation[0]) * w->step[0] +
                               (w->origin[1] + (int64_t)h * p->dilation[1]) * w->step[1] +
                               (w->origin[2] + (int64_t)k * p->dilation[2]) * w->step[2] + c]);
        sum += p->p == 1 ? v : p->p == 2 ? v * v : pow(v, p->p);
      }
    }
  }
  return p->p == 1 ? sum : p->p == 2 ? sqrt(sum) : pow(sum, 1.0 / p->p);
}

/* Sets one axis of the window. */
static void place(const wh_pool *p, window *w, int axis, int64_t out) {
  w->origin[axis] = out * p->stride[axis] - p->pad[axis];
  w->range[axis] = wh_window(w->origin[axis], p->kernel[axis], p->dilation[axis], p->in[axis]);
}

WH_COMPACT static double divisor_of(const wh_pool *p, const window *w) {
  double total = 1;
  for (int i = 0; i < 3; i++) {
    int64_t taps = w->range[i].end - w->range[i].first;
    if (p->count_include_pad) {
      const int64_t limit = (int64_t)p->in[i] + p->pad_end[i] - w->origin[i];
      taps = limit > 0 ? (limit + p->dilation[i] - 1) / p->dilation[i] : 0;
      taps = wh_min64(taps, p->kernel[i]);
    }
    total *= (double)taps;
  }
  return total > 0 ? total : 1;
}

int32_t wh_pool_run(const wh_call *call) {
  const wh_pool *p = call->parameters;
  const int64_t c = p->channels;
  float *y = (float *)wh_output(call, 0)->data;
  window w = {.x = (const float *)wh_input(call, 0)->data};
  if (!c || !wh_count(p->out, 3)) return WHERRY_OK;
  w.step[2] = c;
  w.step[1] = c * p->in[2];
  w.step[0] = w.step[1] * p->in[1];
  for (int i = 0; i < 3; i++) w.tap[i] = w.step[i] * p->dilation[i];
  for (int32_t n = 0; n < p->batch; n++, w.x += w.step[0] * p->in[0]) {
    for (int32_t od = 0; od < p->out[0]; od++) {
      place(p, &w, 0, od);
      for (int32_t oh = 0; oh < p->out[1]; oh++) {
        place(p, &w, 1, oh);
        for (int32_t ow = 0; ow < p->out[2]; ow++, y += c) {
          place(p, &w, 2, ow);
          if (p->kind == AVERAGE) w.divisor = divisor_of(p, &w);
          if (p->kind == LP) {
            for (int64_t i = 0; i < c; i++) y[i] = (float)power_sum(p, &w, i);
            continue;
          }
          for (int64_t i = 0; i < c; i += WH_LANES)
            vector_of(p, &w, i, c - i < WH_LANES ? c - i : 0, y);
        }
      }
    }
  }
  return WHERRY_OK;
}
