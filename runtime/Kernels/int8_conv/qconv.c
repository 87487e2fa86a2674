#include "../conv/window.h"
#include "qwindow.h"

enum { X, WEIGHTS, RESIDUAL, X_SCALE, X_ZERO, BIAS };

WH_COMPACT static const char *check_result(const wh_call *call, const wh_qconv *p, uint64_t width,
                                           uint64_t pixels) {
  const wh_tensor *residual = wh_input(call, RESIDUAL);
  if (p->result < WH_RESULT_Q8 || p->result > WH_RESULT_DYNAMIC) return WH_BAD_KIND;
  if (p->x_zero < -128 || p->x_zero > 127) return WH_BAD_QUANTIZATION;
  const uint32_t element = p->result == WH_RESULT_Q8      ? WH_BIT(WH_Q8)
                           : p->result == WH_RESULT_INT32 ? WH_BIT(WH_INT32)
                                                          : WH_BIT(WH_FLOAT32);
  if (p->result == WH_RESULT_Q8 && !wh_q8_range_sane(p->y_zero, p->low, p->high))
    return WH_BAD_QUANTIZATION;
  if (p->result == WH_RESULT_DYNAMIC &&
      (!wh_holds(wh_input(call, X_SCALE), WH_BIT(WH_FLOAT32), 1) ||
       !wh_holds(wh_input(call, X_ZERO), WH_BIT(WH_UINT8), 1) ||
       !wh_may_hold(wh_input(call, BIAS), WH_BIT(WH_FLOAT32), width)))
    return WH_BAD_BYTES;
  if (residual) {
    if (p->result != WH_RESULT_Q8) return WH_BAD_OPERANDS;
    if (!wh_q8_range_sane(p->c_zero, p->c_low, p->c_high) || p->r_zero < -128 || p->r_zero > 127 ||
        !wh_q8_factor_sane(p->c_factor) || !wh_q8_factor_sane(p->r_factor))
      return WH_BAD_QUANTIZATION;
    if (!wh_holds(residual, WH_BIT(WH_Q8), wh_times(pixels, (int64_t)width))) return WH_BAD_BYTES;
  }
  /* The last element, and with it every other. */
  if (p->y_offset < 0 || p->y_row < 0 || (uint64_t)p->y_row < width) return WH_BAD_VIEW;
  uint64_t last = pixels ? wh_times(pixels - 1, p->y_row) : 0;
  if (pixels && (last > INT64_MAX || width > INT64_MAX)) return WH_BAD_VIEW;
  last = pixels ? last + width + (uint64_t)p->y_offset : 0;
  if (!wh_holds(wh_output(call, 0), element, last)) return WH_BAD_BYTES;
  const bool dense = (uint64_t)p->y_row == width && !p->y_offset;
  return wh_check_outputs(call, dense ? 1u << RESIDUAL : 0);
}

WH_COMPACT const char *wh_qconv_check(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  for (int i = 0; i < 3; i++) {
    if (!wh_window_sane(p->in[i], p->out[i], p->kernel[i], p->stride[i], p->dilation[i], p->pad[i]))
      return WH_BAD_EXTENT;
  }
  if (p->batch < 0 || p->groups < 0 || p->channels < 1 || p->filters < 0) return WH_BAD_EXTENT;
  uint64_t plane = 1; /* strides must not overflow even where another extent is zero */
  for (int i = 0; i < 3; i++) plane = wh_times(plane, p->in[i] ? p->in[i] : 1);
  plane = wh_times(wh_times(plane, p->groups), p->channels);
  if (plane > PTRDIFF_MAX) return WH_BAD_EXTENT;
  const uint64_t in = wh_times(wh_count(p->in, 3), p->batch);
  const uint64_t pixels = wh_times(wh_count(p->out, 3), p->batch);
  const uint64_t panel = wh_qconv_panel_bytes(p), width = wh_count3(p->groups, p->filters, 1);
  const int64_t panels = ((int64_t)p->filters + 15) / 16;
  if (panel > INT64_MAX) return WH_BAD_EXTENT;
  const uint64_t stream = wh_times(wh_count3(p->groups, panels, 1), (int64_t)panel);
  if (!wh_holds(wh_input(call, X), WH_BIT(WH_Q8), wh_times(wh_times(in, p->groups), p->channels)) ||
      !wh_holds(wh_input(call, WEIGHTS), WH_BIT(WH_INT8), stream))
    return WH_BAD_BYTES;
  return check_result(call, p, width, pixels);
}

static wh_qresult result_of(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  wh_qresult result = {.kind = p->result,
                       .flip = wh_q8_flip(call),
                       .c_factor = p->c_factor,
                       .r_factor = p->r_factor,
                       .r_zero = p->r_zero};
  if (p->result == WH_RESULT_Q8) {
    result.range = wh_q8_range_of(call, p->y_zero, p->low, p->high);
    result.c_low = (float)(p->c_low - p->c_zero);
    result.c_high = (float)(p->c_high - p->c_zero);
  }
  if (p->result == WH_RESULT_DYNAMIC) memcpy(&result.x_scale, wh_input(call, X_SCALE)->data, 4);
  return result;
}

