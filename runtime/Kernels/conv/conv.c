#include "conv.h"

#include "taps.h"

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

/* A tile whose taps do not fit one list: sums wait in y's stand-in between lists. */
WH_COMPACT static void long_tile(wh_taps *s, const wh_gemm *gemm, const wh_tile *tile,
                                 ptrdiff_t columns) {
  float sums[WH_GEMM_ROWS * 16];
  for (ptrdiff_t n = 0; n < columns; n += 16) {
    wh_tile t = *tile;
    t.b += n / 16 * t.b_panel;
    t.init = t.init ? t.init + n : NULL;
    for (bool first = true, last = false; !last; first = false) {
      t.segment_count = wh_taps_of_pixels(s, first);
      last = wh_taps_done(s);
      t.residual = last && tile->residual ? tile->residual + n : NULL;
      t.low = last ? tile->low : -__builtin_inff();
      t.high = last ? tile->high : __builtin_inff();
      t.y = last ? tile->y + n : sums;
      t.y_row = last ? tile->y_row : 16;
      wh_gemm_columns(gemm, &t, columns - n < 16 ? columns - n : 16);
      t.init = sums;
      t.init_row = 16;
    }
  }
}

/* Columns of a tile whose pixels wh_taps_pixels went to. */
WH_COMPACT static void tile_of_pixels(wh_taps *s, const wh_gemm *gemm, wh_tile *tile,
                                      ptrdiff_t columns) {
  tile->segment_count = wh_taps_of_pixels(s, true);
  if (wh_taps_done(s))
    wh_gemm_columns(gemm, tile, columns);
  else
    long_tile(s, gemm, tile, columns);
}

/* The tile of s's rows for every group: listed along a line from pixel first on, or wherever
 * wh_taps_pixels went. Operands are those of the first group; repeats is set. */
static void every_group(wh_taps *s, const wh_gemm *gemm, wh_tile *tile, ptrdiff_t columns,
                        int32_t first, ptrdiff_t alike) {
  const wh_conv *p = s->p;
  const float *const x = s->x;
  const ptrdiff_t group_b = (p->filters + 15) / 16 * tile->b_panel;
  wh_tile start;
  if (p->groups > 1) start = *tile;
  for (ptrdiff_t g = 0; g < p->groups; g++) {
    if (alike) {
      tile->segment_count = wh_taps_of_line(s, first, tile->rows, (int)alike, &tile->repeats);
      wh_gemm_columns(gemm, tile, columns);
    } else {
      tile_of_pixels(s, gemm, tile, columns);
    }
    if (p->groups == 1) return;
    s->x += p->channels;
    tile->b += group_b;
    tile->y += p->filters;
    if (tile->init) tile->init += p->filters;
    if (tile->residual) tile->residual += p->filters;
  }
  start.repeats = tile->repeats;
  *tile = start;
  s->x = x;
}

/* Tiles of count output pixels along an axis, from o of image n on. */
static void line(wh_taps *s, const wh_gemm *gemm, const wh_tile *whole, ptrdiff_t columns, int axis,
                 int32_t n, const int32_t o[3], ptrdiff_t count) {
  const wh_conv *p = s->p;
  const ptrdiff_t row = whole->y_row;
  const ptrdiff_t at =
      row * (((n * (ptrdiff_t)p->out[0] + o[0]) * p->out[1] + o[1]) * p->out[2] + o[2]);
  const wh_split split = wh_gemm_split(gemm, count);
  wh_tile tile = *whole;
  wh_taps_line(s, axis, n, o);
  tile.y_row = tile.residual_row = axis == 2 ? row : p->out[2] * row;
  tile.y += at;
  if (tile.residual) tile.residual += at;
  int32_t first = 0;
  for (ptrdiff_t i = 0; i < split.tiles; i += tile.repeats) {
    tile.rows = wh_split_rows(&split, i);
    tile.a_next = tile.rows * (ptrdiff_t)p->stride[axis] * s->strides[axis];
    every_group(s, gemm, &tile, columns, first, (i < split.more ? split.more : split.tiles) - i);
    const int32_t rows = tile.rows * tile.repeats;
    first += rows;
    tile.y += rows * tile.y_row;
    if (tile.residual) tile.residual += rows * tile.y_row;
  }
}

/* How a plane of y is cut: the columns before left and from right on along H, those between along
 * W; or, if !lines, into tiles of any pixels. */
typedef struct cut {
  bool lines;
  int32_t left, right;
} cut;

/* What a line of so many pixels costs, in pixels. */
static int64_t cost(const wh_gemm *gemm, int32_t pixels) {
  if (pixels <= 0) return 0;
  return gemm->exact ? pixels : wh_gemm_split(gemm, pixels).tiles * gemm->rows;
}

/* Columns whose windows are over the edge go along H where that costs little, so that no tile along
 * W has zeros in it. */
