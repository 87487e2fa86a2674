/* Tiles without dot products of bytes, in the vectors of vector.h: products of 16-bit numbers, two
 * of which add up exactly. A vector of the stream holds 4 bytes of k for each of WH_LANES columns;
 * taken apart into its even and its odd bytes it is two of 16-bit numbers. Rows of x are taken
 * apart the same way, a chunk of k at a time, into two lines each that the products read four bytes
 * of. A variant's file includes this inside its target, defines PAIRS(a, b) and makes its tiles. */
#include "qfinish_body.h"

/* Bytes of k of a chunk; of a line for 4 of them; of a line, whose last vector may hold what comes
 * after. SSE2 has no broadcasts: there a line holds the four bytes four times. */
enum { CHUNK = WH_LANES > 4 ? 512 : 128, STEP = WH_LANES > 4 ? 4 : 16 };
enum { LINE = (CHUNK + 64) * STEP / 4 };

typedef int16_t vs __attribute__((vector_size(4 * WH_LANES)));
typedef uint16_t vu __attribute__((vector_size(4 * WH_LANES)));
typedef uint16_t vp __attribute__((vector_size(WH_LANES < 8 ? 16 : 32))); /* part of a line */
typedef vp vp_unaligned __attribute__((aligned(1), may_alias));
typedef vs vs_stream __attribute__((aligned(4), may_alias));

/* Where in the segments the next chunk begins. */
typedef struct cursor {
  const wh_qsegment *segment;
  ptrdiff_t segments, run, at; /* left, this one included; of the segment; bytes of the run */
} cursor;

/* Stores a vector's share of a line. */
WH_INLINE void store_line(uint8_t *to, vp x) {
#if WH_LANES > 4
  *(vp_unaligned *)(void *)to = x;
#else
  __m128i *quarters = (__m128i *)(void *)to;
  _mm_store_si128(quarters, _mm_shuffle_epi32((__m128i)x, 0x00));
  _mm_store_si128(quarters + 1, _mm_shuffle_epi32((__m128i)x, 0x55));
  _mm_store_si128(quarters + 2, _mm_shuffle_epi32((__m128i)x, 0xAA));
  _mm_store_si128(quarters + 3, _mm_shuffle_epi32((__m128i)x, 0xFF));
#endif
}

/* Takes the next chunk of rows apart. Returns its bytes; 0 behind the last. */
WH_INLINE ptrdiff_t split_rows(cursor *c, ptrdiff_t offset, const int rows, uint8_t *lines) {
  ptrdiff_t filled = 0;
  while (filled < CHUNK && c->segments) {
    const wh_qsegment *s = c->segment;
    const ptrdiff_t count = wh_min64(s->count - c->at, CHUNK - filled);
    const uint8_t *row[WH_QROWS];
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + c->run * s->steps[r] + (offset + c->at);
    uint8_t *to = lines + filled * (STEP / 4);
    WH_ROLLED for (ptrdiff_t i = 0; i < count; i += (ptrdiff_t)sizeof(vp)) {
      WH_UNROLL
      for (int r = 0; r < rows; r++) {
        const vp x = *(const vp_unaligned *)(const void *)(row[r] + i);
        store_line(to + 2 * r * LINE + i * (STEP / 4), x & 255);
        store_line(to + (2 * r + 1) * LINE + i * (STEP / 4), x >> 8);
      }
    }
    filled += count;
    c->at += count;
    if (c->at < s->count) continue;
    c->at = 0;
    if (++c->run < s->runs) continue;
    c->run = 0;
    c->segment++;
    c->segments--;
  }
  return filled;
}

typedef ptrdiff_t split_function(cursor *c, ptrdiff_t offset, uint8_t *lines);

/* Again, for a variant's tiles of so many rows. */
#define SPLIT(rows)                                                     \
  static __attribute__((noinline))                                      \
  ptrdiff_t split_##rows(cursor *c, ptrdiff_t offset, uint8_t *lines) { \
    return split_rows(c, offset, rows, lines);                          \
  }

/* Two 16-bit numbers of a line for every column. */
WH_INLINE vs two(const uint8_t *x) {
#if WH_LANES > 4
  int32_t value;
  memcpy(&value, x, 4);
  return (vs)(value - (vi){0});
#else
  return *(const vs *)(const void *)x;
#endif
}

/* A vector of the stream, taken apart. */
typedef struct columns {
  vs even, odd;
} columns;

