#include "../int8_conv/qtile.h"
/**/
#include "../common/compact.h"

enum { HEAD = WH_QCONV_HEAD };

static ptrdiff_t panel_bytes(const wh_qmatmul *p) { return ((ptrdiff_t)p->k + 3) / 4 * 64 + HEAD; }

static ptrdiff_t panel_count(const wh_qmatmul *p) { return ((ptrdiff_t)p->n + 15) / 16; }

const char *wh_qmatmul_check(const wh_call *call) {
  const wh_qmatmul *p = call->parameters;
  const wh_tensor *a = wh_input(call, 0), *b = wh_input(call, 1), *held = wh_scratch(call);
  const uint64_t batches = wh_count(p->batch, 3);
  if (p->m < 0 || p->n < 0 || p->k < 0 || p->k > WH_QMATMUL_DEPTH || batches == WH_TOO_MANY)
    return WH_BAD_EXTENT;
  if (!wh_q8_range_sane(p->y_zero, p->low, p->high) || !wh_q8_factor_sane(p->factor) ||
      !wh_q8_range_sane(p->a_zero, -128, 127) || !wh_q8_range_sane(p->b_zero, -128, 127))
    return WH_BAD_QUANTIZATION;
  const int32_t a_shape[5] = {p->batch[0], p->batch[1], p->batch[2], p->m, p->k};
  const int32_t b_shape[5] = {p->batch[0], p->batch[1], p->batch[2], p->k, p->n};
  const int64_t a_strides[5] = {p->a_batch[0], p->a_batch[1], p->a_batch[2], p->a_row, 1};
  const int64_t b_strides[5] = {p->b_batch[0], p->b_batch[1], p->b_batch[2], p->b_row, p->b_column};
  if (!wh_holds(a, WH_BIT(WH_Q8), 0) || !wh_holds(b, WH_BIT(WH_Q8), 0) ||
      !wh_holds(wh_output(call, 0), WH_BIT(WH_Q8), wh_times(wh_times(batches, p->m), p->n)))
    return WH_BAD_BYTES;
  if (!wh_view_fits(wh_capacity(a, 1), 0, 5, a_shape, a_strides) ||
      !wh_view_fits(wh_capacity(b, 1), 0, 5, b_shape, b_strides))
    return WH_BAD_VIEW;
  const uint64_t scratch = wh_times((uint64_t)panel_count(p), panel_bytes(p)) + 64;
  if (!held || wh_capacity(held, 1) < scratch) return WH_BAD_SCRATCH;
  return wh_check_outputs(call, 0);
}

typedef struct product {
  const wh_qmatmul *p;
  wh_qkernel kernel;
  wh_qresult result;
  wh_qtile tile;
  wh_qsegment segment;
  wh_qready ready;
  int32_t sums[WH_QSUMS * 16];
} product;

/* Four bytes of every column, k ... k + 3, of which depth are in b. */
static void gather_four(const wh_qmatmul *p, const uint8_t *b, int columns, int depth, uint8_t flip,
                        uint8_t *w) {
  for (int n = 0; n < columns; n++) {
    for (int j = 0; j < depth; j++) w[4 * n + j] = b[j * p->b_row + n * p->b_column] ^ flip;
  }
}

/* The same of columns that are contiguous in k. */
static void copy_four(const uint8_t *b, int64_t column, int columns, uint8_t flip, uint8_t *w) {
  for (int n = 0; n < columns; n++, b += column, w += 4) {
    uint32_t four;
    memcpy(&four, b, 4);
    four ^= flip * 0x01010101u;
    memcpy(w, &four, 4);
  }
}

