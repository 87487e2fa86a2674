#if defined(__aarch64__)
#include <arm_neon.h>

#include "bytes.h"

/* The table in sixteen registers; indices out of a quarter leave what the others found. */
void wh_bytes_lookup_neon(const uint8_t table[256], const uint8_t *x, uint8_t *y, int64_t count) {
  const uint8x16x4_t a = vld1q_u8_x4(table), b = vld1q_u8_x4(table + 64);
  const uint8x16x4_t c = vld1q_u8_x4(table + 128), d = vld1q_u8_x4(table + 192);
  const uint8x16_t quarter = vdupq_n_u8(64);
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    uint8x16_t v = vld1q_u8(x + i), r = vqtbl4q_u8(a, v);
    v = vsubq_u8(v, quarter);
    r = vqtbx4q_u8(r, b, v);
    v = vsubq_u8(v, quarter);
    r = vqtbx4q_u8(r, c, v);
    v = vsubq_u8(v, quarter);
    vst1q_u8(y + i, vqtbx4q_u8(r, d, v));
  }
  for (; i < count; i++) y[i] = table[x[i]];
}

#endif
typedef int wh_lookup_neon;