WH_INLINE columns columns_of(const uint8_t *w) {
  const vs both = *(const vs_stream *)(const void *)w;
  return (columns){(vs)((vu)both << 8) >> 8, both >> 8};
}

/* Panels taken apart beforehand, for many tiles: 128 bytes for every 64. */
enum { WIDE = WH_LANES == 8 ? 1 << 14 : 64, MANY = 6 };

static __attribute__((noinline)) void widen_weights(const wh_qtile *t, ptrdiff_t count,
                                                    uint8_t *to) {
  for (int p = 0; p < t->panels; p++) {
    const uint8_t *w = t->w + p * t->panel;
    for (ptrdiff_t i = 0; i < count;
         i += 2 * (ptrdiff_t)sizeof(vs), w += sizeof(vs), to += 2 * sizeof(vs))
      *(columns *)(void *)to = columns_of(w);
  }
}

/* Bytes of the widened weights of a panel, or 0 where weights are better taken apart every time. */
WH_INLINE ptrdiff_t widened(const wh_qtile *t) {
  ptrdiff_t count = 0;
  if (WH_LANES != 8 || (t->lines < MANY && t->tiles < MANY)) return 0;
  for (ptrdiff_t i = 0; i < t->segment_count && count <= WIDE; i++) {
    if (t->segments[i].runs > WIDE || t->segments[i].count > WIDE) return 0;
    count += 32 * t->segments[i].runs * t->segments[i].count;
  }
  return count * t->panels <= WIDE ? count : 0;
}

WH_INLINE vi sum_of(vi sums, const columns *w, const uint8_t *line) {
  sums += PAIRS(w->even, two(line));
  return sums + PAIRS(w->odd, two(line + LINE));
}

/* What is before is loaded before: registers have no room for more. */
#define IN_ORDER(x) __asm__ volatile("" ::"r"(x) : "memory")

/* One step of k. */
WH_INLINE void multiply(const int rows, const int across, const bool wide, const uint8_t *lines,
                        const uint8_t *w, ptrdiff_t panel, vi acc[]) {
#if WH_LANES == 16
  (void)wide;
  columns column[2];
  WH_UNROLL
  for (int p = 0; p < across; p++) column[p] = columns_of(w + p * panel);
  WH_UNROLL
  for (int r = 0; r < rows; r++, lines += 2 * LINE) {
    WH_UNROLL
    for (int p = 0; p < across; p++)
      acc[r * across + p] = sum_of(acc[r * across + p], &column[p], lines);
    IN_ORDER(lines);
  }
#else
  (void)panel;
  WH_UNROLL
  for (int v = 0; v < across; v++) {
    const columns column =
        wide ? ((const columns *)(const void *)w)[v] : columns_of(w + v * 4 * WH_LANES);
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      vi *sums = acc + (r * across + v);
      *sums = sum_of(*sums, &column, lines + 2 * r * LINE);
    }
    IN_ORDER(lines);
  }
#endif
}

static __attribute__((noinline)) void finish(const wh_qtile *t, const wh_qspot *spot,
                                             const int32_t *acc) {
  q_finish_any(t, spot, acc);
}

/* Are results 8-bit ones of whole sums and nothing else? */
WH_INLINE bool is_plain(const wh_qtile *t) {
  return t->result->kind == WH_RESULT_Q8 && !t->residual && !t->row_terms && !t->resume &&
         !t->suspend;
}

/* May results be rounded before they are clamped? */
WH_INLINE bool all_small(const wh_qtile *t) {
  vi large = {0};
  for (int p = 0; p < t->panels; p++) {
    vf factor[WH_Q8_VECTORS];
    q_load_factors(t, p, factor);
    WH_UNROLL
    for (int v = 0; v < WH_Q8_VECTORS; v++) large |= ~(factor[v] < 1.0f);
  }
#if WH_LANES == 16
  return !_mm512_movepi32_mask((__m512i)large);
#elif WH_LANES == 8
  return !_mm256_movemask_ps((__m256)large);
#else
  return !_mm_movemask_ps((__m128)large);
#endif
}

