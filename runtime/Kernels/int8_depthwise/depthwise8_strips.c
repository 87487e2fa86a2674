#include "../conv/window.h"
#include "depthwise8.h"

/* Bytes of a strip and of interleaved weights; interleaved rows; a line of results. */
enum { STRIP = 8192, WEIGHTS = 12288, ROWS = 128, LINE = 2048, VECTOR = WH_STRIP_BYTES };

/* A row of taps: where column 0 is, null for padding, and how many columns it is moved. */
typedef struct row {
  const uint8_t *at;
  int32_t shift;
} row;

/* Outputs run along axis b; the window's taps along the other axes are its rows, or all of them
 * when they lie on one line. */
typedef struct plan {
  const wh_depthwise8 *d;
  const wh_strips8 *v;
  int a, b;
  ptrdiff_t x_step[3], y_step[3]; /* bytes between neighbours along an axis */
  int32_t rows, columns;          /* taps of the window */
  int32_t groups;                 /* of four rows */
  int32_t shared;                 /* outputs along a from one strip */
  int32_t pixels;                 /* of an entry */
  int32_t channel, width;         /* first of the block; bytes of an output */
  int32_t capacity;               /* entries of a group's strip */
  int32_t line;                   /* outputs of a strip */
  bool one_line;                  /* all taps are rows */
  bool by_output;                 /* a strip holds the columns of every output, not of the input */
  bool gather, whole;             /* outputs are stored whole, without a detour */
  row sources[ROWS + 4];
  wh_heads8 heads;
  uint8_t pad[VECTOR], zeros[VECTOR];
  uint8_t result[LINE], edges[4][2 * VECTOR];
  _Alignas(64) uint8_t weights[WEIGHTS];
  _Alignas(64) uint8_t strip[STRIP + VECTOR];
} plan;

static void copy16(void *to, const void *from) { memcpy(to, from, 16); }

/* Weights of one tap for the elements of an entry. */
static void tap_row(const plan *s, ptrdiff_t tap, uint8_t *to) {
  const ptrdiff_t block = wh_depthwise8_block(s->d);
  const uint8_t *from = s->d->stream + WH_QDEPTHWISE_HEAD + tap * 16;
  const int32_t channels = s->d->p->groups;
  if (s->pixels > 1) {
    for (int32_t i = 0; i < s->pixels; i++, to += channels) {
      for (int32_t c = 0; c < channels; c += 16) copy16(to + c, from + c / 16 * block);
    }
    return;
  }
  from += s->channel / 16 * block;
  for (int32_t c = 0; c < s->v->bytes; c += 16, from += block)
    copy16(to + c, s->channel + c < channels ? from : s->zeros);
}

/* Where an element's bias and scale stand: see depthwise8.h. */
static int32_t place_of(const plan *s, int32_t element) {
  return element % 16 / 4 * (s->v->bytes / 4) + element / 16 * 4 + element % 4;
}

static void fill_heads(plan *s) {
  const ptrdiff_t block = wh_depthwise8_block(s->d);
  const int32_t channels = s->d->p->groups;
  const int32_t run = s->pixels > 1 && channels % 4 ? 1 : 4;
  memset(&s->heads, 0, sizeof s->heads);
  for (int32_t e = 0, c = s->channel; e < s->v->bytes; e += run, c += run) {
    if (s->pixels > 1 && c == channels) c = 0;
    if (c >= channels) return;
    const uint8_t *from = s->d->stream + c / 16 * block + c % 16 * 4;
    const int32_t to = place_of(s, e);
    if (run == 4) {
      copy16(s->heads.bias + to, from);
      copy16(s->heads.scale + to, from + 64);
    } else {
      memcpy(s->heads.bias + to, from, 4);
      memcpy(s->heads.scale + to, from + 64, 4);
    }
  }
}

/* Interleaves the block's weights once for every output that shares a strip. */
static bool prepare(plan *s) {
  const int32_t *k = s->d->p->kernel;
  const ptrdiff_t step[3] = {(ptrdiff_t)k[1] * k[2], k[2], 1}, bytes = s->v->bytes;
  uint8_t *to = s->strip;
  for (int32_t r = 0; r < s->rows; r++) {
    ptrdiff_t tap = r * step[s->b];
    if (!s->one_line) tap = r / k[s->a] * step[0] + r % k[s->a] * step[s->a];
    for (int32_t i = 0; i < s->columns; i++, to += bytes) tap_row(s, tap + i * step[s->b], to);
  }
  wh_fill8 fill = {.to = s->weights, .to_step = s->v->entry, .count = s->columns};
  for (int32_t i = 0; i < s->shared; i++) {
    for (int32_t g = 0; g < s->groups; g++, fill.to += s->columns * fill.to_step) {
      for (int32_t j = 0; j < 4; j++) {
        const int32_t r = 4 * g + j - i;
        const bool there = r >= 0 && r < s->rows;
        fill.rows[j] = there ? s->strip + r * s->columns * bytes : s->zeros;
        fill.steps[j] = there ? bytes : 0;
      }
      s->v->fill(&fill);
    }
  }
  fill_heads(s);
  const int32_t entries = s->groups * s->columns;
  return s->v->prepare(s->weights, s->shared * entries, entries, s->d->taps, &s->heads);
}

