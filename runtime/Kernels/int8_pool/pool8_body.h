/* Windows in the vectors of a variant, which defines
 *   vec, load, store, store_part      vectors of bytes
 *   most                              the larger of each two
 *   halves, add                       sums of 16 bits, for at most 256 taps
 *   quarters, flush, finish           sums of 32 bits; the bytes they round to
 * and includes this. */

enum { VECTOR = sizeof(vec), WH_TAPS_OF_HALVES = 256 };

static inline __attribute__((always_inline)) vec maximum_of(const wh_pool8 *w, ptrdiff_t from) {
  vec most_yet = least();
  for (int32_t d = 0; d < w->taps[0]; d++) {
    for (int32_t h = 0; h < w->taps[1]; h++) {
      const uint8_t *x = w->x + d * w->tap[0] + h * w->tap[1] + from;
      for (int32_t k = 0; k < w->taps[2]; k++, x += w->tap[2]) most_yet = most(most_yet, load(x));
    }
  }
  return clamped(most_yet, w);
}

static inline __attribute__((always_inline)) vec average_of(const wh_pool8 *w, ptrdiff_t from) {
  halves sums = {0};
  quarters totals = {0};
  int32_t room = WH_TAPS_OF_HALVES;
  for (int32_t d = 0; d < w->taps[0]; d++) {
    for (int32_t h = 0; h < w->taps[1]; h++) {
      const uint8_t *x = w->x + d * w->tap[0] + h * w->tap[1] + from;
      int32_t left = w->taps[2];
      while (left > 0) {
        const int32_t count = left < room ? left : room;
        for (int32_t k = 0; k < count; k++, x += w->tap[2]) sums = add(sums, load(x));
        left -= count;
        room -= count;
        if (room) continue;
        totals = flush(totals, &sums);
        room = WH_TAPS_OF_HALVES;
      }
    }
  }
  return finish(flush(totals, &sums), w);
}

/* Whole vectors where y has room: what they write past a pixel is written again. */
static inline __attribute__((always_inline)) void window_of(const wh_pool8 *w, const bool average) {
  for (ptrdiff_t c = 0; c < w->channels; c += VECTOR) {
    const vec bytes = average ? average_of(w, c) : maximum_of(w, c);
    const ptrdiff_t room = w->y_end - (w->y + c);
    if (room >= VECTOR)
      store(w->y + c, bytes);
    else
      store_part(w->y + c, bytes, room);
  }
}
