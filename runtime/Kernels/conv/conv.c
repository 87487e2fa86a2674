#include "conv.h"
#include "../gemm/gemm.h"

enum { X, WEIGHTS, BIAS, RESIDUAL };

WH_COMPACT const char *wh_conv_check_operands(const wh_call *call, uint64_t weights) {
  const wh_conv *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  for (int i = 0; i < 3; i++) {
    if (!wh_window_sane(p->in[i], p->out[i], p->kernel[i], p->stride[i], p->dilation[i], p->pad[i]))
      return WH_BAD_EXTENT;
  }
  uint64_t plane = 1; /* strides must not overflow even where another extent is zero */
  for (int i = 0; i < 3; i++) plane = wh_times(plane, p->in[i] ? p->in[i] : 1);
  plane = wh_times(wh_times(plane, p->groups), p->channels ? p->channels : 1);
  if (plane > INT64_MAX) return WH_BAD_EXTENT;
  const uint64_t in = wh_times(wh_count(p->in, 3), p->batch);
  const uint64_t out = wh_times(wh_count(p->out, 3), p->batch);
  const uint64_t size = wh_times(wh_times(out, p->groups), p->filters);
  if (!wh_holds(wh_input(call, X), f32, wh_times(wh_times(in, p->groups), p->channels)) ||
      !wh_holds(wh_input(call, WEIGHTS), f32, weights) ||
      !wh_may_hold(wh_input(call, BIAS), f32, wh_count3(p->groups, p->filters, 1)) ||
      !wh_may_hold(wh_input(call, RESIDUAL), f32, size) || !wh_holds(wh_output(call, 0), f32, size))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 1u << RESIDUAL);
}

WH_COMPACT const char *wh_conv_check(const wh_call *call) {
  const wh_conv *p = call->parameters;
  if (p->filters < 0 || p->groups < 0) return WH_BAD_EXTENT;
  const int64_t columns = ((int64_t)p->filters + 15) / 16 * 16;
  uint64_t weights = wh_times(wh_count(p->kernel, 3), p->channels);
  weights = wh_times(wh_times(weights, columns), p->groups);
  return wh_conv_check_operands(call, weights);
}

/* Limits of one pass over a tile: segments of a window's taps, channels a zero row can stand for,
 * and floats of copied edge windows. */
enum { SEGMENTS = 32, ZEROS = 256, EDGES = 2048 };

typedef struct pixel {
  const float *base; /* of its image */
  int32_t at[3];     /* window origin, may be negative */
} pixel;

typedef struct plan {
  const wh_conv *p;
  wh_gemm gemm;
  ptrdiff_t strides[3]; /* of x in floats: D, H, W */
  ptrdiff_t group;      /* first channel of the group in x */
  int32_t next[3];      /* output pixel */
  ptrdiff_t image;      /* and where its image begins in x */
  pixel pixels[WH_GEMM_ROWS];
  wh_segment segments[SEGMENTS];
  float zeros[ZEROS];
  float edges[EDGES];
} plan;

static bool inside(int32_t at, int32_t limit) { return (uint32_t)at < (uint32_t)limit; }

/* One segment a tap and run of channels, the zero row standing for what lies outside. Fills
 * segments from step on, at most SEGMENTS of them, and returns how many. */
