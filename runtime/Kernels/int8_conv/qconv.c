#include "../conv/window.h"
#include "qwindow.h"
/**/
#include "../common/compact.h"

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

WH_COMPACT const char *wh_qconv_check_operands(const wh_call *call, uint64_t stream) {
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
  if (!wh_holds(wh_input(call, X), WH_BIT(WH_Q8), wh_times(wh_times(in, p->groups), p->channels)) ||
      !wh_holds(wh_input(call, WEIGHTS), WH_BIT(WH_INT8), stream))
    return WH_BAD_BYTES;
  return check_result(call, p, wh_count3(p->groups, p->filters, 1), pixels);
}

WH_COMPACT const char *wh_qconv_check(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  const uint64_t panel = wh_qconv_panel_bytes(p);
  const int64_t panels = ((int64_t)p->filters + 15) / 16;
  if (panel > INT64_MAX) return WH_BAD_EXTENT;
  return wh_qconv_check_operands(call, wh_times(wh_count3(p->groups, panels, 1), (int64_t)panel));
}

/* Fields of results of another kind are not checked and not read. */
static void begin_result(const wh_call *call, wh_qresult *result) {
  const wh_qconv *p = call->parameters;
  memset(result, 0, sizeof *result);
  result->kind = p->result;
  result->flip = wh_q8_flip(call);
  if (p->result == WH_RESULT_Q8) result->range = wh_q8_range_of(call, p->y_zero, p->low, p->high);
  if (p->result == WH_RESULT_DYNAMIC) memcpy(&result->x_scale, wh_input(call, X_SCALE)->data, 4);
  if (wh_input(call, RESIDUAL)) {
    result->c_low = (float)(p->c_low - p->c_zero);
    result->c_high = (float)(p->c_high - p->c_zero);
    result->c_factor = p->c_factor;
    result->r_factor = p->r_factor;
    result->r_zero = p->r_zero;
  }
}

/* Bytes of weights that a tile of pixels goes over, of x that a panel goes over in one call, and of
 * x that all weights go over when they are more than a block: the first and last share the second
 * cache. */
enum { WEIGHTS_BLOCK = 1 << 17, X_CALL = 1 << 14, X_BLOCK = 1 << 18 };

/* Tiles that a panel goes over even where x then leaves the first cache: long panels come from the
 * second one anyway, and their start is slow. */
enum { TILES_CALL = 8 };

typedef struct walk {
  const wh_qconv *p;
  wh_qtile tile;
  wh_qkernel kernel;
  wh_qresult result;
  ptrdiff_t element;       /* bytes of one of y */
  const uint8_t *stream;   /* the group's first panel */
  uint8_t *y;              /* pixel 0 of the group's first channel */
  const uint8_t *residual; /* likewise, or null */
  const float *bias;       /* likewise, or null */
  int first;               /* panel of the block */
  wh_qwindow window;
  wh_qready ready;
  int32_t sums[WH_QSUMS * 16];
} walk;

/* Panels from first on, of pixels from pixel on. */
static void place(walk *s, int first, int panels, ptrdiff_t pixel) {
  wh_qtile *t = &s->tile;
  const ptrdiff_t column = 16 * (ptrdiff_t)first;
  t->panels = panels;
  t->columns = s->p->filters - column;
  t->head = s->stream + first * t->panel;
  t->w = t->head + WH_QCONV_HEAD;
  t->y = s->y + pixel * t->y_row + column * s->element;
  t->residual = s->residual ? s->residual + pixel * t->residual_row + column : NULL;
  t->bias = s->bias ? s->bias + column : NULL;
}

/* A tile whose windows are not one list: panels one after the other, sums waiting between lists. */
static void tile_of_pieces(walk *s, int panels, ptrdiff_t pixel) {
  const ptrdiff_t total = s->window.runs * s->window.count;
  wh_qtile *t = &s->tile;
  t->tiles = 1;
  wh_qwindow_locate(&s->window, pixel, t->rows, wh_qkernel_reach(&s->kernel, t->rows));
  for (int i = 0; i < panels; i += s->kernel.panels) {
    place(s, s->first + i, panels - i < s->kernel.panels ? panels - i : s->kernel.panels, pixel);
    for (ptrdiff_t from = 0; from < total; t->resume = true) {
      t->w = t->head + WH_QCONV_HEAD + from * 16;
      t->segment_count = wh_qwindow_pieces(&s->window, &from);
      t->suspend = from < total;
      s->kernel.tile(t);
    }
    t->resume = false;
  }
}

