/* Strips in the vectors of a variant, which defines
 *   vec      a vector of bytes            PARTS   vectors of an entry
 *   acc      sums of a quarter of them    OUTPUTS that share loaded weights
 *   load, store, store_part, interleave, bounds_of, heads_of, start, dot, pack
 * and includes this. FILLED_ELSEWHERE leaves out the first function. */

#if !defined(FILLED_ELSEWHERE)
static void fill(const wh_fill8 *f) {
  const uint8_t *rows[4] = {f->rows[0], f->rows[1], f->rows[2], f->rows[3]};
  uint8_t *to = f->to;
  for (int32_t i = 0; i < f->count; i++, to += f->to_step) {
    vec v[4], entry[PARTS];
    WH_UNROLL
    for (int j = 0; j < 4; j++) {
      v[j] = load(rows[j]);
      rows[j] += f->steps[j];
    }
    interleave(v, entry);
    WH_UNROLL
    for (int j = 0; j < PARTS; j++) store(to + j * sizeof(vec), entry[j]);
  }
}
#endif

static inline __attribute__((always_inline)) void run_of(const wh_run8 *r) {
  const uint8_t *strip = r->strip;
  uint8_t *y = r->y;
  const bounds limits = bounds_of(r->zero, r->low, r->high);
  const heads heads = heads_of(r->heads);
  for (int32_t left = r->count; left > 0; left -= OUTPUTS) {
    /* Where fewer are left, the last one several times. */
    const ptrdiff_t steps = left < OUTPUTS ? left - 1 : OUTPUTS - 1;
    const uint8_t *w = r->weights, *group = strip;
    acc sums[OUTPUTS][4];
    WH_UNROLL
    for (int q = 0; q < 4 * OUTPUTS; q++) sums[q / 4][q % 4] = start(&heads, q % 4);
    for (int32_t g = 0; g < r->groups; g++, group += r->group_step) {
      const uint8_t *entry = group;
      for (int32_t t = 0; t < r->taps; t++, entry += r->tap_step, w += PARTS * sizeof(vec)) {
        vec weight[PARTS];
        WH_UNROLL
        for (int j = 0; j < PARTS; j++) weight[j] = load(w + j * sizeof(vec));
        WH_UNROLL
        for (int i = 0; i < OUTPUTS; i++) {
          const uint8_t *of = entry + (i < steps ? i : steps) * r->out_step;
          WH_UNROLL
          for (int q = 0; q < 4; q++) sums[i][q] = dot(sums[i][q], of, q, weight);
        }
      }
    }
    WH_UNROLL
    for (int i = 0; i < OUTPUTS; i++) {
      if (i > steps) continue;
      const vec bytes = pack(sums[i], &heads, &limits);
      if (left - i > 1 || r->tail == (int32_t)sizeof(vec))
        store(y, bytes);
      else
        store_part(y, bytes, r->tail);
      y += r->y_step;
    }
    strip += OUTPUTS * r->out_step;
  }
}
