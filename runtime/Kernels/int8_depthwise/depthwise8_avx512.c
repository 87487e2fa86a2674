#if defined(__x86_64__)
#include "../common/target_avx512_vnni.h"
/**/
#include "../common/vector.h"
#include "depthwise8.h"

#define PARTS 4
#define OUTPUTS 2
typedef __m512i vec, acc;

typedef struct bounds {
  __m512i zero, low, high;
} bounds;

typedef struct heads {
  __m512i bias[4];
  __m512 scale[4];
} heads;

WH_INLINE heads heads_of(const wh_heads8 *h) {
  heads in;
  WH_UNROLL
  for (int q = 0; q < 4; q++) {
    in.bias[q] = _mm512_loadu_si512(h->bias + 16 * q);
    in.scale[q] = _mm512_loadu_ps(h->scale + 16 * q);
  }
  return in;
}

WH_INLINE vec load(const uint8_t *p) { return _mm512_loadu_si512(p); }
WH_INLINE void store(uint8_t *p, vec v) { _mm512_storeu_si512(p, v); }

WH_INLINE void store_part(uint8_t *p, vec v, int32_t count) {
  _mm512_mask_storeu_epi8(p, (1ull << count) - 1, v);
}

WH_INLINE void interleave(const vec *rows, vec *entry) {
  const vec low = _mm512_unpacklo_epi8(rows[0], rows[1]),
            high = _mm512_unpackhi_epi8(rows[0], rows[1]);
  const vec low2 = _mm512_unpacklo_epi8(rows[2], rows[3]),
            high2 = _mm512_unpackhi_epi8(rows[2], rows[3]);
  entry[0] = _mm512_unpacklo_epi16(low, low2);
  entry[1] = _mm512_unpackhi_epi16(low, low2);
  entry[2] = _mm512_unpacklo_epi16(high, high2);
  entry[3] = _mm512_unpackhi_epi16(high, high2);
}

WH_INLINE acc start(const heads *h, int q) { return h->bias[q]; }

WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights) {
  return _mm512_dpbusd_epi32(sums, load(entry + 64 * q), weights[q]);
}

WH_INLINE bounds bounds_of(int32_t zero, int32_t low, int32_t high) {
  return (bounds){_mm512_set1_epi16((int16_t)(zero + 128)), _mm512_set1_epi8((char)(low ^ 0x80)),
                  _mm512_set1_epi8((char)(high ^ 0x80))};
}

WH_INLINE vec narrowed(const __m512i *t, const bounds *b) {
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(t[0], t[1]), b->zero);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(t[2], t[3]), b->zero);
  return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(low, high), b->low), b->high);
}

WH_INLINE vec pack(const acc *sums, const heads *h, const bounds *b) {
  __m512i t[4];
  WH_UNROLL
  for (int q = 0; q < 4; q++)
    t[q] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums[q]), h->scale[q]));
  return narrowed(t, b);
}

#include "depthwise8_body.h"

/* Bytes are 128 too large: each bias goes down by 128 times the sum of its weights. */
WH_COMPACT static bool prepare(uint8_t *weights, int32_t count, int32_t first, int32_t taps,
                               wh_heads8 *h) {
  (void)count;
  const __m512 most = _mm512_set1_ps(0x1p30f), reach = _mm512_set1_ps(16384.0f * (float)taps);
  WH_ROLLED
  for (int q = 0; q < 4; q++) {
    const __m512i bias = _mm512_loadu_si512(h->bias + 16 * q);
    const __m512 sum = _mm512_add_ps(_mm512_abs_ps(_mm512_cvtepi32_ps(bias)), reach);
    const __m512 t = _mm512_abs_ps(_mm512_mul_ps(sum, _mm512_loadu_ps(h->scale + 16 * q)));
    if (_mm512_cmp_ps_mask(t, most, _CMP_LT_OQ) != 0xFFFF) return false;
    __m512i offset = _mm512_setzero_si512();
    WH_ROLLED
    for (int32_t i = 0; i < first; i++)
      offset =
          _mm512_dpbusd_epi32(offset, _mm512_set1_epi8(-128), load(weights + 256 * i + 64 * q));
    _mm512_storeu_si512(h->bias + 16 * q, _mm512_sub_epi32(bias, offset));
  }
  return true;
}

/* Lines of 3x3 windows: columns are interleaved in registers, where those of neighbouring outputs
 * stay; weights come from memory. */
typedef struct columns {
  const uint8_t *rows[4];
  ptrdiff_t keep[4]; /* masks of offsets: all of them, or none for a row of padding */
  ptrdiff_t step;
  int32_t limit, channels;
  vec pad;
} columns;