/* A row of an entry over the edge: copied among padding. */
static const uint8_t *edge_of(plan *s, const row *source, int64_t column, uint8_t *to) {
  const wh_qconv *p = s->d->p;
  const int32_t limit = p->in[s->b], stride = p->stride[s->b];
  if (!source->at) return s->pad;
  column += source->shift;
  if (s->pixels == 1)
    return column >= 0 && column < limit ? source->at + column * s->x_step[s->b] : s->pad;
  const wh_range valid = wh_window(column, s->pixels, stride, limit);
  if (valid.first == valid.end) return s->pad;
  const ptrdiff_t c = p->groups;
  memcpy(to, s->pad, VECTOR);
  memcpy(to + VECTOR, s->pad, VECTOR);
  const uint8_t *from = source->at + (column + (int64_t)valid.first * stride) * c;
  if (!s->gather) {
    memcpy(to + valid.first * c, from, VECTOR);
    memcpy(to + valid.end * c, s->pad, VECTOR);
    return to;
  }
  for (int32_t i = valid.first; i < valid.end; i++, from += stride * c)
    for (ptrdiff_t j = 0; j < c; j += 16) copy16(to + i * c + j, from + j);
  return to;
}

/* Fills count entries of group g from number first on, every step-th, from columns column, column +
 * skip, … */
static void fill_entries(plan *s, int32_t g, int32_t first, int32_t step, int64_t column,
                         int64_t skip, int32_t count) {
  const wh_qconv *p = s->d->p;
  const row *sources = s->sources + 4 * g;
  const int64_t span = (int64_t)(s->pixels - 1) * p->stride[s->b] + 1;
  const int64_t least = column + sources[0].shift;
  const int64_t most = column + sources[3].shift;
  int64_t begin = least >= 0 ? 0 : (-least + skip - 1) / skip;
  int64_t end = p->in[s->b] - span - most;
  end = end < 0 ? 0 : wh_min64(end / skip + 1, count);
  begin = wh_min64(begin, end);
  wh_fill8 fill;
  fill.to = s->strip + ((ptrdiff_t)g * s->capacity + first) * s->v->entry;
  fill.to_step = (ptrdiff_t)step * s->v->entry;
  fill.count = 1;
  fill.gather = false;
  for (int64_t i = 0; i < count; i += fill.count, fill.to += fill.count * fill.to_step) {
    if (i == begin && begin < end) {
      for (int j = 0; j < 4; j++) {
        const row *r = &sources[j];
        const int64_t at = column + begin * skip + r->shift;
        fill.rows[j] = r->at ? r->at + at * s->x_step[s->b] : s->pad;
        fill.steps[j] = r->at ? skip * s->x_step[s->b] : 0;
      }
      fill.gather = s->gather;
      for (int j = 0; s->gather && j < s->v->bytes / 16; j++)
        fill.lanes[j] = j * 16 / p->groups * s->x_step[s->b] * p->stride[s->b] + j * 16 % p->groups;
      fill.count = (int32_t)(end - begin);
      s->v->fill(&fill);
      fill.gather = false;
      continue;
    }
    fill.count = 1;
    for (int j = 0; j < 4; j++) {
      fill.rows[j] = edge_of(s, &sources[j], column + i * skip, s->edges[j]);
      fill.steps[j] = 0;
    }
    s->v->fill(&fill);
  }
}

/* The strip of count outputs from number first on. */
static void fill_strip(plan *s, int32_t first, int32_t count) {
  const wh_qconv *p = s->d->p;
  const int64_t stride = p->stride[s->b], dilation = p->dilation[s->b];
  const int64_t column = (int64_t)first * s->pixels * stride - p->pad[s->b];
  for (int32_t g = 0; g < s->groups; g++) {
    if (!s->by_output) {
      const int64_t reach = (count - 1) * stride + (s->columns - 1) * dilation + 1;
      fill_entries(s, g, 0, 1, column, 1, (int32_t)reach);
      continue;
    }
    for (int32_t k = 0; k < s->columns; k++)
      fill_entries(s, g, k, s->columns, column + k * dilation, s->pixels * stride, count);
  }
}

