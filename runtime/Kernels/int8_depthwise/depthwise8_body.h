/* Strips in the vectors of a variant, which defines
 *   vec      a vector of bytes            PARTS   vectors of an entry
 *   acc      sums of a quarter of them
 *   load, store, load_lanes, interleave, start, dot, pack, weights_of
 * and includes this. */

static inline __attribute__((always_inline)) void fill_of(const wh_fill8 *f, const bool gather) {
  const uint8_t *rows[4] = {f->rows[0], f->rows[1], f->rows[2], f->rows[3]};
  uint8_t *to = f->to;
  for (int32_t i = 0; i < f->count; i++, to += f->to_step) {
    vec v[4], entry[PARTS];
    WH_UNROLL
    for (int j = 0; j < 4; j++) {
      v[j] = gather && f->steps[j] ? load_lanes(rows[j], f->lanes) : load(rows[j]);
      rows[j] += f->steps[j];
    }
    interleave(v, entry);
    WH_UNROLL
    for (int j = 0; j < PARTS; j++) store(to + j * sizeof(vec), entry[j]);
  }
}

static void fill(const wh_fill8 *f) { f->gather ? fill_of(f, true) : fill_of(f, false); }

/* One output after the other; known weights stay in registers. */
static inline __attribute__((always_inline)) void run_of(const wh_run8 *r, const int known) {
  const uint8_t *strip = r->strip;
  uint8_t *y = r->y;
  vec weights[known ? known * PARTS : 1];
  WH_UNROLL
  for (int i = 0; i < known * PARTS; i++) weights[i] = load(r->weights + i * sizeof(vec));
  const bounds limits = bounds_of(r->zero, r->low, r->high);
  const heads heads = heads_of(r->heads);
  for (int32_t i = 0; i < r->count; i++, strip += r->out_step, y += r->y_step) {
    acc sums[4];
    WH_UNROLL
    for (int q = 0; q < 4; q++) sums[q] = start(&heads, q);
    if (known) {
      WH_UNROLL
      for (int t = 0; t < known; t++) {
        WH_UNROLL
        for (int q = 0; q < 4; q++)
          sums[q] = dot(sums[q], strip + t * r->tap_step, q, &weights[t * PARTS]);
      }
    } else {
      const uint8_t *w = r->weights, *group = strip;
      for (int32_t g = 0; g < r->groups; g++, group += r->group_step) {
        const uint8_t *entry = group;
        for (int32_t t = 0; t < r->taps; t++, entry += r->tap_step, w += PARTS * sizeof(vec)) {
          vec weight[PARTS];
          WH_UNROLL
          for (int j = 0; j < PARTS; j++) weight[j] = load(w + j * sizeof(vec));
          WH_UNROLL
          for (int q = 0; q < 4; q++) sums[q] = dot(sums[q], entry, q, weight);
        }
      }
    }
    const vec bytes = pack(sums, &heads, &limits);
    if (i + 1 < r->count || r->tail == (int32_t)sizeof(vec))
      store(y, bytes);
    else
      store_part(y, bytes, r->tail);
  }
}
