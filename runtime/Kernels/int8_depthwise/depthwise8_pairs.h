/* Strips and lines without dot products of bytes: entries hold 16-bit numbers, two taps together,
 * whose products and sums of two are exact. A variant's file includes this inside its target. */
#include "../common/vector.h"
#include "depthwise8.h"

#define PARTS 8
#define OUTPUTS 1
#include "depthwise8_x86.h"

/* A half of the entry of four rows: quarters 2 * half and 2 * half + 1, each of two pairs. */
WH_INLINE void interleave_half(const vec *rows, int half, vec *entry) {
  const vec zero = OP(set1_epi32)(0);
  WH_UNROLL
  for (int pair = 0; pair < 2; pair++) {
    const vec both = half ? OP(unpackhi_epi8)(rows[2 * pair], rows[2 * pair + 1])
                          : OP(unpacklo_epi8)(rows[2 * pair], rows[2 * pair + 1]);
    entry[pair] = OP(unpacklo_epi8)(both, zero);
    entry[2 + pair] = OP(unpackhi_epi8)(both, zero);
  }
}

WH_INLINE void interleave(const vec *rows, vec *entry) {
  interleave_half(rows, 0, entry);
  interleave_half(rows, 1, entry + 4);
}

WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights) {
  entry += 2 * sizeof(vec) * (size_t)q;
  const vec first = OP(madd_epi16)(load(entry), weights[2 * q]);
  const vec second = OP(madd_epi16)(load(entry + sizeof(vec)), weights[2 * q + 1]);
  return OP(add_epi32)(sums, OP(add_epi32)(first, second));
}

/* Interleaved as unsigned bytes, weights get their signs back. */
static void weights_of(uint8_t *weights, int32_t count) {
  const vec sign = OP(set1_epi16)(128);
  for (int32_t i = 0; i < count * PARTS; i++, weights += sizeof(vec))
    store(weights, OP(sub_epi16)(OF(xor)(load(weights), sign), sign));
}

#include "depthwise8_body.h"

static void run(const wh_run8 *r) { run_of(r); }

/* Where the rows of a window are, and how far its columns are apart. */
typedef struct window {
  const uint8_t *rows[4];
  ptrdiff_t steps[4], more[4]; /* between columns; to the next vector of a row, or 0 */
} window;

/* Every second pixel of two vectors of channels bytes a pixel, a multiple of 8. */
WH_INLINE vec every_second(const wh_line8 *l, vec a, vec b) {
#if WH_LANES == 4
  (void)l;
  return _mm_unpacklo_epi64(a, b);
#elif WH_LANES == 8
  if (l->channels == 16) return _mm256_permute2x128_si256(a, b, 0x20);
  return _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(a, b), 0xD8);
#else
  const vec number = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  const vec of_run = _mm512_and_si512(number, _mm512_set1_epi64(l->channels / 8 - 1));
  return _mm512_permutex2var_epi64(a, _mm512_sub_epi64(_mm512_add_epi64(number, number), of_run),
                                   b);
#endif
}

WH_INLINE vec column_of(const wh_line8 *l, const window *at, int j, int k, const bool skips) {
  const uint8_t *from = at->rows[j] + k * at->steps[j];
  return skips ? every_second(l, load(from), load(from + at->more[j])) : load(from);
}

/* Half of the sums of a window, whose columns are first, second and third, for one line. */
WH_INLINE vec half_of(const wh_line8 *l, int half, const vec *first, const vec *second,
                      const vec *third, const uint8_t *weights, const bounds *limits) {
  const heads heads = heads_of(l->heads);
  const vec *const e[3] = {first, second, third};
  const uint8_t *w = weights + 4 * sizeof(vec) * (size_t)half;
  acc sums[2];
  WH_UNROLL
  for (int q = 0; q < 2; q++) {
    sums[q] = start(&heads, 2 * half + q);
    WH_UNROLL
    for (int t = 0; t < 6; t++) {
      const uint8_t *tap = w + ((size_t)(t / 2) * PARTS + (size_t)(2 * q + t % 2)) * sizeof(vec);
      sums[q] = OP(add_epi32)(sums[q], OP(madd_epi16)(e[t / 2][2 * q + t % 2], load(tap)));
    }
  }
  return words_of(sums, &heads, 2 * half, limits);
}

enum { LINE_WEIGHTS = 3 * PARTS * sizeof(vec) };

WH_INLINE void store_bytes(uint8_t *y, vec bytes, int32_t tail) {
  if (tail == (int32_t)sizeof(vec))
    store(y, bytes);
  else
    store_part(y, bytes, tail);
}

