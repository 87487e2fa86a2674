/* Tiles without dot products of bytes, in the vectors of vector.h: products of 16-bit numbers, two
 * of which add up exactly. A vector of the stream holds 4 bytes of k for each of WH_LANES columns;
 * taken apart into its even and its odd bytes it is two of 16-bit numbers. Rows of x are taken
 * apart the same way, a chunk of k at a time, into two lines each that the products read four bytes
 * of. A variant's file includes this inside its target, defines PAIRS(a, b) and makes its tiles. */
#include "qfinish_body.h"

/* Bytes of k of a chunk; of a line, whose last vector may hold what comes after. */
enum { CHUNK = 512, LINE = CHUNK + 64 };

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

/* Takes the next chunk of rows apart. Returns its bytes; 0 behind the last. */
WH_INLINE ptrdiff_t split_rows(cursor *c, ptrdiff_t offset, const int rows, uint8_t *lines) {
  ptrdiff_t filled = 0;
  while (filled < CHUNK && c->segments) {
    const wh_qsegment *s = c->segment;
    const ptrdiff_t count = wh_min64(s->count - c->at, CHUNK - filled);
    const uint8_t *row[WH_QROWS];
    WH_UNROLL
    for (int r = 0; r < rows; r++) row[r] = s->rows[r] + c->run * s->steps[r] + (offset + c->at);
    uint8_t *to = lines + filled;
    for (ptrdiff_t i = 0; i < count; i += (ptrdiff_t)sizeof(vp)) {
      WH_UNROLL
      for (int r = 0; r < rows; r++) {
        const vp x = *(const vp_unaligned *)(const void *)(row[r] + i);
        *(vp_unaligned *)(void *)(to + 2 * r * LINE + i) = x & 255;
        *(vp_unaligned *)(void *)(to + (2 * r + 1) * LINE + i) = x >> 8;
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

/* Two 16-bit numbers of a line for every column. */
WH_INLINE vs two(const uint8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return (vs)(value - (vi){0});
}

/* A vector of the stream, taken apart. */
typedef struct columns {
  vs even, odd;
} columns;

WH_INLINE columns columns_of(const uint8_t *w) {
  const vs both = *(const vs_stream *)(const void *)w;
  return (columns){(vs)((vu)both << 8) >> 8, both >> 8};
}

WH_INLINE vi sum_of(vi sums, const columns *w, const uint8_t *line) {
  sums += PAIRS(w->even, two(line));
  return sums + PAIRS(w->odd, two(line + LINE));
}

/* What is before is loaded before: registers have no room for more. */
#define IN_ORDER(x) __asm__ volatile("" ::"r"(x) : "memory")

/* One step of k. */
WH_INLINE void multiply(const int rows, const int panels, const uint8_t *lines, const uint8_t *w,
                        ptrdiff_t panel, vi acc[]) {
#if WH_LANES == 16
  columns column[2];
  WH_UNROLL
  for (int p = 0; p < panels; p++) column[p] = columns_of(w + p * panel);
  WH_UNROLL
  for (int r = 0; r < rows; r++, lines += 2 * LINE) {
    WH_UNROLL
    for (int p = 0; p < panels; p++)
      acc[r * panels + p] = sum_of(acc[r * panels + p], &column[p], lines);
    IN_ORDER(lines);
  }
#else
  (void)panel;
  WH_UNROLL
  for (int v = 0; v < WH_Q8_VECTORS; v++) {
    const columns column = columns_of(w + v * 4 * WH_LANES);
    WH_UNROLL
    for (int r = 0; r < rows; r++) {
      vi *sums = acc + (r * panels * WH_Q8_VECTORS + v);
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

/* rows x panels x WH_Q8_VECTORS accumulators stay in registers: callers pass constants. */
WH_INLINE void tiles_of(const wh_qtile *t, const int rows, const int panels) {
  enum { MOST = WH_QSUMS * WH_Q8_VECTORS };
  const ptrdiff_t panel = t->panel;
  const bool plain = is_plain(t);
  const int count = rows * panels * WH_Q8_VECTORS, across = panels * WH_Q8_VECTORS;
  vi start[2 * WH_Q8_VECTORS];
  _Alignas(64) uint8_t lines[2 * WH_QROWS * LINE];
  WH_UNROLL
  for (int p = 0; p < panels; p++) q_start(t, p, start + p * WH_Q8_VECTORS);
  wh_qspots at = wh_qspots_of(t);
  do {
    cursor from = {t->segments, t->segment_count, 0, 0};
    const uint8_t *w = t->w;
    vi acc[MOST];
    WH_UNROLL
    for (int i = 0; i < count; i++) acc[i] = start[i % across];
    for (ptrdiff_t left; (left = split_rows(&from, at.spot.x, rows, lines));) {
      const uint8_t *x = lines;
      do {
        multiply(rows, panels, x, w, panel, acc);
        x += 4;
        w += 64;
      } while (left -= 4);
    }
    if (plain) {
      uint8_t *y = at.spot.y;
      const wh_q8_range range = t->result->range;
      WH_UNROLL
      for (int r = 0; r < rows; r++, y += t->y_row) {
        WH_UNROLL
        for (int p = 0; p < panels; p++) {
          vf factor[WH_Q8_VECTORS];
          q_load_factors(t, p, factor);
          if (r < t->rows)
            q_store(y + 16 * p,
                    q8_requantize(acc + (r * panels + p) * WH_Q8_VECTORS, factor, &range),
                    t->columns - 16 * p);
        }
      }
      continue;
    }
    _Alignas(64) vi out[MOST];
    WH_UNROLL
    for (int i = 0; i < count; i++) out[i] = acc[i];
    finish(t, &at.spot, (const int32_t *)out);
  } while (wh_qspots_next(t, &at));
}

#define TILE(rows, panels)                                                          \
  static __attribute__((noinline)) void tile_##rows##x##panels(const wh_qtile *t) { \
    tiles_of(t, rows, panels);                                                      \
  }