WH_INLINE columns columns_of(const wh_line8 *l, int32_t repeat) {
  columns c = {.step = l->step, .limit = l->limit, .channels = l->channels, .pad = load(l->pad)};
  WH_UNROLL
  for (int j = 0; j < 4; j++) {
    const uint8_t *row = l->rows[4 * repeat + j];
    c.rows[j] = row ? row : l->pad;
    c.keep[j] = row ? -1 : 0;
  }
  return c;
}

/* These keep operands in memory that would crowd others out of registers. */
WH_INLINE acc dot_memory(acc sums, vec bytes, const void *weights) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(bytes), "m"(*(const vec *)weights));
  return sums;
}
WH_INLINE acc load_memory(const void *bias) {
  acc sums;
  __asm__("vmovdqu64 %1, %0" : "=v"(sums) : "m"(*(const vec *)bias));
  return sums;
}
WH_INLINE __m512 mul_memory(__m512 x, const void *scale) {
  __asm__("vmulps %1, %0, %0" : "+v"(x) : "m"(*(const __m512 *)scale));
  return x;
}

/* One output of each line; tail as in wh_run8; kept: scales (1) and biases (2) are in registers. */
WH_INLINE void output_of(const wh_line8 *l, vec e[3][4], uint8_t *y, int32_t tail, const int kept,
                         const heads *h, const bounds *limits) {
  const uint8_t *w = l->weights;
  const __mmask64 part = ~0ull >> (64 - tail);
  WH_ROLLED
  for (int32_t j = l->lines; j > 0; j--, w += 768, y += l->y_pair) {
    acc sums[4];
    WH_UNROLL
    for (int q = 0; q < 4; q++)
      sums[q] = kept > 1 ? h->bias[q] : load_memory(l->heads->bias + 16 * q);
    WH_UNROLL
    for (int k = 0; k < 12; k++) sums[k % 4] = dot_memory(sums[k % 4], e[k / 4][k % 4], w + 64 * k);
    WH_UNROLL
    for (int q = 0; q < 4; q++) {
      const __m512 x = _mm512_cvtepi32_ps(sums[q]);
      sums[q] = _mm512_cvtps_epi32(kept ? _mm512_mul_ps(x, h->scale[q])
                                        : mul_memory(x, l->heads->scale + 16 * q));
    }
    _mm512_mask_storeu_epi8(y, part, narrowed(sums, limits));
  }
}

WH_INLINE void column_of(const columns *c, int32_t at, bool fourth, vec *entry) {
  vec v[4] = {c->pad, c->pad, c->pad, c->pad};
  if ((uint32_t)at < (uint32_t)c->limit) {
    WH_UNROLL
    for (int j = 0; j < 3; j++) v[j] = load(c->rows[j] + (at * c->step & c->keep[j]));
    if (fourth) v[3] = load(c->rows[3] + (at * c->step & c->keep[3]));
  }
  interleave(v, entry);
}

/* One pixel after the other. */
WH_INLINE void wide(const wh_line8 *l, int32_t repeat, const int stride, const heads *heads,
                    const bounds *limits) {
  const columns c = columns_of(l, repeat);
  uint8_t *y = l->y + repeat * l->y_repeat;
  vec e[3][4] = {{c.pad}};
  int32_t at = l->column, ahead = stride == 1 ? 2 : 1;
  if (stride == 2) at--;
  for (int32_t left = l->count; left > 0;) {
    WH_UNROLL
    for (int q = 0; q < 4; q++) {
      e[0][q] = e[stride][q];
      if (stride == 1) e[1][q] = e[2][q];
    }
    if (stride == 2) column_of(&c, at++, false, e[1]);
    column_of(&c, at++, stride == 1 && l->lines > 1, e[2]);
    if (ahead > 0) {
      ahead--;
      continue;
    }
    left--;
    output_of(l, e, y, left ? 64 : l->tail, 2, heads, limits);
    y += l->y_step;
  }
}

/* Which of the 64 bytes at a pixel belong to the line. */
WH_INLINE __mmask64 inside(const columns *c, int32_t at) {
  const int64_t first = -(int64_t)at * c->channels;
  const int64_t end = ((int64_t)c->limit - at) * c->channels;
  if (first > 63 || end <= 0) return 0;
  return ~0ull << (first > 0 ? first : 0) & (end > 63 ? ~0ull : (1ull << end) - 1);
}

/* Entries of the pixels in a vector at a pixel; with stride 2, of the even and the odd ones of two
 * vectors. */
