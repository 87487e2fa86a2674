#include "qrecurrent.h"
/**/
#include "../common/compact.h"

const char *wh_qlstm_check(const wh_call *call) { return wh_qrecurrent_check(call, 4, false); }

static wh_cell8_function *variant_of(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & WHERRY_CPU_AVX512) return wh_lstm8_avx512;
  if (cpu & WHERRY_CPU_AVX2) return wh_lstm8_avx2;
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return wh_lstm8_neon;
#else
  return wh_lstm8_scalar;
#endif
}

int32_t wh_qlstm_run(const wh_call *call) {
  wh_qrecurrence s;
  const wh_qrecurrent *p = call->parameters;
  const wh_tensor *bias = wh_input(call, WH_QBIAS_R);
  if (!p->batch || !p->hidden) return WHERRY_OK;
  wh_qrecurrence_begin(&s, call, 4, WH_QINITIAL_C);
  for (int64_t step = 0; step < p->steps; step++) {
    wh_qrecurrence_take(&s, step);
    wh_qrecurrence_multiply(&s, wh_input(call, WH_QR)->data, s.gates, s.cell.h,
                            bias ? (const float *)bias->data : NULL, s.r);
    for (int64_t b = 0; b < p->batch; b++) {
      const wh_cell8 cell = wh_qrecurrence_cell(&s, step, b);
      variant_of(call->cpu)(&cell);
    }
    wh_qrecurrence_give(&s, step);
  }
  wh_qrecurrence_end(&s, false);
  return WHERRY_OK;
}

#include "../common/region_end.h"