/* Pixels that are rows of one matrix: one tap, everything dense. */
static bool is_flat(const wh_qconv *p) {
  for (int i = 0; i < 3; i++) {
    if (p->kernel[i] != 1 || p->stride[i] != 1 || p->pad[i] || p->in[i] != p->out[i]) return false;
  }
  return true;
}

static void flat(walk *s, int panels, ptrdiff_t from, ptrdiff_t end) {
  wh_qtile *t = &s->tile;
  wh_qsegment *segment = s->window.segments;
  const ptrdiff_t stride = s->window.strides[2];
  const int height = wh_qkernel_height(&s->kernel, end - from, panels);
  const ptrdiff_t most = wh_max64(X_CALL / (height * s->window.count), TILES_CALL);
  segment->runs = 1;
  segment->count = s->window.count;
  t->segment_count = 1;
  t->advance = height * stride;
  for (ptrdiff_t i = from; i < end; i += t->rows * t->tiles) {
    t->rows = (int)wh_min64(end - i, height);
    t->tiles = t->rows < height ? 1 : wh_min64((end - i) / height, most);
    const uint8_t *x = s->window.x + s->window.group + i * stride;
    for (int r = 0, reach = wh_qkernel_reach(&s->kernel, t->rows); r < reach; r++) {
      segment->rows[r] = x;
      if (r + 1 < t->rows) x += stride;
    }
    place(s, s->first, panels, i);
    wh_qtile_columns(&s->kernel, t);
  }
}

/* One output row, from pixel on. */
static void one_row(walk *s, int panels, ptrdiff_t pixel, bool listed) {
  wh_qtile *t = &s->tile;
  const int32_t width = s->p->out[2];
  const int height = wh_qkernel_height(&s->kernel, width, panels);
  t->advance = height * s->p->stride[2] * s->window.strides[2];
  for (int32_t column = 0; column < width; column += (int32_t)(t->rows * t->tiles)) {
    t->rows = (int)wh_min64(width - column, height);
    t->tiles = 1;
    if (!s->window.padded && t->rows == height && column >= s->window.first &&
        column + height <= s->window.end)
      t->tiles = (s->window.end - column) / height;
    const int reach = wh_qkernel_reach(&s->kernel, t->rows);
    t->segment_count = listed ? wh_qwindow_span(&s->window, column, t->rows, reach) : 0;
    if (t->segment_count) {
      place(s, s->first, panels, pixel + column);
      wh_qtile_columns(&s->kernel, t);
    } else {
      tile_of_pieces(s, panels, pixel + column);
    }
  }
}

/* Tiles of output rows, one after the other. */
static void by_output_rows(walk *s, int panels, ptrdiff_t from, ptrdiff_t end) {
  for (; from < end; from += s->p->out[2])
    one_row(s, panels, from, wh_qwindow_row(&s->window, from));
}

/* Tiles of pixels wherever they are, for rows that are too short for tiles of their own. */
static void by_pixels(walk *s, int panels, ptrdiff_t from, ptrdiff_t end) {
  const int height = wh_qkernel_height(&s->kernel, end - from, panels);
  for (; from < end; from += s->tile.rows) {
    s->tile.rows = (int)wh_min64(end - from, height);
    tile_of_pieces(s, panels, from);
  }
}

/* Lines rows of output that a strip holds the windows of, in few calls. */
static void of_strip(walk *s, int panels, ptrdiff_t pixel, int32_t lines) {
  wh_qtile *t = &s->tile;
  const wh_qconv *p = s->p;
  const int32_t width = p->out[2];
  const int height = wh_qkernel_height(&s->kernel, width, panels);
  t->advance = height * p->stride[2] * s->window.strides[2];
  t->line_advance = p->stride[1] * s->window.strip_line;
  t->y_line = width * t->y_row;
  t->residual_line = width * t->residual_row;
  t->lines = lines;
  t->segment_count = 1;
  for (int32_t column = 0; column < width; column += (int32_t)(t->rows * t->tiles)) {
    t->rows = (int)wh_min64(width - column, height);
    t->tiles = (width - column) / t->rows;
    wh_qwindow_of_strip(&s->window, column, t->rows, wh_qkernel_reach(&s->kernel, t->rows));
    place(s, s->first, panels, pixel + column);
    wh_qtile_columns(&s->kernel, t);
  }
  t->lines = 1;
}

