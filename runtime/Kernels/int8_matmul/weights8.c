#include "weights8.h"
#include "../common/operands.h"
#include "../gemm/gemm.h"
/**/
#include "../common/compact.h"

enum { X, WEIGHTS, BIAS };

static wh_weights8_rows_function *variant_of(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512) return wh_weights8_rows_avx512;
  if (cpu & WHERRY_CPU_AVX2) return wh_weights8_rows_avx2;
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return wh_weights8_rows_neon;
#else
  return wh_weights8_rows_scalar;
#endif
}

static int64_t panel_bytes(const wh_matmul_weights8 *p) {
  return WH_WEIGHTS8_HEAD + 16 * (int64_t)p->k;
}

const char *wh_matmul_weights8_check(const wh_call *call) {
  const wh_matmul_weights8 *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  const uint64_t panels = p->n < 0 ? WH_TOO_MANY : ((uint64_t)p->n + 15) / 16;
  if (p->m < 0 || p->k < 0 || panels == WH_TOO_MANY) return WH_BAD_EXTENT;
  if (!wh_holds(wh_input(call, X), f32, wh_count3(p->m, p->k, 1)) ||
      !wh_holds(wh_input(call, WEIGHTS), WH_BIT(WH_INT8), wh_times(panels, panel_bytes(p))) ||
      !wh_may_hold(wh_input(call, BIAS), f32, (uint64_t)p->n) ||
      !wh_holds(wh_output(call, 0), f32, wh_count3(p->m, p->n, 1)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

void wh_weights8_finish(const wh_matmul_weights8 *p, const uint8_t *panel, const float *bias,
                        int64_t n, const float *sums, int64_t rows, float *y) {
  const int columns = (int)wh_min64(16, p->n - n);
  for (int64_t r = 0; r < rows; r++) {
    for (int j = 0; j < columns; j++) {
      float v = sums[r * 16 + j] * ((const float *)panel)[j];
      if (bias) v += bias[n + j];
      v = v < p->low ? p->low : v;
      y[r * p->n + n + j] = v > p->high ? p->high : v;
    }
  }
}

#if defined(__ARM_NEON)
/* Here making floats takes the multiplications' place: from FEW rows on it is done once for all. */
enum { FEW = 3, CHUNK = 64 };

/* CHUNK rows of a panel at a time; sums wait in y between them. */
static void panel(const wh_gemm *gemm, const wh_matmul_weights8 *p, const float *x,
                  const uint8_t *stream, const float *bias, float *y, int columns) {
  float copy[CHUNK * 16];
  wh_tile t = {.b = copy,
               .b_row = 16,
               .b_panel = CHUNK * 16,
               .init = bias,
               .y = y,
               .y_row = p->n,
               .packed = 1};
  for (int64_t k = 0; k == 0 || k < p->k; k += CHUNK) {
    const bool last = k + CHUNK >= p->k;
    const int64_t n = last ? p->k - k : CHUNK;
    t.low = last ? p->low : -__builtin_inff();
    t.high = last ? p->high : __builtin_inff();
    wh_weights8_widen_neon((const int8_t *)stream + WH_WEIGHTS8_HEAD + k * 16,
                           (const float *)stream, copy, n);
    wh_gemm_rows(gemm, &t, x + k, p->k, p->m, columns, n);
    t.init = y;
    t.init_row = p->n;
  }
}
#endif

int32_t wh_matmul_weights8_run(const wh_call *call) {
  const wh_matmul_weights8 *p = call->parameters;
  const wh_tensor *bias_operand = wh_input(call, BIAS);
  const float *x = (const float *)wh_input(call, X)->data;
  const float *bias = bias_operand ? (const float *)bias_operand->data : NULL;
  const uint8_t *stream = wh_input(call, WEIGHTS)->data;
  float *y = (float *)wh_output(call, 0)->data;
#if defined(__ARM_NEON)
  const wh_gemm gemm = wh_gemm_select(call->cpu);
  for (int64_t n = 0; n < p->n && p->m >= FEW; n += 16, stream += panel_bytes(p))
    panel(&gemm, p, x, stream, bias ? bias + n : NULL, y + n, (int)wh_min64(16, p->n - n));
  if (p->m >= FEW) return WHERRY_OK;
#endif
  variant_of(call->cpu)(p, x, stream, bias, y);
  return WHERRY_OK;
}

#include "../common/region_end.h"