static int list_taps(plan *s, ptrdiff_t step, ptrdiff_t runs) {
  const wh_conv *p = s->p;
  int listed = 0;
  const ptrdiff_t total = (ptrdiff_t)p->kernel[0] * p->kernel[1] * p->kernel[2] * runs;
  ptrdiff_t tap = step / runs, run = step % runs;
  int32_t kw = (int32_t)(tap % p->kernel[2]), kh = (int32_t)(tap / p->kernel[2] % p->kernel[1]);
  int32_t kd = (int32_t)(tap / p->kernel[2] / p->kernel[1]);
  for (; step < total && listed < SEGMENTS; step++) {
    wh_segment *segment = &s->segments[listed++];
    const ptrdiff_t channel = run * ZEROS, from = s->group + channel;
    segment->b = tap * p->channels + channel;
    segment->count = p->channels - channel < ZEROS ? p->channels - channel : ZEROS;
    const int32_t dd = kd * p->dilation[0], dh = kh * p->dilation[1], dw = kw * p->dilation[2];
    for (int r = 0; r < s->gemm.rows; r++) {
      const pixel *x = &s->pixels[r];
      const int32_t d = x->at[0] + dd, h = x->at[1] + dh, w = x->at[2] + dw;
      const bool valid = inside(d, p->in[0]) && inside(h, p->in[1]) && inside(w, p->in[2]);
      segment->rows[r] =
          valid ? x->base + d * s->strides[0] + h * s->strides[1] + w * s->strides[2] + from
                : s->zeros;
    }
    if (++run < runs) continue;
    run = 0;
    tap++;
    if (++kw < p->kernel[2]) continue;
    kw = 0;
    if (++kh < p->kernel[1]) continue;
    kh = 0;
    kd++;
  }
  return listed;
}

/* One segment a row of the window: its taps and channels are contiguous in x; windows over the edge
 * are copied among zeros. Needs groups = 1, dilation 1 along W and windows that fit edges. */
static int list_window_rows(plan *s) {
  const wh_conv *p = s->p;
  const int32_t count = p->kernel[2] * p->channels;
  float *edge = s->edges;
  int listed = 0;
  for (int32_t kd = 0; kd < p->kernel[0]; kd++) {
    for (int32_t kh = 0; kh < p->kernel[1]; kh++, listed++) {
      wh_segment *segment = &s->segments[listed];
      segment->b = (ptrdiff_t)listed * count;
      segment->count = count;
      const int32_t dd = kd * p->dilation[0], dh = kh * p->dilation[1];
      for (int r = 0; r < s->gemm.rows; r++) {
        const pixel *x = &s->pixels[r];
        const int32_t d = x->at[0] + dd, h = x->at[1] + dh, w = x->at[2];
        if (!inside(d, p->in[0]) || !inside(h, p->in[1])) {
          segment->rows[r] = s->zeros;
          continue;
        }
        const float *line = x->base + d * s->strides[0] + h * s->strides[1];
        if (w >= 0 && w + p->kernel[2] <= p->in[2]) {
          segment->rows[r] = line + w * s->strides[2];
          continue;
        }
        const wh_range range = wh_window(w, p->kernel[2], 1, p->in[2]);
        memset(edge, 0, (size_t)count * sizeof *edge);
        if (range.first < range.end)
          memcpy(edge + (ptrdiff_t)range.first * p->channels,
                 line + (w + range.first) * s->strides[2],
                 (size_t)(range.end - range.first) * (size_t)p->channels * sizeof *edge);
        segment->rows[r] = edge;
        edge += count;
      }
    }
  }
  return listed;
}

/* A tile whose taps are too many for one pass: sums wait in y's stand-in between passes. */
static void long_tile(plan *s, const wh_tile *tile, ptrdiff_t runs, ptrdiff_t total) {
  float sums[WH_GEMM_ROWS * 16];
  for (ptrdiff_t n = 0; n < s->p->filters; n += 16) {
    const ptrdiff_t columns = s->p->filters - n < 16 ? s->p->filters - n : 16;
    wh_tile t = *tile;
    t.b += n / 16 * t.b_panel;
    t.init = t.init ? t.init + n : NULL;
    for (ptrdiff_t step = 0; step < total; step += t.segment_count) {
      t.segment_count = list_taps(s, step, runs);
      const bool last = step + t.segment_count >= total;
      t.residual = last && tile->residual ? tile->residual + n : NULL;
      t.low = last ? tile->low : -__builtin_inff();
      t.high = last ? tile->high : __builtin_inff();
      t.y = last ? tile->y + n : sums;
      t.y_row = last ? tile->y_row : 16;
      wh_gemm_columns(&s->gemm, &t, columns);
      t.init = sums;
      t.init_row = 16;
    }
  }
}