/* Results waiting in s->result go where they belong, with their residuals. */
static void deliver(const plan *s, int32_t count, int32_t last, uint8_t *y,
                    const uint8_t *residual) {
  const int32_t channels = s->pixels > 1 ? s->d->p->groups : s->width;
  const ptrdiff_t skip = s->y_step[s->b] / s->d->p->y_row * s->d->p->groups;
  for (int32_t i = 0; i < count; i++) {
    const uint8_t *from = s->result + (ptrdiff_t)i * s->v->bytes;
    const int32_t pixels = i + 1 < count ? s->pixels : last;
    for (int32_t j = 0; j < pixels; j++, from += channels, y += s->y_step[s->b]) {
      if (!residual) {
        memcpy(y, from, (size_t)channels);
        continue;
      }
      wh_add_residual8(s->d, from, residual, y, channels);
      residual += skip;
    }
  }
}

/* Outputs at od, oa (and those that share the strip) along b. */
static void line_of(plan *s, ptrdiff_t at, int32_t shared) {
  const wh_qconv *p = s->d->p;
  const int32_t outputs = (p->out[s->b] - 1) / s->pixels + 1;
  const bool add = s->d->residual != NULL;
  wh_run8 run = {.strip = s->strip,
                 .heads = &s->heads,
                 .out_step = (ptrdiff_t)(s->by_output ? s->columns : p->stride[s->b]) * s->v->entry,
                 .group_step = (ptrdiff_t)s->capacity * s->v->entry,
                 .tap_step = (ptrdiff_t)(s->by_output ? 1 : p->dilation[s->b]) * s->v->entry,
                 .groups = s->groups,
                 .taps = s->columns,
                 .zero = add ? p->c_zero : p->y_zero,
                 .low = add ? p->c_low : p->low,
                 .high = add ? p->c_high : p->high};
  for (int32_t first = 0; first < outputs; first += s->line) {
    run.count = outputs - first < s->line ? outputs - first : s->line;
    fill_strip(s, first, run.count);
    const int32_t left = p->out[s->b] - (first + run.count - 1) * s->pixels;
    const int32_t last = left < s->pixels ? left : s->pixels;
    run.weights = s->weights;
    for (int32_t i = 0; i < shared; i++) {
      const ptrdiff_t pixel =
          at + (s->y_step[s->a] * i + s->y_step[s->b] * first * s->pixels) / p->y_row;
      uint8_t *y = s->d->y + pixel * p->y_row + s->channel;
      run.y = s->whole ? y : s->result;
      run.y_step = s->whole ? s->y_step[s->b] * s->pixels : s->v->bytes;
      run.tail = !s->whole ? s->v->bytes : s->pixels > 1 ? last * p->groups : s->width;
      s->v->run(&run);
      if (!s->whole)
        deliver(s, run.count, last, y,
                add ? s->d->residual + pixel * p->groups + s->channel : NULL);
      run.weights += (ptrdiff_t)s->groups * s->columns * s->v->entry;
    }
  }
}

/* The rows of taps under output oa of plane od. */
static void set_rows(plan *s, const uint8_t *image, int32_t od, int32_t oa) {
  const wh_qconv *p = s->d->p;
  const int a = s->a;
  for (int32_t r = 0; r < 4 * s->groups; r++) {
    const int32_t kd = s->one_line || s->shared > 1 ? 0 : r / p->kernel[a];
    const int32_t ka = s->one_line ? 0 : r - kd * p->kernel[a];
    const int64_t d = (int64_t)od * p->stride[0] - p->pad[0] + (int64_t)kd * p->dilation[0];
    const int64_t h = (int64_t)oa * p->stride[a] - p->pad[a] + (int64_t)ka * p->dilation[a];
    const bool there =
        r < s->rows + s->shared - 1 && d >= 0 && d < p->in[0] && h >= 0 && h < p->in[a];
    s->sources[r].at = there ? image + d * s->x_step[0] + h * s->x_step[a] + s->channel : NULL;
    s->sources[r].shift = s->one_line ? r * p->dilation[s->b] : 0;
  }
}