/* Whole rows of output from pixel on, in strips. */
static void by_strips(walk *s, int panels, ptrdiff_t from, ptrdiff_t end) {
  const wh_qwindow *window = &s->window;
  const wh_qconv *p = s->p;
  const int32_t width = p->out[2], height = p->out[1];
  const ptrdiff_t line = p->stride[1] * window->strip_line;
  int32_t most = window->strip_rows, lines;
  /* More calls are the lesser evil where x would leave the first cache between panels. */
  if (panels > s->kernel.panels) most = (int32_t)wh_min64(most, wh_max64(X_CALL / line, 1));
  for (; from < end; from += (ptrdiff_t)lines * width) {
    const int32_t row = (int32_t)(from / width % height);
    lines = (int32_t)wh_min64(wh_min64(height - row, most), (end - from) / width);
    wh_qwindow_strip(&s->window, from, lines);
    of_strip(s, panels, from, lines);
  }
}

/* Output pixels that all weights of a group go over, whole rows of them where they have rows. */
static ptrdiff_t pixels_of_block(const walk *s, ptrdiff_t pixels, ptrdiff_t weights) {
  const ptrdiff_t row = s->p->stride[1] * s->window.strides[1];
  if (weights <= WEIGHTS_BLOCK || row < 1) return pixels;
  if (is_flat(s->p)) return wh_max64(X_BLOCK / s->window.strides[2] / 8, 1) * 8;
  return wh_max64(X_BLOCK / row, 1) * s->p->out[2];
}

/* All panels of a group over all pixels. */
static void group_of(walk *s, ptrdiff_t pixels) {
  const int panels = (int)(((ptrdiff_t)s->p->filters + 15) / 16), each = s->kernel.panels;
  const ptrdiff_t step = pixels_of_block(s, pixels, panels * s->tile.panel);
  const int block = (int)wh_max64(WEIGHTS_BLOCK / s->tile.panel / each, 1) * each;
  const bool is_matrix = is_flat(s->p);
  for (ptrdiff_t from = 0; from < pixels; from += step) {
    const ptrdiff_t end = wh_min64(from + step, pixels);
    for (s->first = 0; s->first < panels; s->first += block) {
      const int wide = panels - s->first < block ? panels - s->first : block;
      if (is_matrix)
        flat(s, wide, from, end);
      else if (s->p->out[2] <= 4)
        by_pixels(s, wide, from, end);
      else if (s->window.strip_rows)
        by_strips(s, wide, from, end);
      else
        by_output_rows(s, wide, from, end);
    }
  }
}

int32_t wh_qconv_run(const wh_call *call) {
#if defined(__x86_64__)
  const uint32_t fastest = WH_CPU_UNSIGNED | WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI;
  if (!(~call->cpu & fastest) && wh_qgemv_avx512_vnni(call)) return WHERRY_OK;
#endif
  const wh_qconv *p = call->parameters;
  const wh_tensor *residual = wh_input(call, RESIDUAL), *bias = wh_input(call, BIAS);
  const bool dynamic = p->result == WH_RESULT_DYNAMIC;
  const ptrdiff_t pixels = (ptrdiff_t)p->batch * p->out[0] * p->out[1] * p->out[2];
  const ptrdiff_t width = (ptrdiff_t)p->groups * p->filters;
  if (!width || !pixels) return WHERRY_OK;
  const int32_t zero = dynamic ? *wh_input(call, X_ZERO)->data - 128 : p->x_zero;
  walk s; /* lists and sums are written before they are read */
  s.p = p;
  s.kernel = wh_qkernel_select(call->cpu);
  begin_result(call, &s.result);
  s.element = p->result == WH_RESULT_Q8 ? 1 : 4;
  s.ready.head = NULL;
  wh_qwindow_begin(&s.window, p, wh_input(call, X)->data, (uint8_t)zero ^ s.result.flip);
  memset(&s.tile, 0, sizeof s.tile);
  s.tile.ready = &s.ready;
  s.tile.result = &s.result;
  s.tile.segments = s.window.segments;
  s.tile.panel = (ptrdiff_t)wh_qconv_panel_bytes(p);
  s.tile.sums = s.sums;
  s.tile.lines = 1;
  s.tile.x_offset = (s.result.flip ? 128 : 0) + (dynamic ? zero : 0);
  s.tile.y_row = p->y_row * s.element;
  s.tile.residual_row = width;
  for (ptrdiff_t g = 0; g < p->groups; g++) {
    const ptrdiff_t n = g * p->filters;
    s.window.group = g * p->channels;
    s.stream =
        wh_input(call, WEIGHTS)->data + g * (((ptrdiff_t)p->filters + 15) / 16) * s.tile.panel;
    s.y = wh_output(call, 0)->data + (p->y_offset + n) * s.element;
    s.residual = residual ? residual->data + n : NULL;
    s.bias = dynamic && bias ? (const float *)bias->data + n : NULL;
    group_of(&s, pixels);
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