/* The same of 16 columns beside each other. */
static void interleave_four(const uint8_t *b, int64_t row, uint8_t flip, uint8_t *w) {
  typedef uint8_t bytes __attribute__((vector_size(16)));
  typedef uint16_t pairs __attribute__((vector_size(16)));
  bytes r[4];
  for (int j = 0; j < 4; j++) {
    memcpy(&r[j], b + j * row, 16);
    r[j] ^= flip;
  }
  const pairs even[2] = {(pairs)__builtin_shufflevector(r[0], r[1], 0, 16, 1, 17, 2, 18, 3, 19, 4,
                                                        20, 5, 21, 6, 22, 7, 23),
                         (pairs)__builtin_shufflevector(r[0], r[1], 8, 24, 9, 25, 10, 26, 11, 27,
                                                        12, 28, 13, 29, 14, 30, 15, 31)};
  const pairs odd[2] = {(pairs)__builtin_shufflevector(r[2], r[3], 0, 16, 1, 17, 2, 18, 3, 19, 4,
                                                       20, 5, 21, 6, 22, 7, 23),
                        (pairs)__builtin_shufflevector(r[2], r[3], 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                                       28, 13, 29, 14, 30, 15, 31)};
  for (int i = 0; i < 2; i++) {
    const pairs low = __builtin_shufflevector(even[i], odd[i], 0, 8, 1, 9, 2, 10, 3, 11);
    const pairs high = __builtin_shufflevector(even[i], odd[i], 4, 12, 5, 13, 6, 14, 7, 15);
    memcpy(w + 32 * i, &low, 16);
    memcpy(w + 32 * i + 16, &high, 16);
  }
}

/* Columns of b as a panel of QConv's stream. */
static void pack(const product *s, const uint8_t *b, int columns, uint8_t *panel) {
  const wh_qmatmul *p = s->p;
  uint8_t *w = panel + HEAD;
  const uint8_t flip = s->result.flip;
  memset(panel, 0, (size_t)s->tile.panel);
  for (ptrdiff_t k = 0; k < p->k; k += 4, b += 4 * p->b_row, w += 64) {
    const int depth = (int)wh_min64(p->k - k, 4);
    if (depth == 4 && columns == 16 && p->b_column == 1)
      interleave_four(b, p->b_row, flip, w);
    else if (depth == 4 && p->b_row == 1)
      copy_four(b, p->b_column, columns, flip, w);
    else
      gather_four(p, b, columns, depth, flip, w);
  }
  for (int n = 0; n < 16; n++) memcpy(panel + 128 + 4 * n, &p->factor, 4);
}

/* Each column's sum, as the product with a row of ones. */
static void sum_columns(product *s, uint8_t *packed) {
  uint8_t ones[128];
  int32_t sums[16];
  const wh_qresult words = {.kind = WH_RESULT_INT32, .flip = s->result.flip};
  wh_qsegment segments[2];
  wh_qtile t = s->tile;
  memset(ones, 1, sizeof ones);
  t.result = &words;
  t.segments = segments;
  t.segment_count = 0;
  t.rows = t.panels = 1;
  t.tiles = t.lines = 1;
  t.columns = 16;
  t.x_offset = 0;
  t.row_terms = NULL;
  t.y = (uint8_t *)sums;
  for (int i = 0; i < 2; i++) {
    wh_qsegment *segment = &segments[t.segment_count];
    segment->count = i ? (s->segment.count & 63) : 64;
    segment->runs = i ? 1 : s->segment.count / 64;
    for (int r = 0; r < WH_QROWS; r++) {
      segment->rows[r] = ones;
      segment->steps[r] = 0;
    }
    t.segment_count += segment->count && segment->runs;
  }
  for (ptrdiff_t i = 0; i < panel_count(s->p); i++) {
    t.head = packed + i * t.panel;
    t.w = t.head + HEAD;
    s->ready.head = NULL;
    s->kernel.tile(&t);
    memcpy(packed + i * t.panel + 64, sums, 64);
  }
  s->ready.head = NULL;
}

static int32_t sum_row(const uint8_t *x, ptrdiff_t count, uint8_t flip) {
  const uint64_t unsign = (flip ^ 0x80) * 0x0101010101010101u, even = 0x00FF00FF00FF00FFu;
  int64_t sum = 0;
  ptrdiff_t i = 0;
  while (i + 8 <= count) {
    uint64_t lanes = 0; /* of 16 bits: 128 times two bytes fit */
    for (int n = 0; n < 128 && i + 8 <= count; n++, i += 8) {
      uint64_t eight;
      memcpy(&eight, x + i, 8);
      eight ^= unsign;
      lanes += (eight & even) + (eight >> 8 & even);
    }
    lanes = (lanes & 0x0000FFFF0000FFFFu) + (lanes >> 16 & 0x0000FFFF0000FFFFu);
    sum += (int64_t)((lanes & 0xFFFFFFFFu) + (lanes >> 32));
  }
  for (; i < count; i++) sum += (uint8_t)(x[i] ^ (flip ^ 0x80));
  return (int32_t)(sum - 128 * (int64_t)count);
}

