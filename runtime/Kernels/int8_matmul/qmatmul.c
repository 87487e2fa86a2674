#include "../int8_conv/qtile.h"

static ptrdiff_t panel_bytes(const wh_qmatmul *p) {
  return ((ptrdiff_t)p->k + 3) / 4 * 64 + WH_QCONV_HEAD;
}

static ptrdiff_t panel_count(const wh_qmatmul *p) { return ((ptrdiff_t)p->n + 15) / 16; }

WH_COMPACT const char *wh_qmatmul_check(const wh_call *call) {
  const wh_qmatmul *p = call->parameters;
  const wh_tensor *a = wh_input(call, 0), *b = wh_input(call, 1);
  if (p->m < 0 || p->n < 0 || p->k < 0 || p->k > WH_QMATMUL_DEPTH) return WH_BAD_EXTENT;
  const uint64_t batches = wh_count(p->batch, 3);
  if (batches == WH_TOO_MANY) return WH_BAD_EXTENT;
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
  const wh_tensor *held = wh_scratch(call);
  if (!held || wh_capacity(held, 1) < scratch) return WH_BAD_SCRATCH;
  return wh_check_outputs(call, 0);
}

/* 16 columns of b as a panel of QConv's stream. */
static void pack_panel(const wh_qmatmul *p, const uint8_t *b, int columns, uint8_t flip,
                       uint8_t *panel) {
  int32_t sums[16] = {0};
  float factors[16];
  uint8_t *w = panel + WH_QCONV_HEAD;
  for (int n = 0; n < 16; n++) factors[n] = p->factor;
  for (ptrdiff_t k = 0; k < p->k; k += 4, w += 64) {
    const int depth = (int)wh_min64(p->k - k, 4);
    memset(w, 0, 64);
    for (int n = 0; n < columns; n++) {
      for (int j = 0; j < depth; j++) {
        const uint8_t value = b[(k + j) * p->b_row + n * p->b_column] ^ flip;
        w[4 * n + j] = value;
        sums[n] += (int8_t)value;
      }
    }
  }
  memset(panel, 0, 64);
  memcpy(panel + 64, sums, 64);
  memcpy(panel + 128, factors, 64);
}

static int32_t sum_of(const uint8_t *x, ptrdiff_t count, uint8_t flip) {
  int32_t sum = 0;
  for (ptrdiff_t i = 0; i < count; i++) sum += x[i] ^ (flip ^ 0x80);
  return sum - 128 * (int32_t)count;
}

typedef struct product {
  const wh_qmatmul *p;
  wh_qkernel kernel;
  wh_qtile tile;
  int height;
} product;

/* One matrix a by panels that are packed. */
static void multiply(const product *s, const uint8_t *a, ptrdiff_t a_row, uint8_t *y) {
  const wh_qmatmul *p = s->p;
  wh_qready ready;
  int32_t terms[WH_QROWS] = {0}, sums[WH_QSUMS * 16];
  wh_qsegment segment = {.runs = 1, .count = ((ptrdiff_t)p->k + 3) / 4 * 4};
  wh_qtile t = s->tile;
  t.segments = &segment;
  t.sums = sums;
  t.ready = &ready;
  ready.head = NULL;
  t.tiles = 1;
  if (p->b_zero) t.row_terms = terms;
  for (ptrdiff_t i = 0; i < p->m; i += t.rows) {
    t.rows = (int)wh_min64(p->m - i, s->height);
    const int reach = wh_qkernel_reach(&s->kernel, t.rows);
    for (int r = 0; r < reach; r++)
      segment.rows[r] = a + (i + (r < t.rows ? r : t.rows - 1)) * a_row;
    for (int r = 0; r < t.rows && p->b_zero; r++)
      terms[r] = p->b_zero * (p->k * p->a_zero - sum_of(segment.rows[r], p->k, t.result->flip));
    t.y = y + i * p->n;
    wh_qtile_columns(&s->kernel, &t);
  }
}

int32_t wh_qmatmul_run(const wh_call *call) {
  const wh_qmatmul *p = call->parameters;
  const ptrdiff_t panels = panel_count(p), panel = panel_bytes(p), size = (ptrdiff_t)p->m * p->n;
  const wh_qresult result = {.kind = WH_RESULT_Q8,
                             .flip = wh_q8_flip(call),
                             .range = wh_q8_range_of(call, p->y_zero, p->low, p->high)};
  if (!size) return WHERRY_OK;
  uint8_t *packed = wh_scratch(call)->data, *y = wh_output(call, 0)->data;
  if (!p->k) { /* strides of nothing are not checked */
    memset(y, wh_requantize(0, p->factor, &result.range),
           (size_t)wh_count(p->batch, 3) * (size_t)size);
    return WHERRY_OK;
  }
  product s = {.p = p,
               .kernel = wh_qkernel_select(call->cpu),
               .tile = {.result = &result,
                        .segment_count = 1,
                        .head = packed,
                        .w = packed + WH_QCONV_HEAD,
                        .panel = panel,
                        .x_offset = p->a_zero + (result.flip ? 128 : 0),
                        .panels = (int)panels,
                        .columns = p->n,
                        .y_row = p->n}};
  s.height = wh_qkernel_height(&s.kernel, p->m, panels);
  const uint8_t *last = NULL;
  for (int32_t i = 0; i < p->batch[0]; i++) {
    for (int32_t j = 0; j < p->batch[1]; j++) {
      for (int32_t l = 0; l < p->batch[2]; l++, y += size) {
        const uint8_t *a = wh_input(call, 0)->data, *b = wh_input(call, 1)->data;
        a += i * p->a_batch[0] + j * p->a_batch[1] + l * p->a_batch[2];
        b += i * p->b_batch[0] + j * p->b_batch[1] + l * p->b_batch[2];
        for (ptrdiff_t n = 0; n < panels && b != last; n++)
          pack_panel(p, b + 16 * n * p->b_column, (int)wh_min64(p->n - 16 * n, 16), result.flip,
                     packed + n * panel);
        last = b;
        multiply(&s, a, p->a_row, y);
      }
    }
  }
  return WHERRY_OK;
}