#if WH_LANES == 16
/* Four rows of a panel or two of two; saturating before the clamp changes nothing. */
WH_INLINE __m512i four_sums(const vi *acc, const int across, const vf *factor,
                            const wh_q8_range *range) {
  const __m512i zero = _mm512_set1_epi16(range->zero);
  const __m512i low = _mm512_set1_epi8((char)((int)range->low + range->zero));
  const __m512i high = _mm512_set1_epi8((char)((int)range->high + range->zero));
  __m512i t[4];
  WH_UNROLL
  for (int i = 0; i < 4; i++) t[i] = (__m512i)q8_int(q8_float(acc[i]) * factor[i % across]);
  const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(t[0], t[1]), zero);
  const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(t[2], t[3]), zero);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second));
  return _mm512_min_epu8(_mm512_max_epu8(bytes, low), high);
}
#elif WH_LANES == 8

/* Two rows of vectors of 8 columns; the second row's bytes are the upper half, or with one vector
 * the second 8. Saturating before the clamp changes nothing. */
WH_INLINE __m256i two_rows(const vi *acc, const int vectors, const vf factor[2],
                           const wh_q8_range *range) {
  const __m256i zero = _mm256_set1_epi16(range->zero);
  const __m256i low = _mm256_set1_epi8((char)((int)range->low + range->zero));
  const __m256i high = _mm256_set1_epi8((char)((int)range->high + range->zero));
  __m256i t[4];
  WH_UNROLL
  for (int i = 0; i < 2 * vectors; i++)
    t[i] = (__m256i)q8_int(q8_float(acc[i]) * factor[i % vectors]);
  const __m256i first = _mm256_adds_epi16(_mm256_packs_epi32(t[0], t[1]), zero);
  const __m256i second =
      vectors > 1 ? _mm256_adds_epi16(_mm256_packs_epi32(t[2], t[3]), zero) : first;
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
  return _mm256_min_epu8(_mm256_max_epu8(bytes, low), high);
}
#endif

/* How a tile is worked on: constants that callers pass, for accumulators to stay in registers.
 * across panels are worked on at a time; vectors is WH_Q8_VECTORS, or half of that for up to 8
 * columns. */
typedef struct shape {
  int rows, across, vectors;
  split_function *split;
} shape;

/* What all tiles of a call share. */
typedef struct common {
  const wh_qtile *t;
  bool plain;         /* 8-bit results of whole sums, which may be rounded before the clamp? */
  ptrdiff_t wide;     /* as widened() says */
  vi start[WH_QSUMS]; /* sums before any product */
  vi out[WH_QSUMS * WH_Q8_VECTORS];
  _Alignas(64) uint8_t weights[WIDE];
  _Alignas(64) uint8_t lines[2 * WH_QROWS * LINE];
} common;

/* Adds the products of the lines' chunk and of those that follow. */
WH_INLINE void add_products(common *s, const shape of, cursor *from, ptrdiff_t left,
                            ptrdiff_t offset, int p, vi acc[]) {
  const wh_qtile *t = s->t;
  const int width = of.across * of.vectors;
  const uint8_t *w = s->wide ? s->weights + p * s->wide : t->w + p * t->panel;
  while (left) {
    const uint8_t *x = s->lines;
    __asm__("" : "+r"(x)); /* lines are not taken for spilled sums where spills are looked for */
    if (s->wide) {
      do {
        multiply(of.rows, width, true, x, w, 0, acc);
        x += STEP;
        w += 128;
      } while (left -= 4);
    } else {
      do {
        multiply(of.rows, width, false, x, w, t->panel, acc);
        x += STEP;
        w += 64;
      } while (left -= 4);
    }
    if (from->segments) left = of.split(from, offset, s->lines);
  }
}

static __attribute__((noinline)) void put_part(uint8_t *y, vb16 bytes, ptrdiff_t columns) {
  q8_store_part(y, bytes, (int)columns);
}

WH_INLINE void put_row(uint8_t *y, vb16 bytes, ptrdiff_t columns) {
  if (columns >= 16)
    q8_store_bytes(y, bytes);
  else
    put_part(y, bytes, columns);
}

