#include "../common/operands.h"
#include "../gemm/gemm.h"
/**/
#include "../common/compact.h"

enum { A, B, BIAS, RESIDUAL };

const char *wh_matmul_check(const wh_call *call) {
  const wh_matmul *p = call->parameters;
  const int32_t shape_a[] = {p->batch[0], p->batch[1], p->batch[2], p->m, p->k};
  const int32_t shape_b[] = {p->batch[0], p->batch[1], p->batch[2], p->k, p->n};
  const int64_t strides_a[] = {p->a_batch[0], p->a_batch[1], p->a_batch[2], p->a_row, 1};
  const int64_t strides_b[] = {p->b_batch[0], p->b_batch[1], p->b_batch[2], p->b_row, 1};
  const uint64_t batches = wh_count(p->batch, 3);
  const uint64_t size = wh_times(wh_times(batches, p->m), p->n);
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  if (p->k < 0 || size == WH_TOO_MANY) return WH_BAD_EXTENT;
  if (!wh_holds(wh_input(call, A), f32, 0) || !wh_holds(wh_input(call, B), f32, 0) ||
      !wh_may_hold(wh_input(call, BIAS), f32, (uint64_t)p->n) ||
      !wh_may_hold(wh_input(call, RESIDUAL), f32, size) || !wh_holds(wh_output(call, 0), f32, size))
    return WH_BAD_BYTES;
  if (!wh_view_fits(wh_capacity(wh_input(call, A), 4), 0, 5, shape_a, strides_a))
    return WH_BAD_VIEW;
  if (p->packed) {
    const uint64_t panels = ((uint64_t)p->n + 15) / 16;
    uint64_t matrix = wh_times(wh_times(panels, p->k), 16);
    if (matrix > INT32_MAX) return WH_BAD_EXTENT;
    const int32_t shape[] = {p->batch[0], p->batch[1], p->batch[2], (int32_t)matrix};
    const int64_t strides[] = {p->b_batch[0], p->b_batch[1], p->b_batch[2], 1};
    if (size && !wh_view_fits(wh_capacity(wh_input(call, B), 4), 0, 4, shape, strides))
      return WH_BAD_VIEW;
  } else if (size && !wh_view_fits(wh_capacity(wh_input(call, B), 4), 0, 5, shape_b, strides_b)) {
    return WH_BAD_VIEW;
  }
  return wh_check_outputs(call, 1u << RESIDUAL);
}

int32_t wh_matmul_run(const wh_call *call) {
  wh_matmul p = *(const wh_matmul *)call->parameters;
  const wh_tensor *bias = wh_input(call, BIAS), *residual = wh_input(call, RESIDUAL);
  const float *a = (const float *)wh_input(call, A)->data;
  const float *b = (const float *)wh_input(call, B)->data;
  const wh_gemm gemm = wh_gemm_select(call->cpu);
  const ptrdiff_t n = p.n;
  ptrdiff_t m = p.m;
  bool shared = true;
  if (!wh_times(wh_count(p.batch, 3), m * n)) return WHERRY_OK;
  if (p.k <= 1) p.b_row = 0; /* strides that are not taken were not checked */
  for (int i = 2; i >= 0; i--) {
    if (!p.k) p.a_batch[i] = p.b_batch[i] = p.a_row = 0;
    /* Batches of one b whose rows are evenly spaced are one taller matrix. */
    shared = shared && (p.batch[i] == 1 || (p.b_batch[i] == 0 && p.a_batch[i] == m * p.a_row));
    if (shared) m *= p.batch[i];
    if (shared) p.batch[i] = 1;
  }
  wh_tile tile = {
      .b_row = p.packed ? 16 : (ptrdiff_t)p.b_row,
      .b_panel = p.packed ? (ptrdiff_t)p.k * 16 : 16,
      .init = bias ? (const float *)bias->data : NULL,
      .residual = residual ? (const float *)residual->data : NULL,
      .residual_row = n,
      .y = (float *)wh_output(call, 0)->data,
      .y_row = n,
      .low = p.low,
      .high = p.high,
      .packed = p.packed,
  };
  for (ptrdiff_t i = 0; i < p.batch[0]; i++) {
    for (ptrdiff_t j = 0; j < p.batch[1]; j++) {
      for (ptrdiff_t k = 0; k < p.batch[2]; k++) {
        tile.b = b + i * p.b_batch[0] + j * p.b_batch[1] + k * p.b_batch[2];
        wh_gemm_rows(&gemm, &tile, a + i * p.a_batch[0] + j * p.a_batch[1] + k * p.a_batch[2],
                     (ptrdiff_t)p.a_row, m, n, p.k);
        tile.y += m * n;
        if (tile.residual) tile.residual += m * n;
      }
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
