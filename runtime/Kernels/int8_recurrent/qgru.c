#include "qrecurrent.h"
/**/
#include "../common/compact.h"

const char *wh_qgru_check(const wh_call *call) {
  const wh_qrecurrent *p = call->parameters;
  return wh_qrecurrent_check(call, 3, !p->linear_before_reset);
}

typedef struct variant {
  wh_cell8_function *cell, *reset;
} variant;

static variant variant_of(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512) return (variant){wh_gru8_avx512, wh_gru8_reset_avx512};
  if (cpu & WHERRY_CPU_AVX2) return (variant){wh_gru8_avx2, wh_gru8_reset_avx2};
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return (variant){wh_gru8_neon, wh_gru8_reset_neon};
#else
  return (variant){wh_gru8_scalar, wh_gru8_reset_scalar};
#endif
}

static void each(const wh_qrecurrence *s, int64_t step, wh_cell8_function *function) {
  for (int64_t b = 0; b < s->p->batch; b++) {
    const wh_cell8 cell = wh_qrecurrence_cell(s, step, b);
    function(&cell);
  }
}

int32_t wh_qgru_run(const wh_call *call) {
  wh_qrecurrence s;
  const wh_qrecurrent *p = call->parameters;
  const wh_tensor *operand = wh_input(call, WH_QBIAS_R);
  const uint8_t *stream = wh_input(call, WH_QR)->data;
  const float *bias = operand ? (const float *)operand->data : NULL;
  const variant v = variant_of(call->cpu);
  const int64_t n = p->hidden, first = p->linear_before_reset ? 3 * n : 2 * n;
  if (!p->batch || !n) return WHERRY_OK;
  wh_qrecurrence_begin(&s, call, 3, WH_QINITIAL_H);
  for (int64_t step = 0; step < p->steps; step++) {
    wh_qrecurrence_take(&s, step);
    const uint8_t *rest = wh_qrecurrence_multiply(&s, stream, first, s.cell.h, bias, s.r);
    if (!p->linear_before_reset) {
      each(&s, step, v.reset);
      wh_qrecurrence_multiply(&s, rest, n, s.cell.reset, bias ? bias + first : NULL, s.r + first);
    }
    each(&s, step, v.cell);
    wh_qrecurrence_give(&s, step);
  }
  wh_qrecurrence_end(&s, true);
  return WHERRY_OK;
}

#include "../common/region_end.h"