/* The next rows output pixels; those past them in the tile repeat the last. */
static void locate(plan *s, const float *x, int rows) {
  const wh_conv *p = s->p;
  for (int r = 0; r < s->gemm.rows; r++) {
    if (r >= rows) {
      s->pixels[r] = s->pixels[rows - 1];
      continue;
    }
    int32_t *o = s->next;
    s->pixels[r].base = x + s->image;
    for (int i = 0; i < 3; i++) s->pixels[r].at[i] = o[i] * p->stride[i] - p->pad[i];
    if (++o[2] < p->out[2]) continue;
    o[2] = 0;
    if (++o[1] < p->out[1]) continue;
    o[1] = 0;
    if (++o[0] < p->out[0]) continue;
    o[0] = 0;
    s->image += s->strides[0] * p->in[0];
  }
}

int32_t wh_conv_run(const wh_call *call) {
  const wh_conv *p = call->parameters;
  const wh_tensor *bias = wh_input(call, BIAS), *residual = wh_input(call, RESIDUAL);
  plan s; /* edges and segments are written before they are read */
  s.p = p;
  s.gemm = wh_gemm_select(call->cpu);
  s.image = s.group = 0;
  memset(s.next, 0, sizeof s.next);
  memset(s.zeros, 0, sizeof s.zeros);
  s.strides[2] = (ptrdiff_t)p->groups * p->channels;
  s.strides[1] = s.strides[2] * p->in[2];
  s.strides[0] = s.strides[1] * p->in[1];
  const ptrdiff_t pixels = (ptrdiff_t)p->batch * p->out[0] * p->out[1] * p->out[2];
  const ptrdiff_t taps = (ptrdiff_t)p->kernel[0] * p->kernel[1] * p->kernel[2];
  const ptrdiff_t k = taps * p->channels,
                  runs = p->channels / ZEROS + (p->channels % ZEROS || !p->channels);
  const ptrdiff_t width = (ptrdiff_t)p->groups * p->filters;
  if (!width || !pixels) return WHERRY_OK;
  const bool by_rows = p->groups == 1 && p->dilation[2] == 1 && k * s.gemm.rows <= EDGES &&
                       p->kernel[2] * p->channels <= ZEROS && taps / p->kernel[2] <= SEGMENTS;
  wh_tile tile = {.segments = s.segments,
                  .b_row = 16,
                  .b_panel = k * 16,
                  .packed = 1,
                  .y_row = width,
                  .residual_row = width,
                  .low = p->low,
                  .high = p->high};
  for (ptrdiff_t i = 0; i < pixels; i += tile.rows) {
    tile.rows = (int)(pixels - i < s.gemm.rows ? pixels - i : s.gemm.rows);
    locate(&s, (const float *)wh_input(call, X)->data, tile.rows);
    for (ptrdiff_t g = 0; g < p->groups; g++) {
      const ptrdiff_t n = g * p->filters;
      s.group = g * p->channels;
      tile.b = (const float *)wh_input(call, WEIGHTS)->data + g * ((p->filters + 15) / 16) * k * 16;
      tile.init = bias ? (const float *)bias->data + n : NULL;
      tile.init_row = 0;
      tile.y = (float *)wh_output(call, 0)->data + i * width + n;
      tile.residual = residual ? (const float *)residual->data + i * width + n : NULL;
      if (by_rows || taps * runs <= SEGMENTS) {
        tile.segment_count = by_rows ? list_window_rows(&s) : list_taps(&s, 0, runs);
        wh_gemm_columns(&s.gemm, &tile, p->filters);
      } else {
        long_tile(&s, &tile, runs, taps * runs);
      }
    }
  }
  return WHERRY_OK;
}
