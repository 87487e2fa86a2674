#if defined(__x86_64__)
#include "../common/target_avx512_vnni.h"
/**/
#include "../common/vector.h"
#include "qtile.h"

enum { X, WEIGHTS, RESIDUAL };

typedef struct product {
  const uint8_t *x;
  ptrdiff_t steps; /* of four values */
  ptrdiff_t panel; /* bytes between panels */
  __m512 low, high;
  __m512i zero, order;
} product;

WH_INLINE __m512i four(const uint8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return _mm512_set1_epi32(value);
}

/* Sums of panels from head on. Each has so many chains, because one waits for itself; callers pass
 * constants. */
WH_INLINE void add_up(const product *s, const uint8_t *head, const int panels, const int chains,
                      __m512i acc[8]) {
  const uint8_t *x = s->x, *w = head + WH_QCONV_HEAD;
  WH_UNROLL
  for (int p = 0; p < panels; p++) {
    const __m512i bias = _mm512_load_si512(head + p * s->panel);
    const __m512i sums = _mm512_load_si512(head + p * s->panel + 64);
    acc[p] = _mm512_sub_epi32(bias, _mm512_slli_epi32(sums, 7));
    WH_UNROLL
    for (int i = 1; i < chains; i++) acc[i * panels + p] = _mm512_setzero_si512();
  }
  ptrdiff_t steps = s->steps;
  for (; steps >= chains; steps -= chains, x += 4 * chains, w += 64 * chains) {
    WH_UNROLL
    for (int i = 0; i < chains; i++) {
      const __m512i values = four(x + 4 * i);
      WH_UNROLL
      for (int p = 0; p < panels; p++) {
        __m512i *sum = &acc[i * panels + p];
        *sum = _mm512_dpbusd_epi32(*sum, values, _mm512_load_si512(w + p * s->panel + 64 * i));
      }
    }
  }
  for (; steps > 0; steps--, x += 4, w += 64) {
    const __m512i values = four(x);
    WH_UNROLL
    for (int p = 0; p < panels; p++)
      acc[p] = _mm512_dpbusd_epi32(acc[p], values, _mm512_load_si512(w + p * s->panel));
  }
  WH_UNROLL
  for (int i = chains - 1; i > 0; i--) {
    WH_UNROLL
    for (int p = 0; p < panels; p++) acc[p] = _mm512_add_epi32(acc[p], acc[i * panels + p]);
  }
}

/* clamp(rhe(t)), relative to the zero. */
WH_INLINE __m512i requantized(const product *s, __m512i acc, const uint8_t *head) {
  const __m512 t = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_load_ps(head + 128));
  return _mm512_cvtps_epi32(_mm512_min_ps(s->high, _mm512_max_ps(s->low, t)));
}

WH_INLINE void four_panels(const product *s, const uint8_t *head, uint8_t *y, __mmask64 columns) {
  __m512i acc[8];
  add_up(s, head, 4, 2, acc);
  WH_UNROLL
  for (int p = 0; p < 4; p++) acc[p] = requantized(s, acc[p], head + p * s->panel);
  const __m512i first = _mm512_add_epi16(_mm512_packs_epi32(acc[0], acc[1]), s->zero);
  const __m512i second = _mm512_add_epi16(_mm512_packs_epi32(acc[2], acc[3]), s->zero);
  _mm512_mask_storeu_epi8(y, columns,
                          _mm512_permutexvar_epi32(s->order, _mm512_packus_epi16(first, second)));
}

WH_INLINE void one_panel(const product *s, const uint8_t *head, uint8_t *y, __mmask16 columns) {
  __m512i acc[4];
  add_up(s, head, 1, 4, acc);
  const __m512i bytes = _mm512_add_epi32(requantized(s, acc[0], head), s->zero);
  _mm_mask_storeu_epi8(y, columns, _mm512_cvtepi32_epi8(bytes));
}

static bool is_one(const int32_t extents[3]) {
  return extents[0] == 1 && extents[1] == 1 && extents[2] == 1;
}

bool wh_qgemv_avx512_vnni(const wh_call *call) {
  const wh_qconv *p = call->parameters;
  if (p->batch != 1 || p->groups != 1 || p->result != WH_RESULT_Q8 || wh_input(call, RESIDUAL) ||
      !is_one(p->in) || !is_one(p->out) || !is_one(p->kernel) || p->pad[0] || p->pad[1] ||
      p->pad[2])
    return false;
  const wh_q8_range range = wh_q8_range_of(call, p->y_zero, p->low, p->high);
  const ptrdiff_t steps = ((ptrdiff_t)p->channels + 3) / 4;
  const product s = {
      .x = wh_input(call, X)->data,
      .steps = steps,
      .panel = WH_QCONV_HEAD + 64 * steps,
      .low = _mm512_set1_ps(range.low),
      .high = _mm512_set1_ps(range.high),
      .zero = _mm512_set1_epi16(range.zero),
      .order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)};
  const uint8_t *head = wh_input(call, WEIGHTS)->data;
  uint8_t *y = wh_output(call, 0)->data + p->y_offset;
  ptrdiff_t left = p->filters;
  for (; left > 48; left -= 64, y += 64, head += 4 * s.panel)
    four_panels(&s, head, y, left < 64 ? (1ull << left) - 1 : ~0ull);
  for (; left > 0; left -= 16, y += 16, head += s.panel)
    one_panel(&s, head, y, (__mmask16)(left < 16 ? (1u << left) - 1 : ~0u));
  return true;
}

#include "../common/region_end.h"
#endif
typedef int wh_qgemv_avx512_vnni_file;
