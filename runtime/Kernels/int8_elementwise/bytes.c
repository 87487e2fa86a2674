#include "bytes.h"

#include "../include/kernels.h"
/**/
#include "../common/compact.h"

static uint8_t flip_of(uint32_t cpu) { return cpu & WH_CPU_UNSIGNED ? 0x80 : 0; }

void wh_bytes_binary(uint32_t cpu, const wh_qbinary *p, const uint8_t *a, int a_step,
                     const uint8_t *b, int b_step, uint8_t *y, int64_t count) {
  wh_bytes_binary_scalar(p, flip_of(cpu), a, a_step, b, b_step, y, count);
}

void wh_bytes_lookup(uint32_t cpu, const uint8_t table[256], const uint8_t *x, uint8_t *y,
                     int64_t count) {
  (void)cpu;
  wh_bytes_lookup_scalar(table, x, y, count);
}

void wh_bytes_quantize(uint32_t cpu, const float *x, float scale, int32_t zero, uint8_t flip,
                       uint8_t *y, int64_t count) {
  (void)cpu;
  wh_bytes_quantize_scalar(x, scale, zero, flip, y, count);
}

void wh_bytes_dequantize(uint32_t cpu, const uint8_t *x, uint8_t flip, int32_t zero, float scale,
                         float *y, int64_t count) {
  (void)cpu;
  wh_bytes_dequantize_scalar(x, flip, zero, scale, y, count);
}

wh_range wh_range_of(uint32_t cpu, const float *x, int64_t count) {
  (void)cpu;
  return wh_range_scalar(x, count);
}

#include "../common/region_end.h"