/* Bytes of weights that a tile of pixels goes over, of x that a panel goes over in one call, and of
 * x that all weights go over when they are more than a block: the first and last share the second
 * cache. */
enum { WEIGHTS_BLOCK = 1 << 17, X_CALL = 1 << 14, X_BLOCK = 1 << 18 };

typedef struct walk {
  wh_qwindow window;
  wh_qkernel kernel;
  wh_qready ready;
  int32_t sums[WH_QSUMS * 16];
} walk;

/* A tile whose windows are not one list: panels one after the other, sums waiting between lists. */
static void tile_of_pieces(walk *s, const wh_qtile *tile, ptrdiff_t pixel) {
  const ptrdiff_t bytes = tile->result->kind == WH_RESULT_Q8 ? 1 : 4;
  const ptrdiff_t total = s->window.runs * s->window.count;
  wh_qwindow_locate(&s->window, pixel, tile->rows, wh_qkernel_reach(&s->kernel, tile->rows));
  for (int p = 0; p < tile->panels; p += s->kernel.panels) {
    wh_qtile t = *tile;
    t.panels = tile->panels - p < s->kernel.panels ? tile->panels - p : s->kernel.panels;
    t.columns = tile->columns - 16 * p;
    t.head += p * t.panel;
    t.y += 16 * p * bytes;
    if (t.residual) t.residual += 16 * p;
    if (t.bias) t.bias += 16 * p;
    ptrdiff_t from = 0;
    do {
      t.w = t.head + WH_QCONV_HEAD + from * 16;
      t.segment_count = wh_qwindow_pieces(&s->window, &from);
      t.suspend = from < total;
      s->kernel.tile(&t);
      t.resume = true;
    } while (from < total);
  }
}

/* Tiles of pixels pixel ... of y, panels of one group. */
static void place(const wh_qtile *block, wh_qtile *t, ptrdiff_t pixel) {
  t->y = block->y + pixel * t->y_row;
  t->residual = block->residual ? block->residual + pixel * t->residual_row : NULL;
}

/* Pixels that are rows of one matrix: one tap, everything dense. */
static bool is_flat(const wh_qconv *p) {
  for (int i = 0; i < 3; i++) {
    if (p->kernel[i] != 1 || p->stride[i] != 1 || p->pad[i] || p->in[i] != p->out[i]) return false;
  }
  return true;
}

static void flat(walk *s, const wh_qtile *block, ptrdiff_t from, ptrdiff_t end) {
  wh_qtile t = *block;
  wh_qsegment *segment = s->window.segments;
  const ptrdiff_t stride = s->window.strides[2];
  const int height = wh_qkernel_height(&s->kernel, end - from, block->panels);
  const ptrdiff_t most = wh_max64(X_CALL / (height * s->window.count), 1);
  segment->runs = 1;
  segment->count = s->window.count;
  t.segment_count = 1;
  t.advance = height * stride;
  for (ptrdiff_t i = from; i < end; i += t.rows * t.tiles) {
    t.rows = (int)wh_min64(end - i, height);
    t.tiles = t.rows < height ? 1 : wh_min64((end - i) / height, most);
    const int reach = wh_qkernel_reach(&s->kernel, t.rows);
    for (int r = 0; r < reach; r++)
      segment->rows[r] =
          s->window.x + s->window.group + (i + (r < t.rows ? r : t.rows - 1)) * stride;
    place(block, &t, i);
    wh_qtile_columns(&s->kernel, &t);
  }
}

/* Tiles of output rows. */
static void by_output_rows(walk *s, const wh_qtile *block, ptrdiff_t from, ptrdiff_t end) {
  const wh_qconv *p = s->window.p;
  const int32_t width = p->out[2];
  const int height = wh_qkernel_height(&s->kernel, width, block->panels);
  wh_qtile t = *block;
  t.advance = height * p->stride[2] * s->window.strides[2];
  for (ptrdiff_t i = from; i < end; i += width) {
    const bool listed = wh_qwindow_row(&s->window, i);
    for (int32_t column = 0; column < width; column += (int32_t)(t.rows * t.tiles)) {
      t.rows = (int)wh_min64(width - column, height);
      t.tiles = 1;
      if (!s->window.padded && t.rows == height && column >= s->window.first &&
          column + height <= s->window.end)
        t.tiles = (s->window.end - column) / height;
      place(block, &t, i + column);
      t.segment_count =
          listed ? wh_qwindow_span(&s->window, column, t.rows, wh_qkernel_reach(&s->kernel, t.rows))
                 : 0;
      if (t.segment_count) {
        wh_qtile_columns(&s->kernel, &t);
      } else {
        t.tiles = 1;
        tile_of_pieces(s, &t, i + column);
      }
    }
  }
}

