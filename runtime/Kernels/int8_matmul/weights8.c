#include "../common/operands.h"
#include "../gemm/gemm.h"
/**/
#include "../common/compact.h"

enum { X, WEIGHTS, BIAS, CHUNK = 64, HEAD = 64 };

const char *wh_matmul_weights8_check(const wh_call *call) {
  const wh_matmul_weights8 *p = call->parameters;
  const uint32_t f32 = WH_BIT(WH_FLOAT32);
  const uint64_t panels = p->n < 0 ? WH_TOO_MANY : ((uint64_t)p->n + 15) / 16;
  if (p->m < 0 || p->k < 0 || panels == WH_TOO_MANY) return WH_BAD_EXTENT;
  if (!wh_holds(wh_input(call, X), f32, wh_count3(p->m, p->k, 1)) ||
      !wh_holds(wh_input(call, WEIGHTS), WH_BIT(WH_INT8),
                wh_times(panels, HEAD + 16 * (int64_t)p->k)) ||
      !wh_may_hold(wh_input(call, BIAS), f32, (uint64_t)p->n) ||
      !wh_holds(wh_output(call, 0), f32, wh_count3(p->m, p->n, 1)))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, 0);
}

static void widen(const int8_t *weights, float *to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = (float)weights[i];
}

/* y = clamp(y * scale + bias) of one panel. */
static void finish(const wh_matmul_weights8 *p, const float *scale, const float *bias, float *y,
                   int columns) {
  for (int64_t i = 0; i < p->m; i++, y += p->n) {
    for (int j = 0; j < columns; j++) {
      float v = y[j] * scale[j];
      if (bias) v += bias[j];
      v = v < p->low ? p->low : v;
      y[j] = v > p->high ? p->high : v;
    }
  }
}

/* CHUNK rows of a panel are made floats once for all rows of x; sums wait in y between them. */
static void panel(const wh_gemm *gemm, const wh_matmul_weights8 *p, const float *x,
                  const int8_t *weights, float *y, int columns) {
  float copy[CHUNK * 16];
  wh_tile t = {.b = copy,
               .b_row = 16,
               .b_panel = CHUNK * 16,
               .y = y,
               .y_row = p->n,
               .low = -__builtin_inff(),
               .high = __builtin_inff(),
               .packed = 1};
  for (int64_t k = 0; k == 0 || k < p->k; k += CHUNK) {
    const int64_t n = wh_min64(CHUNK, p->k - k);
    widen(weights + k * 16, copy, n * 16);
    wh_gemm_rows(gemm, &t, x + k, p->k, p->m, columns, n);
    t.init = y;
    t.init_row = p->n;
  }
}

int32_t wh_matmul_weights8_run(const wh_call *call) {
  const wh_matmul_weights8 *p = call->parameters;
  const wh_tensor *bias = wh_input(call, BIAS);
  const float *x = (const float *)wh_input(call, X)->data;
  const uint8_t *stream = wh_input(call, WEIGHTS)->data;
  float *y = (float *)wh_output(call, 0)->data;
  const wh_gemm gemm = wh_gemm_select(call->cpu);
  if (!p->m) return WHERRY_OK;
  for (int64_t n = 0; n < p->n; n += 16, stream += HEAD + 16 * (int64_t)p->k) {
    const int columns = (int)wh_min64(16, p->n - n);
    panel(&gemm, p, x, (const int8_t *)stream + HEAD, y + n, columns);
    finish(p, (const float *)stream, bias ? (const float *)bias->data + n : NULL, y + n, columns);
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