WH_COMPACT static cut choose(const wh_taps *s, const wh_gemm *gemm) {
  const wh_conv *p = s->p;
  const int32_t w = p->out[2], h = p->out[1], least = gemm->rows / 2;
  const int32_t reach = (p->kernel[2] - 1) * p->dilation[2] - p->pad[2];
  const int32_t fits = p->in[2] > reach ? (p->in[2] - 1 - reach) / p->stride[2] + 1 : 0;
  cut c = {.left = (p->pad[2] + p->stride[2] - 1) / p->stride[2]};
  c.left = c.left < w ? c.left : w;
  c.right = fits > c.left ? fits : c.left;
  c.right = c.right < w ? c.right : w;
  const int32_t middle = c.right - c.left;
  const bool along_h = wh_taps_fit(s, 1, false), clean = middle == w || (along_h && h >= least);
  const int64_t budget = (int64_t)h * w * 7 / 6;
  if (middle >= least && clean && wh_taps_fit(s, 2, true) &&
      h * cost(gemm, middle) + (w - middle) * cost(gemm, h) <= budget)
    c.lines = true;
  else if (w >= least && wh_taps_fit(s, 2, false) && h * cost(gemm, w) <= budget)
    c = (cut){true, 0, w};
  else if (h >= least && along_h && w * cost(gemm, h) <= budget)
    c = (cut){true, w, w};
  return c;
}

/* Every tile, for so many columns of the weights from the first on. */
static void every_tile(wh_taps *s, const wh_gemm *gemm, const wh_tile *whole, ptrdiff_t columns) {
  const wh_conv *p = s->p;
  const cut c = choose(s, gemm);
  if (!c.lines) {
    const wh_split split =
        wh_gemm_split(gemm, (ptrdiff_t)p->batch * p->out[0] * p->out[1] * p->out[2]);
    wh_tile tile = *whole;
    for (ptrdiff_t i = 0; i < split.tiles; i++) {
      tile.rows = wh_split_rows(&split, i);
      wh_taps_pixels(s, tile.rows);
      every_group(s, gemm, &tile, columns, 0, 0);
      tile.y += tile.rows * tile.y_row;
      if (tile.residual) tile.residual += tile.rows * tile.y_row;
    }
    return;
  }
  for (int32_t n = 0; n < p->batch; n++) {
    int32_t o[3] = {0, 0, c.left};
    for (o[0] = 0; o[0] < p->out[0]; o[0]++) {
      for (o[1] = 0; o[1] < p->out[1] && c.left < c.right; o[1]++)
        line(s, gemm, whole, columns, 2, n, o, c.right - c.left);
      o[1] = 0;
      for (o[2] = 0; o[2] < p->out[2]; o[2]++) {
        if (o[2] == c.left) o[2] = c.right;
        if (o[2] < p->out[2]) line(s, gemm, whole, columns, 1, n, o, p->out[1]);
      }
      o[2] = c.left;
    }
  }
}

WH_COMPACT static bool is_pointwise(const wh_conv *p) {
  for (int i = 0; i < 3; i++) {
    if (p->kernel[i] != 1 || p->stride[i] != 1 || p->pad[i] || p->in[i] != p->out[i]) return false;
  }
  return p->groups == 1;
}

int32_t wh_conv_run(const wh_call *call) {
  const wh_conv *p = call->parameters;
  const wh_tensor *bias = wh_input(call, BIAS), *residual = wh_input(call, RESIDUAL);
  const float *x = (const float *)wh_input(call, X)->data;
  const wh_gemm gemm = wh_gemm_select(call->cpu);
  const ptrdiff_t pixels = (ptrdiff_t)p->batch * p->out[0] * p->out[1] * p->out[2];
  const ptrdiff_t k = (ptrdiff_t)p->kernel[0] * p->kernel[1] * p->kernel[2] * p->channels;
  const ptrdiff_t width = (ptrdiff_t)p->groups * p->filters;
  if (!width || !pixels) return WHERRY_OK;
  wh_tile tile = {.b = (const float *)wh_input(call, WEIGHTS)->data,
                  .b_row = 16,
                  .b_panel = k * 16,
                  .init = bias ? (const float *)bias->data : NULL,
                  .residual = residual ? (const float *)residual->data : NULL,
                  .residual_row = width,
                  .y = (float *)wh_output(call, 0)->data,
                  .y_row = width,
                  .low = p->low,
                  .high = p->high,
                  .packed = 1,
                  .repeats = 1};
  if (is_pointwise(p)) {
    wh_gemm_rows(&gemm, &tile, x, k, pixels, width, k);
    return WHERRY_OK;
  }
  const ptrdiff_t block = p->groups == 1 ? wh_gemm_block(k) : p->filters;
  for (ptrdiff_t column = 0; column < p->filters; column += block) {
    wh_taps taps;
    wh_taps_begin(&taps, p, x, gemm.rows);
    tile.segments = taps.segments;
    every_tile(&taps, &gemm, &tile, wh_min64(block, p->filters - column));
    tile.b += block / 16 * tile.b_panel;
    tile.y += block;
    if (tile.init) tile.init += block;
    if (tile.residual) tile.residual += block;
  }
  return WHERRY_OK;
}
