#include "depthwise8.h"

#include "../int8_conv/qwindow.h"
/**/
#include "../common/compact.h"

enum { X, STREAM, RESIDUAL };

const char *wh_qdepthwise_check(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  const uint64_t taps = wh_count(p->kernel, 3);
  if (p->result != WH_RESULT_Q8) return WH_BAD_KIND;
  if (p->channels != 1 || p->filters != 1 || taps > INT32_MAX) return WH_BAD_EXTENT;
  const int64_t block = WH_QDEPTHWISE_HEAD + (int64_t)taps * 16;
  return wh_qconv_check_operands(call, wh_count3(((int64_t)p->groups + 15) / 16, block, 1));
}

static const wh_strips8 *variant(uint32_t cpu) {
#if defined(__x86_64__)
  const uint32_t vnni512 = WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI;
  if (!(cpu & WH_CPU_UNSIGNED)) return NULL;
  if ((cpu & vnni512) == vnni512) return &wh_strips8_avx512_vnni;
  if (cpu & WHERRY_CPU_AVX_VNNI) return &wh_strips8_avx_vnni;
  if (cpu & WHERRY_CPU_AVX2) return &wh_strips8_avx2;
#elif defined(__aarch64__)
  if (cpu & WHERRY_CPU_DOTPROD) return &wh_strips8_dotprod;
#endif
  (void)cpu;
#if defined(__ARM_NEON)
  return &wh_strips8_neon;
#else
  return NULL;
#endif
}

int32_t wh_qdepthwise_run(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  const wh_tensor *residual = wh_input(call, RESIDUAL);
  wh_depthwise8 d = {.p = p,
                     .x = wh_input(call, X)->data,
                     .stream = wh_input(call, STREAM)->data,
                     .residual = residual ? residual->data : NULL,
                     .y = wh_output(call, 0)->data + p->y_offset,
                     .taps = p->kernel[0] * p->kernel[1] * p->kernel[2],
                     .flip = wh_q8_flip(call),
                     .zero = residual ? p->c_zero : p->y_zero,
                     .low = residual ? p->c_low : p->low,
                     .high = residual ? p->c_high : p->high};
  d.own = wh_q8_range_of(call, d.zero, d.low, d.high);
  d.sum = wh_q8_range_of(call, p->y_zero, p->low, p->high);
  if (!p->batch || !p->groups || !wh_count(p->out, 3)) return WHERRY_OK;
  const wh_strips8 *strips = variant(call->cpu);
  if (strips)
    wh_depthwise8_strips(&d, strips);
  else
    wh_depthwise8_scalar(&d, 0, (p->groups - 1) / 16 + 1);
  return WHERRY_OK;
}

#include "../common/region_end.h"