static void block_of(plan *s) {
  const wh_qconv *p = s->d->p;
  const uint8_t *image = s->d->x;
  ptrdiff_t at = 0;
  for (int32_t n = 0; n < p->batch; n++, image += s->x_step[0] * p->in[0]) {
    for (int32_t od = 0; od < p->out[0]; od++, at += (ptrdiff_t)p->out[1] * p->out[2]) {
      for (int32_t oa = 0; oa < p->out[s->a]; oa += s->shared) {
        const int32_t left = p->out[s->a] - oa;
        set_rows(s, image, od, oa);
        line_of(s, at + s->y_step[s->a] / p->y_row * oa, left < s->shared ? left : s->shared);
      }
    }
  }
}

/* Decides how the window is cut into strips; false if it is too large for them. */
static bool decide(plan *s) {
  const wh_qconv *p = s->d->p;
  const int32_t channels = p->groups, bytes = s->v->bytes;
  /* Along the longer axis, unless vectors over the end of a pixel would spoil finished ones. */
  s->a = channels >= bytes && p->out[1] > p->out[2] ? 2 : 1;
  s->b = 3 - s->a;
  s->one_line = p->kernel[0] == 1 && p->kernel[s->a] == 1;
  if (s->d->taps > ROWS || s->d->taps * bytes > STRIP) return false;
  s->rows = s->one_line ? p->kernel[s->b] : p->kernel[0] * p->kernel[s->a];
  s->columns = s->one_line ? 1 : p->kernel[s->b];
  s->groups = (s->rows - 1) / 4 + 1;
  const int32_t entries = s->groups * s->columns, most = WEIGHTS / s->v->entry;
  if (entries > most || entries * s->v->entry > STRIP) return false;
  s->shared = 1;
  if (!s->one_line && p->kernel[0] == 1 && p->stride[s->a] == 1 && p->dilation[s->a] == 1) {
    s->shared = 4 * s->groups - s->rows + 1;
    if (s->shared > most / entries) s->shared = most / entries;
  }
  const int32_t stride = p->stride[s->b];
  s->pixels = 1;
  if (s->b == 2 && channels <= bytes / 2) {
    if (stride == 1) s->pixels = bytes / channels;
    s->gather = stride > 1 && channels % 16 == 0 && bytes % channels == 0;
    if (s->gather) s->pixels = bytes / channels;
  }
  s->capacity = STRIP / s->v->entry / s->groups;
  const int64_t reach = (int64_t)(s->columns - 1) * p->dilation[s->b] + 1;
  s->by_output = s->pixels > 1 || s->columns == 1 || reach > s->capacity;
  const int64_t line = s->by_output ? s->capacity / s->columns : (s->capacity - reach) / stride + 1;
  s->line = (int32_t)wh_min64(line, LINE / bytes);
  return true;
}

void wh_depthwise8_strips(const wh_depthwise8 *d, const wh_strips8 *strips) {
  const wh_qconv *p = d->p;
  plan s; /* strip, weights, results and edges are written before they are read */
  s.d = d;
  s.v = strips;
  s.gather = false;
  const int32_t blocks = (p->groups - 1) / 16 + 1;
  if (!decide(&s)) {
    wh_depthwise8_scalar(d, 0, blocks);
    return;
  }
  memset(s.zeros, 0, sizeof s.zeros);
  memset(s.pad, (uint8_t)p->x_zero ^ d->flip, sizeof s.pad);
  const ptrdiff_t c = p->groups, y_row = p->y_row;
  const ptrdiff_t x_step[3] = {c * p->in[2] * p->in[1], c * p->in[2], c};
  const ptrdiff_t y_step[3] = {y_row * p->out[2] * p->out[1], y_row * p->out[2], y_row};
  memcpy(s.x_step, x_step, sizeof x_step);
  memcpy(s.y_step, y_step, sizeof y_step);
  /* The last block first: its vectors may reach into the next pixel, whose first block is done
   * last. */
  for (int32_t block = s.pixels > 1 ? 0 : (p->groups - 1) / strips->bytes; block >= 0; block--) {
    s.channel = block * strips->bytes;
    const int32_t left = p->groups - s.channel;
    s.width = s.pixels > 1 ? s.pixels * p->groups : left < strips->bytes ? left : strips->bytes;
    const bool dense = p->y_row == p->groups && (s.pixels > 1 || p->groups >= strips->bytes / 2);
    s.whole = !d->residual && (dense || (s.pixels == 1 && s.width == strips->bytes));
    if (prepare(&s)) {
      block_of(&s);
      continue;
    }
    const int32_t end = (s.channel + (s.pixels > 1 ? p->groups : s.width) - 1) / 16 + 1;
    wh_depthwise8_scalar(d, s.channel / 16, end);
  }
}