/* Rows of a that go over a panel together. */
enum { ROWS = 128 };

/* One matrix a by panels that are packed. */
static void multiply(product *s, const uint8_t *a, uint8_t *y) {
  const wh_qmatmul *p = s->p;
  wh_qtile *t = &s->tile;
  const int height = wh_qkernel_height(&s->kernel, p->m, t->panels);
  int32_t terms[ROWS];
  t->row_terms = p->b_zero ? terms : NULL;
  t->advance =
      p->m > height ? height * p->a_row : 0; /* the stride of a single row is not checked */
  ptrdiff_t rows;
  for (ptrdiff_t i = 0; i < p->m; i += rows) {
    t->rows = (int)wh_min64(p->m - i, height);
    t->tiles = wh_min64(p->m - i, ROWS) / t->rows;
    rows = t->rows * t->tiles;
    for (ptrdiff_t r = 0; r < rows && p->b_zero; r++) {
      const int32_t sum = sum_row(a + (i + r) * p->a_row, p->k, s->result.flip);
      terms[r] = p->b_zero * (p->k * p->a_zero - sum);
    }
    for (int r = 0, reach = wh_qkernel_reach(&s->kernel, t->rows); r < reach; r++)
      s->segment.rows[r] = a + (i + (r < t->rows ? r : t->rows - 1)) * p->a_row;
    t->y = y + i * p->n;
    wh_qtile_columns(&s->kernel, t);
  }
}

static void begin(product *s, const wh_call *call) {
  const wh_qmatmul *p = call->parameters;
  memset(s, 0, sizeof *s);
  s->p = p;
  s->kernel = wh_qkernel_select(call->cpu);
  s->result.flip = wh_q8_flip(call);
  s->result.range = wh_q8_range_of(call, p->y_zero, p->low, p->high);
  s->segment.runs = 1;
  s->segment.count = ((ptrdiff_t)p->k + 3) / 4 * 4;
  s->tile = (wh_qtile){.ready = &s->ready,
                       .result = &s->result,
                       .segments = &s->segment,
                       .segment_count = 1,
                       .head = wh_scratch(call)->data,
                       .w = wh_scratch(call)->data + HEAD,
                       .lines = 1,
                       .panel = panel_bytes(p),
                       .panels = (int)panel_count(p),
                       .columns = p->n,
                       .x_offset = p->a_zero + (s->result.flip ? 128 : 0),
                       .sums = s->sums,
                       .y_row = p->n};
}

int32_t wh_qmatmul_run(const wh_call *call) {
  const wh_qmatmul *p = call->parameters;
  const ptrdiff_t size = (ptrdiff_t)p->m * p->n;
  if (!size) return WHERRY_OK;
  product s;
  begin(&s, call);
  uint8_t *packed = wh_scratch(call)->data, *y = wh_output(call, 0)->data;
  if (!p->k) { /* strides of nothing are not checked */
    memset(y, wh_requantize(0, p->factor, &s.result.range),
           (size_t)wh_count(p->batch, 3) * (size_t)size);
    return WHERRY_OK;
  }
  const uint8_t *last = NULL;
  for (int32_t i = 0; i < p->batch[0]; i++) {
    for (int32_t j = 0; j < p->batch[1]; j++) {
      for (int32_t l = 0; l < p->batch[2]; l++, y += size) {
        const uint8_t *a = wh_input(call, 0)->data, *b = wh_input(call, 1)->data;
        a += i * p->a_batch[0] + j * p->a_batch[1] + l * p->a_batch[2];
        b += i * p->b_batch[0] + j * p->b_batch[1] + l * p->b_batch[2];
        if (b != last) {
          for (ptrdiff_t n = 0; n < p->n; n += 16)
            pack(&s, b + n * p->b_column, (int)wh_min64(p->n - n, 16),
                 packed + n / 16 * s.tile.panel);
          sum_columns(&s, packed);
        }
        last = b;
        multiply(&s, a, y);
      }
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