/* Tiles of pixels wherever they are, for rows that are too short for tiles of their own. */
static void by_pixels(walk *s, const wh_qtile *block, ptrdiff_t from, ptrdiff_t end) {
  const int height = wh_qkernel_height(&s->kernel, end - from, block->panels);
  wh_qtile t = *block;
  for (ptrdiff_t i = from; i < end; i += t.rows) {
    t.rows = (int)wh_min64(end - i, height);
    place(block, &t, i);
    tile_of_pieces(s, &t, i);
  }
}

/* Output pixels that all weights of a group go over, whole rows of them where they have rows. */
static ptrdiff_t pixels_of_block(const walk *s, ptrdiff_t pixels, ptrdiff_t weights) {
  const wh_qconv *p = s->window.p;
  const ptrdiff_t width = p->out[2], row = p->stride[1] * s->window.strides[1];
  if (weights <= WEIGHTS_BLOCK || row < 1) return pixels;
  if (is_flat(p)) return wh_max64(X_BLOCK / s->window.strides[2] / 40, 1) * 40;
  return wh_max64(X_BLOCK / row, 1) * width;
}

/* All panels of one group over some pixels. */
static void group_of(walk *s, const wh_qtile *group, ptrdiff_t wide, ptrdiff_t from,
                     ptrdiff_t end) {
  const wh_qconv *p = s->window.p;
  wh_qtile t = *group;
  for (ptrdiff_t left = group->panels; left > 0; left -= wide) {
    const ptrdiff_t columns = 16 * wide;
    t.panels = (int)wh_min64(wide, left);
    if (is_flat(p))
      flat(s, &t, from, end);
    else if (p->out[2] > 4)
      by_output_rows(s, &t, from, end);
    else
      by_pixels(s, &t, from, end);
    t.columns -= columns;
    t.head += wide * t.panel;
    t.w += wide * t.panel;
    t.y += columns * (t.result->kind == WH_RESULT_Q8 ? 1 : 4);
    if (t.residual) t.residual += columns;
    if (t.bias) t.bias += columns;
  }
}

int32_t wh_qconv_run(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  const wh_tensor *residual = wh_input(call, RESIDUAL), *bias = wh_input(call, BIAS);
  const wh_qresult result = result_of(call);
  const bool dynamic = p->result == WH_RESULT_DYNAMIC;
  const ptrdiff_t pixels = (ptrdiff_t)p->batch * p->out[0] * p->out[1] * p->out[2];
  const ptrdiff_t width = (ptrdiff_t)p->groups * p->filters;
  const ptrdiff_t panels = ((ptrdiff_t)p->filters + 15) / 16;
  if (!width || !pixels) return WHERRY_OK;
  const int32_t zero = dynamic ? *wh_input(call, X_ZERO)->data - 128 : p->x_zero;
  walk s; /* lists are written before they are read */
  s.kernel = wh_qkernel_select(call->cpu);
  s.ready.head = NULL;
  wh_qwindow_begin(&s.window, p, wh_input(call, X)->data, (uint8_t)zero ^ result.flip);
  const ptrdiff_t element = p->result == WH_RESULT_Q8 ? 1 : 4;
  const ptrdiff_t panel = (ptrdiff_t)wh_qconv_panel_bytes(p);
  const ptrdiff_t step = pixels_of_block(&s, pixels, panels * panel);
  const ptrdiff_t wide = wh_max64(WEIGHTS_BLOCK / panel / s.kernel.panels, 1) * s.kernel.panels;
  wh_qtile t = {.ready = &s.ready,
                .result = &result,
                .segments = s.window.segments,
                .tiles = 1,
                .panel = panel,
                .panels = (int)panels,
                .sums = s.sums,
                .x_offset = (result.flip ? 128 : 0) + (dynamic ? zero : 0),
                .y_row = p->y_row * element,
                .residual_row = width};
  for (ptrdiff_t g = 0; g < p->groups; g++) {
    const ptrdiff_t n = g * p->filters;
    s.window.group = g * p->channels;
    t.columns = p->filters;
    t.head = wh_input(call, WEIGHTS)->data + g * panels * panel;
    t.w = t.head + WH_QCONV_HEAD;
    t.y = wh_output(call, 0)->data + (p->y_offset + n) * element;
    t.residual = residual ? residual->data + n : NULL;
    t.bias = dynamic && bias ? (const float *)bias->data + n : NULL;
    for (ptrdiff_t i = 0; i < pixels; i += step)
      group_of(&s, &t, wide, i, wh_min64(i + step, pixels));
  }
  return WHERRY_OK;
}