/* Results of a tile's panels from p on. */
WH_INLINE void put_results(const wh_qtile *t, const shape of, int p, const vi acc[], uint8_t *y) {
  const wh_q8_range *range = &t->result->range;
  vf factor[2 * WH_Q8_VECTORS];
  WH_UNROLL
  for (int i = 0; i < of.across; i++) q_load_factors(t, p + i, factor + i * WH_Q8_VECTORS);
#if WH_LANES == 16
  WH_UNROLL
  for (int i = 0; i < of.rows * of.across; i += 4) {
    const __m512i bytes = four_sums(acc + i, of.across, factor, range);
    const __m128i each[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                             _mm512_extracti32x4_epi32(bytes, 2),
                             _mm512_extracti32x4_epi32(bytes, 3)};
    WH_UNROLL
    for (int j = 0; j < 4 && i + j < of.rows * of.across; j++) {
      const int r = (i + j) / of.across, at = j % of.across;
      if (r < t->rows)
        put_row(y + r * t->y_row + 16 * at, (vb16)each[j], t->columns - 16 * (p + at));
    }
  }
#elif WH_LANES == 8
  WH_UNROLL
  for (int r = 0; r < of.rows; r += 2, y += 2 * t->y_row) {
    const __m256i bytes = two_rows(acc + of.vectors * r, of.vectors, factor, range);
    const __m128i first = _mm256_castsi256_si128(bytes);
    const __m128i second =
        of.vectors > 1 ? _mm256_extracti128_si256(bytes, 1) : _mm_unpackhi_epi64(first, first);
    if (of.vectors == 1 && t->columns == 8) {
      if (r < t->rows) memcpy(y, &first, 8);
      if (r + 1 < t->rows) memcpy(y + t->y_row, &second, 8);
      continue;
    }
    if (r < t->rows) put_row(y, (vb16)first, t->columns - 16 * p);
    if (r + 1 < t->rows) put_row(y + t->y_row, (vb16)second, t->columns - 16 * p);
  }
#else
  WH_UNROLL
  for (int r = 0; r < of.rows; r++, y += t->y_row) {
    vi sums[4];
    WH_UNROLL
    for (int v = 0; v < 4; v++) sums[v] = acc[r * of.vectors + (v < of.vectors ? v : 0)];
    if (r < t->rows) put_row(y, q8_requantize(sums, factor, range), t->columns - 16 * p);
  }
#endif
}

/* The same sums for finish(); columns past the vectors are never stored. */
WH_INLINE void keep_sums(common *s, const shape of, int p, const vi acc[]) {
  vi *out = s->out + p * WH_Q8_VECTORS;
  WH_UNROLL
  for (int r = 0; r < of.rows; r++, out += s->t->panels * WH_Q8_VECTORS) {
    WH_UNROLL
    for (int i = 0; i < of.across * WH_Q8_VECTORS; i++) {
      const int v = i % WH_Q8_VECTORS;
      out[i] = acc[(r * of.across + i / WH_Q8_VECTORS) * of.vectors + (v < of.vectors ? v : 0)];
    }
  }
}

WH_INLINE void tiles_of(const wh_qtile *t, const shape of) {
  const int width = of.across * of.vectors;
  common s; /* its large members are written before they are read */
  s.t = t;
  s.plain = is_plain(t) && all_small(t);
  s.wide = widened(t);
  if (s.wide) widen_weights(t, s.wide, s.weights);
  for (int p = 0; p < t->panels; p++) q_start(t, p, s.start + p * WH_Q8_VECTORS);
  wh_qspots at = wh_qspots_of(t);
  do {
    cursor from;
    ptrdiff_t filled = 0;
    for (int p = 0; p < t->panels; p += of.across) {
      if (p == 0 || filled == CHUNK) {
        from = (cursor){t->segments, t->segment_count, 0, 0};
        filled = split_rows(&from, at.spot.x, of.rows, s.lines);
      }
      vi acc[WH_QSUMS * WH_Q8_VECTORS];
      WH_UNROLL
      for (int i = 0; i < of.rows * width; i++)
        acc[i] = s.start[(p + i % width / of.vectors) * WH_Q8_VECTORS + i % of.vectors];
      add_products(&s, of, &from, filled, at.spot.x, p, acc);
      if (s.plain)
        put_results(t, of, p, acc, at.spot.y + 16 * p);
      else
        keep_sums(&s, of, p, acc);
    }
    if (!s.plain) finish(t, &at.spot, (const int32_t *)s.out);
  } while (wh_qspots_next(t, &at));
}

/* rows by up to two panels, one after the other or both at once. */
#define TILE(rows, across)                                                          \
  static __attribute__((noinline)) void tile_##rows##x##across(const wh_qtile *t) { \
    tiles_of(t, (shape){rows, across, WH_Q8_VECTORS, split_##rows});                \
  }
#define HALF_TILE(rows)                                                       \
  static __attribute__((noinline)) void half_tile_##rows(const wh_qtile *t) { \
    tiles_of(t, (shape){rows, 1, WH_Q8_VECTORS / 2, split_##rows});           \
  }