/* One output of each line; tail as in wh_run8. skips: of one line. */
WH_INLINE void output_of(const wh_line8 *l, const window *at, const bool skips, uint8_t *y,
                         int32_t tail, const bounds *limits) {
  const int lines = skips ? 1 : 2, rows = skips ? 3 : 4;
  vec v[3][4], words[2][2];
  WH_UNROLL
  for (int i = 0; i < 3 * rows && skips; i++)
    v[i / rows][i % rows] = column_of(l, at, i % rows, i / rows, true);
  WH_UNROLL
  for (int half = 0; half < 2; half++) {
    vec e[3][4];
    WH_UNROLL
    for (int k = 0; k < 3; k++) {
      vec row[4];
      row[3] = load(l->pad);
      WH_UNROLL
      for (int j = 0; j < rows; j++) row[j] = skips ? v[k][j] : column_of(l, at, j, k, false);
      interleave_half(row, half, e[k]);
    }
    WH_UNROLL
    for (int j = 0; j < lines; j++) {
      if (j < l->lines)
        words[j][half] = half_of(l, half, e[0], e[1], e[2], l->weights + j * LINE_WEIGHTS, limits);
    }
  }
  WH_UNROLL
  for (int j = 0; j < lines; j++, y += l->y_pair) {
    if (j < l->lines) store_bytes(y, clamped(words[j][0], words[j][1], limits), tail);
  }
}

static __attribute__((noinline)) void output(const wh_line8 *l, const window *at, uint8_t *y,
                                             int32_t tail, const bounds *limits) {
  output_of(l, at, false, y, tail, limits);
}

static __attribute__((noinline)) void output_skipping(const wh_line8 *l, const window *at,
                                                      uint8_t *y, int32_t tail,
                                                      const bounds *limits) {
  output_of(l, at, true, y, tail, limits);
}

/* Bytes of the copy of a row under an output, in which a vector may follow the last column. */
enum { EDGE = 5 * sizeof(vec) };

/* The window of an output that reaches over an end of the line: copies among padding. */
static __attribute__((noinline)) void copy_edges(const wh_line8 *l, int32_t column, window *to,
                                                 uint8_t copies[4][EDGE]) {
  const ptrdiff_t bytes = l->channels;
  const int32_t columns = 3 + (l->pixels - 1) * l->stride;
  const int32_t first = column < 0 ? -column : 0;
  const int32_t left = l->limit - column, end = left < columns ? left : columns;
  const vec pad = load(l->pad);
  for (int j = 0; j < 4; j++) {
    to->rows[j] = copies[j];
    to->steps[j] = bytes;
    to->more[j] = sizeof(vec);
    for (int i = 0; i < 5; i++) store(copies[j] + sizeof(vec) * (size_t)i, pad);
    if (!l->rows[j] || first >= end) continue;
    const uint8_t *from = l->rows[j] + (column + first) * l->step;
    uint8_t *copy = copies[j] + first * bytes, *past = copies[j] + end * bytes;
    for (; copy < past; copy += sizeof(vec), from += sizeof(vec)) store(copy, load(from));
    for (; past < copies[j] + columns * bytes; past += sizeof(vec)) store(past, pad);
  }
}

WH_INLINE bool crosses(const wh_line8 *l, int32_t at) {
  return at < 0 || at + 2 + (l->pixels - 1) * l->stride >= l->limit;
}

static void by_window(const wh_line8 *l) {
  void (*const put)(const wh_line8 *, const window *, uint8_t *, int32_t, const bounds *) =
      l->pixels > 1 && l->stride == 2 ? output_skipping : output;
  const bounds limits = bounds_of(l->zero, l->low, l->high);
  const int32_t skip = l->pixels * l->stride, last = l->count - 1;
  /* What was stored just before is slow to load: the outputs at both ends come last. */
  uint8_t copies[3][4][EDGE];
  window inside, edge, ends[2];
  for (int i = 0; i < 2; i++) {
    const int32_t at = l->column + i * last * skip;
    if (crosses(l, at)) copy_edges(l, at, &ends[i], copies[i]);
  }
  for (int j = 0; j < 4; j++) {
    inside.steps[j] = l->rows[j] ? l->step : 0;
    inside.more[j] = l->rows[j] ? (ptrdiff_t)sizeof(vec) : 0;
  }
  for (int32_t i = 0, at = l->column; i <= last; i++, at += skip) {
    const window *window = &inside;
    if (crosses(l, at)) {
      if (i == 0 || i == last) continue;
      copy_edges(l, at, &edge, copies[2]);
      window = &edge;
    }
    WH_UNROLL
    for (int j = 0; j < 4 && window == &inside; j++)
      inside.rows[j] = l->rows[j] ? l->rows[j] + at * l->step : l->pad;
    put(l, window, l->y + i * l->y_step, i < last ? (int32_t)sizeof(vec) : l->tail, &limits);
  }
  for (int i = 0; i < 2; i++) {
    const int32_t number = i * last;
    if (crosses(l, l->column + number * skip) && i <= last)
      put(l, &ends[i], l->y + number * l->y_step, number < last ? (int32_t)sizeof(vec) : l->tail,
          &limits);
  }
}

