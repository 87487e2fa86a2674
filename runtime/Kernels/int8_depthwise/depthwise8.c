#include "depthwise8.h"

#include "../conv/window.h"
#include "round8.h"
/**/
#include "../common/compact.h"

enum { X, STREAM, RESIDUAL };

static bool is_factor(float f) { return f >= 0x1p-126f && f <= WH_LARGEST_FACTOR; }

const char *wh_qdepthwise_check(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  const uint32_t q8 = WH_BIT(WH_Q8);
  const wh_tensor *residual = wh_input(call, RESIDUAL);
  if (p->result != WH_RESULT_Q8) return WH_BAD_KIND;
  if (p->channels != 1 || p->filters != 1 || p->y_offset < 0 || p->y_row < p->groups)
    return WH_BAD_EXTENT;
  if (!wh_is_q(p->x_zero) || !wh_are_bounds(p->y_zero, p->low, p->high)) return WH_BAD_RANGE;
  if (residual && (!wh_are_bounds(p->c_zero, p->c_low, p->c_high) || !wh_is_q(p->r_zero) ||
                   !is_factor(p->c_factor) || !is_factor(p->r_factor)))
    return WH_BAD_RANGE;
  uint64_t plane = 1; /* strides must not overflow even where another extent is zero */
  for (int i = 0; i < 3; i++) {
    if (!wh_window_sane(p->in[i], p->out[i], p->kernel[i], p->stride[i], p->dilation[i], p->pad[i]))
      return WH_BAD_EXTENT;
    plane = wh_times(plane, p->in[i] ? p->in[i] : 1);
  }
  if (wh_times(plane, p->groups) > INT64_MAX) return WH_BAD_EXTENT;
  const uint64_t taps = wh_count(p->kernel, 3);
  if (taps > INT32_MAX) return WH_BAD_EXTENT;
  const int64_t block = WH_QDEPTHWISE_HEAD + (int64_t)taps * 16;
  const uint64_t in = wh_times(wh_times(wh_count(p->in, 3), p->batch), p->groups);
  const uint64_t pixels = wh_times(wh_count(p->out, 3), p->batch);
  uint64_t size = 0; /* up to and with the last pixel's last channel */
  if (pixels && p->groups) {
    size = wh_times(pixels - 1 < INT64_MAX ? pixels - 1 : WH_TOO_MANY, p->y_row);
    if (size > INT64_MAX) return WH_BAD_BYTES;
    size += (uint64_t)p->y_offset + (uint64_t)p->groups;
  }
  const bool dense = p->y_row == p->groups && !p->y_offset;
  if (!wh_holds(wh_input(call, X), q8, in) ||
      !wh_holds(wh_input(call, STREAM), WH_BIT(WH_INT8),
                wh_count3(((int64_t)p->groups + 15) / 16, block, 1)) ||
      !wh_may_hold(residual, q8, wh_times(pixels, p->groups)) ||
      !wh_holds(wh_output(call, 0), q8, size))
    return WH_BAD_BYTES;
  return wh_check_outputs(call, dense ? 1u << RESIDUAL : 0);
}

static const wh_strips8 *variant(uint32_t cpu) {
#if defined(__x86_64__)
  const uint32_t vnni512 = WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI;
  if (!(cpu & WH_CPU_UNSIGNED)) return NULL;
  if ((cpu & vnni512) == vnni512) return &wh_strips8_avx512_vnni;
  if (cpu & WHERRY_CPU_AVX_VNNI) return &wh_strips8_avx_vnni;
  if (cpu & WHERRY_CPU_AVX2) return &wh_strips8_avx2;
#elif defined(__ARM_NEON)
  if (cpu & WH_CPU_UNSIGNED) return NULL;
#if defined(__aarch64__)
  if (cpu & WHERRY_CPU_DOTPROD) return &wh_strips8_dotprod;
#endif
  if (cpu & WHERRY_CPU_NEON) return &wh_strips8_neon;
#endif
  (void)cpu;
  return NULL;
}

int32_t wh_qdepthwise_run(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  const wh_tensor *residual = wh_input(call, RESIDUAL);
  const wh_depthwise8 d = {.p = p,
                           .x = wh_input(call, X)->data,
                           .stream = wh_input(call, STREAM)->data,
                           .residual = residual ? residual->data : NULL,
                           .y = wh_output(call, 0)->data + p->y_offset,
                           .taps = p->kernel[0] * p->kernel[1] * p->kernel[2],
                           .flip = wh_q8_flip(call)};
  if (!p->batch || !p->groups || !wh_count(p->out, 3)) return WHERRY_OK;
  const wh_strips8 *strips = variant(call->cpu);
  if (strips)
    wh_depthwise8_strips(&d, strips);
  else
    wh_depthwise8_scalar(&d, 0, (p->groups - 1) / 16 + 1);
  return WHERRY_OK;
}

#include "../common/region_end.h"
