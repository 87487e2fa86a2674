/* From accumulators to results, in the vectors of vector.h; a variant's file includes this inside
 * its target. */
#include "../common/q8_vector.h"
#include "qtile.h"

/* 16 accumulators of a panel before any product. */
WH_INLINE void q_start(const wh_qtile *t, int p, vi acc[WH_Q8_VECTORS]) {
  const int32_t *head = (const int32_t *)(const void *)(t->head + p * t->panel);
  WH_UNROLL
  for (int v = 0; v < WH_Q8_VECTORS; v++) {
    acc[v] =
        q8_load_ints(head + v * WH_LANES) - t->x_offset * q8_load_ints(head + 16 + v * WH_LANES);
    if (t->resume) acc[v] ^= acc[v];
  }
}

WH_INLINE void q_load_factors(const wh_qtile *t, int p, vf factor[WH_Q8_VECTORS]) {
  const float *scale = (const float *)(const void *)(t->head + p * t->panel + 128);
  WH_UNROLL
  for (int v = 0; v < WH_Q8_VECTORS; v++) factor[v] = v_load(scale + v * WH_LANES);
}

WH_INLINE void q_store(uint8_t *y, vb16 bytes, ptrdiff_t columns) {
  if (columns >= 16)
    q8_store_bytes(y, bytes);
  else
    q8_store_part(y, bytes, (int)columns);
}

/* With a residual: the sum of two 8-bit values, quantized again. */
WH_INLINE vb16 q_add_residual(const wh_qresult *result, const vi acc[WH_Q8_VECTORS],
                              const vf factor[WH_Q8_VECTORS], vb16 residual) {
  vi other[WH_Q8_VECTORS];
  vf sum[WH_Q8_VECTORS];
  q8_values(residual, result->flip, result->r_zero, other);
  WH_UNROLL
  for (int v = 0; v < WH_Q8_VECTORS; v++) {
    const vf c = q8_clamp_float(q8_float(acc[v]) * factor[v], result->c_low, result->c_high);
    sum[v] = c * result->c_factor + q8_float(other[v]) * result->r_factor;
  }
  return q8_bytes(sum, &result->range);
}

WH_INLINE void q_finish_words(const wh_qtile *t, int p, vi acc[WH_Q8_VECTORS], uint8_t *y) {
  const wh_qresult *result = t->result;
  const ptrdiff_t columns = wh_min64(t->columns - 16 * p, 16);
  int32_t words[16];
  memcpy(words, acc, sizeof words);
  if (result->kind == WH_RESULT_DYNAMIC) {
    /* One by one: ARMv7's vectors flush subnormal results to zero. */
    const float *factor = (const float *)(const void *)(t->head + p * t->panel + 128);
    for (ptrdiff_t i = 0; i < columns; i++) {
      float value = (float)words[i] * (factor[i] * result->x_scale);
      if (t->bias) value += t->bias[16 * p + i];
      memcpy(&words[i], &value, 4);
    }
  }
  memcpy(y + 64 * p, words, (size_t)columns * 4);
}

WH_INLINE void q_finish_any(const wh_qtile *t, const wh_qspot *spot, const int32_t *from) {
  const wh_qresult result = *t->result;
  int32_t *sums = t->sums;
  for (int r = 0; r < t->rows; r++) {
    uint8_t *y = spot->y + r * t->y_row;
    const uint8_t *residual = spot->residual ? spot->residual + r * t->residual_row : NULL;
    for (int p = 0; p < t->panels; p++, from += 16, sums += 16) {
      vi acc[WH_Q8_VECTORS];
      vf factor[WH_Q8_VECTORS];
      vb16 bytes;
      q_load_factors(t, p, factor);
      WH_UNROLL
      for (int v = 0; v < WH_Q8_VECTORS; v++) {
        acc[v] = q8_load_ints(from + v * WH_LANES);
        if (t->resume)
          acc[v] += q8_load_ints(sums + v * WH_LANES);
        else if (spot->row_terms)
          acc[v] += spot->row_terms[r];
      }
      if (t->suspend) {
        memcpy(sums, acc, sizeof acc);
        continue;
      } else if (result.kind != WH_RESULT_Q8) {
        q_finish_words(t, p, acc, y);
        continue;
      } else if (residual) {
        bytes = q_add_residual(&result, acc, factor, q8_load_bytes(residual + 16 * p));
      } else {
        bytes = q8_requantize(acc, factor, &result.range);
      }
      q_store(y + 16 * p, bytes, t->columns - 16 * p);
    }
  }
}