/* Lines of neighbouring windows, one pixel after the other: a column is taken apart once for the
 * three windows it is in. Each half of a vector in turn, for so many outputs. */
enum { RUN = 32 };

typedef struct sliding {
  const wh_line8 *l;
  const uint8_t *rows[4]; /* padding's for a row of it, with offsets kept or not */
  ptrdiff_t keep[4];
  vec words[RUN][2]; /* first halves of the results of a run */
  bounds limits;
} sliding;

WH_INLINE void column_at(const sliding *s, int32_t at, int half, vec *entry) {
  const wh_line8 *l = s->l;
  vec rows[4];
  if ((uint32_t)at < (uint32_t)l->limit) {
    const ptrdiff_t offset = at * l->step;
    WH_UNROLL
    for (int j = 0; j < 4; j++) rows[j] = load(s->rows[j] + (offset & s->keep[j]));
  } else {
    WH_UNROLL
    for (int j = 0; j < 4; j++) rows[j] = load(l->pad);
  }
  interleave_half(rows, half, entry);
}

/* Half of the results of the window whose columns are first, second and third. */
WH_INLINE void slide_output(sliding *s, int half, const int lines, const vec *first,
                            const vec *second, const vec *third, int32_t i, uint8_t *y,
                            int32_t tail) {
  const wh_line8 *l = s->l;
  const uint8_t *w = l->weights;
  WH_UNROLL
  for (int j = 0; j < lines; j++, w += LINE_WEIGHTS, y += l->y_pair) {
    const vec words = half_of(l, half, first, second, third, w, &s->limits);
    if (half)
      store_bytes(y, clamped(s->words[i][j], words, &s->limits), tail);
    else
      s->words[i][j] = words;
  }
}

/* at: of the first window's first column. */
WH_INLINE void slide_half(sliding *s, int half, const int lines, int32_t at, int32_t count,
                          uint8_t *y, int32_t tail) {
  const ptrdiff_t step = s->l->y_step;
  const int32_t full = sizeof(vec);
  vec e[3][4];
  column_at(s, at, half, e[0]);
  if (lines == 1 && s->l->stride == 2) {
    for (int32_t i = 0; i < count; i++, at += 2, y += step) {
      column_at(s, at + 1, half, e[1]);
      column_at(s, at + 2, half, e[2]);
      slide_output(s, half, lines, e[0], e[1], e[2], i, y, i + 1 < count ? full : tail);
      WH_UNROLL
      for (int j = 0; j < 4; j++) e[0][j] = e[2][j];
    }
    return;
  }
  column_at(s, at + 1, half, e[1]);
  for (int32_t i = 0; i < count; i += 3) {
    WH_UNROLL
    for (int32_t k = 0; k < 3; k++, at++, y += step) {
      if (i + k == count) return;
      column_at(s, at + 2, half, e[(k + 2) % 3]);
      slide_output(s, half, lines, e[k], e[(k + 1) % 3], e[(k + 2) % 3], i + k, y,
                   i + k + 1 < count ? full : tail);
    }
  }
}

WH_INLINE void slide(const wh_line8 *l, const int lines) {
  sliding s;
  s.l = l;
  for (int j = 0; j < 4; j++) {
    s.rows[j] = l->rows[j] ? l->rows[j] : l->pad;
    s.keep[j] = l->rows[j] ? -1 : 0;
  }
  s.limits = bounds_of(l->zero, l->low, l->high);
  uint8_t *y = l->y;
  for (int32_t done = 0, count; done < l->count; done += count, y += count * l->y_step) {
    const int32_t left = l->count - done, at = l->column + done * l->stride;
    count = left < RUN ? left : RUN;
    slide_half(&s, 0, lines, at, count, y, 0);
    slide_half(&s, 1, lines, at, count, y, count < left ? (int32_t)sizeof(vec) : l->tail);
  }
}

static void line(const wh_line8 *l) {
  wh_line8 one = *l;
  for (int32_t repeat = 0; repeat < l->repeats; repeat++, one.rows += 4, one.y += l->y_repeat) {
    if (l->pixels > 1)
      by_window(&one);
    else
      l->lines == 1 ? slide(&one, 1) : slide(&one, 2);
  }
}