WH_INLINE void pixels_of(const columns *c, int32_t at, int32_t pixels, const int stride, vec even,
                         vec odd, vec *evens, vec *odds) {
  vec v[4] = {c->pad, c->pad, c->pad, c->pad}, w[4] = {c->pad, c->pad, c->pad, c->pad};
  const int rows = stride == 2 ? 3 : 4;
  if (at >= 0 && at + stride * pixels <= c->limit) {
    WH_UNROLL
    for (int j = 0; j < rows; j++) {
      const uint8_t *row = c->rows[j] + (at * c->step & c->keep[j]);
      v[j] = load(row);
      if (stride == 2) w[j] = load(row + (64 & c->keep[j]));
    }
  } else {
    const __mmask64 first = inside(c, at), second = inside(c, at + pixels);
    WH_UNROLL
    for (int j = 0; j < rows; j++) {
      const uint8_t *row = c->rows[j] + (at * c->step & c->keep[j]);
      v[j] = _mm512_mask_loadu_epi8(c->pad, first, row);
      if (stride == 2) w[j] = _mm512_mask_loadu_epi8(c->pad, second, row + (64 & c->keep[j]));
    }
  }
  WH_UNROLL
  for (int j = 0; j < rows && stride == 2; j++) {
    const vec both = v[j];
    v[j] = _mm512_permutex2var_epi64(both, even, w[j]);
    w[j] = _mm512_permutex2var_epi64(both, odd, w[j]);
  }
  interleave(v, evens);
  if (stride == 2) interleave(w, odds);
}

/* Entries one pixel further on. */
WH_INLINE void shifted(const vec *entry, const vec *next, bool half, vec by, vec *to) {
  WH_UNROLL
  for (int q = 0; q < 4; q++) to[q] = _mm512_permutex2var_epi64(entry[q], by, next[q]);
  if (!half) return;
  to[2] = to[0];
  to[3] = to[1];
  to[0] = entry[2];
  to[1] = entry[3];
}

/* 8, 16 or 32 channels: the pixels of a vector side by side. With stride 2, one line. */
WH_INLINE void narrow(const wh_line8 *l, int32_t repeat, const int stride, const heads *heads,
                      const bounds *limits) {
  const columns c = columns_of(l, repeat);
  const int64_t run = l->channels / 8;
  const vec number = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  const vec one = _mm512_add_epi64(number, _mm512_set1_epi64(run == 1 ? 2 : run));
  const vec two = _mm512_add_epi64(number, _mm512_set1_epi64(2 * run));
  const vec even = _mm512_sub_epi64(_mm512_add_epi64(number, number),
                                    _mm512_and_si512(number, _mm512_set1_epi64(run - 1)));
  const vec odd = _mm512_add_epi64(even, _mm512_set1_epi64(run));
  uint8_t *y = l->y + repeat * l->y_repeat;
  int32_t at = l->column;
  vec next[4], odds[4];
  pixels_of(&c, at, l->pixels, stride, even, odd, next, odds);
  for (int32_t left = l->count; left > 0;) {
    vec e[3][4];
    WH_UNROLL
    for (int q = 0; q < 4; q++) {
      e[0][q] = next[q];
      if (stride == 2) e[1][q] = odds[q];
    }
    at += l->pixels * stride;
    pixels_of(&c, at, l->pixels, stride, even, odd, next, odds);
    shifted(e[0], next, run == 1, one, e[stride]);
    WH_UNROLL
    for (int q = 0; stride == 1 && q < 4; q++)
      e[2][q] = _mm512_permutex2var_epi64(e[0][q], two, next[q]);
    left--;
    output_of(l, e, y, left ? 64 : l->tail, stride == 1, heads, limits);
    y += l->y_step;
  }
}

/* Each its own function, so that what one keeps in registers is no burden to the others. */
#define LINES(name, each)                                         \
  static __attribute__((noinline)) void name(const wh_line8 *l) { \
    const bounds limits = bounds_of(l->zero, l->low, l->high);    \
    const heads heads = heads_of(l->heads);                       \
    for (int32_t i = 0; i < l->repeats; i++) each;                \
  }
LINES(wide_lines, wide(l, i, 1, &heads, &limits))
LINES(wide_lines2, wide(l, i, 2, &heads, &limits))
LINES(narrow_lines, narrow(l, i, 1, &heads, &limits))
LINES(narrow_lines2, narrow(l, i, 2, &heads, &limits))

static void line(const wh_line8 *l) {
  if (l->pixels == 1)
    l->stride == 1 ? wide_lines(l) : wide_lines2(l);
  else
    l->stride == 1 ? narrow_lines(l) : narrow_lines2(l);
}

static void run(const wh_run8 *r) { run_of(r); }

const wh_strips8 wh_strips8_avx512_vnni = {64, 256, fill, prepare, run, line};

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_avx512_file;
