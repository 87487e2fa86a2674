/* The spans of bytes.h in the vectors of bytes_vector.h; a variant's file includes this inside its
 * target. WH_Q8 is here as the processor's own sessions store it, and on x86-64 bytes.c passes only
 * what keeps every rounded value below 2^31. */

WH_INLINE void put(uint8_t *y, bytes b, int64_t n) {
  if (n >= BLOCK)
    store_bytes(y, b);
  else
    store_some(y, b, n);
}

/* A span of step 0 is a block of its byte, read again and again. */
WH_INLINE const uint8_t *spread(const uint8_t *p, int step, uint8_t *held) {
  if (step) return p;
  store_bytes(held, ALL_BYTES(*p));
  return held;
}

/* a and b may be y: a block is read before it is written. */
WH_INLINE void binary(const wh_qbinary *p, const uint8_t *a, int a_step, const uint8_t *b,
                      int b_step, uint8_t *y, int64_t count) {
  uint8_t held[2 * BLOCK];
  const narrowing to = {p->y_zero, p->low, p->high};
  const origin oa = origin_of(0, p->a_zero), ob = origin_of(0, p->b_zero);
  const vf fa = v_all(p->a_factor), fb = v_all(p->kind == WH_SUB ? -p->b_factor : p->b_factor);
  const int multiply = p->kind == WH_MUL;
  a = spread(a, a_step, held);
  b = spread(b, b_step, held + BLOCK);
  for (int64_t i = 0; i < count; i += BLOCK, a += a_step * BLOCK, b += b_step * BLOCK) {
    const floats s = in_lanes(a, &oa), t = in_lanes(b, &ob);
    block r;
    if (multiply) {
      WH_UNROLL
      for (int j = 0; j < 4; j++) r.v[j] = v_round(s.v[j] * t.v[j] * fa);
    } else {
      WH_UNROLL
      for (int j = 0; j < 4; j++) r.v[j] = v_round(s.v[j] * fa + t.v[j] * fb);
    }
    put(y + i, narrow_lanes(&r, to), count - i);
  }
}

/* Multiplies by the reciprocal, which is off the quotient by less than 2^-14 where that matters,
 * below 257. A block with a value so close to a tie, beyond int32 or NaN is divided; so is all
 * where the reciprocal is not a sound number. */
WH_INLINE void quantize(const float *x, float scale, int32_t zero, uint8_t flip, uint8_t *y,
                        int64_t count) {
  const bool sound = scale >= 0x1p-100f && scale <= 0x1p100f;
  const vf by = v_all(scale), inverse = v_all(sound ? 1 / scale : __builtin_nanf(""));
  const vi near = (vi)v_all(0.5f - 0x1p-14f);
  const narrowing to = {zero, -128, 127};
  const bytes flips = ALL_BYTES(flip ^ STORED_FLIP);
  float held[BLOCK];
  for (int64_t i = 0; i < count; i += BLOCK) {
    const float *from = x + i;
    if (count - i < BLOCK) {
      memset(held, 0, sizeof held);
      from = memcpy(held, from, (size_t)(count - i) * sizeof *x);
    }
    block r;
    vf v[4];
    vi furthest = {0};
    WH_UNROLL
    for (int j = 0; j < 4; j++) {
      v[j] = v_load(from + j * WH_LANES);
      const vf t = v[j] * inverse;
      r.v[j] = v_round(t);
      furthest = v_upper(furthest, (vi)v_abs(t - v_float_of(r.v[j])));
    }
    if (v_reaches(furthest, near)) {
      WH_UNROLL
      for (int j = 0; j < 4; j++) {
        vf t = v[j] / by;
        t = (vf)((vi)t & (t == t));
        r.v[j] = v_round(v_at_most(v_all(512), v_at_least(v_all(-512), t)));
      }
    }
    put(y + i, flip_bytes(narrow(&r, to), flips), count - i);
  }
}

WH_INLINE void dequantize(const uint8_t *x, uint8_t flip, int32_t zero, float scale, float *y,
                          int64_t count) {
  const vf by = v_all(scale);
  const origin o = origin_of(flip ^ STORED_FLIP, zero);
  uint8_t held_x[BLOCK];
  float held_y[BLOCK];
  for (int64_t i = 0; i < count; i += BLOCK) {
    const bool part = count - i < BLOCK;
    if (part) memcpy(held_x, x + i, (size_t)(count - i));
    const floats d = in_order(part ? held_x : x + i, &o);
    float *to = part ? held_y : y + i;
    WH_UNROLL
    for (int j = 0; j < 4; j++) v_store(to + j * WH_LANES, d.v[j] * by);
    if (part) memcpy(y + i, held_y, (size_t)(count - i) * sizeof *y);
  }
}

/* Compares the bits: those of positive floats are ordered as int32, of negative ones in reverse. */
WH_INLINE wh_range range_of(const float *x, int64_t count) {
  vi most = {0}, least = {0};
  for (int64_t i = 0; i < count; i += WH_LANES) {
    const vf v = count - i < WH_LANES ? v_load_part(x + i, count - i) : v_load(x + i);
    const vi bits = (vi)v & (v == v);
    most = v_upper(most, bits);
    least = v_upper(least, bits ^ INT32_MIN);
  }
  float lanes[2][WH_LANES];
  v_store(lanes[0], (vf)most);
  v_store(lanes[1], (vf)least);
  wh_range r = {0, 0};
  WH_ROLLED for (int j = 0; j < WH_LANES; j++) {
    r.most = lanes[0][j] > r.most ? lanes[0][j] : r.most;
    r.least = -lanes[1][j] < r.least ? -lanes[1][j] : r.least;
  }
  return r;
}

/* Entry u in the order of the values is of reversed[u]. */
WH_INLINE void softmax_table(const float *reversed, float k, int32_t zero, uint8_t *table) {
  const narrowing to = {zero, -128, 127};
  for (int i = 0; i < 256; i += BLOCK) {
    block r;
    WH_UNROLL
    for (int j = 0; j < 4; j++)
      r.v[j] = v_round(v_at_most(v_all(0x1p20f), v_load(reversed + i + j * WH_LANES) * k));
    store_bytes(table + (i ^ STORED_FLIP ^ 0x80), narrow(&r, to));
  }
}

/* The taps of a pixel, and the sum of their weights. Sums wrap as the definition's do. */
typedef struct window {
  const uint8_t *x[WH_RESIZE_TAPS];
  uint32_t weights[WH_RESIZE_TAPS], sum;
  int count;
} window;

WH_INLINE void window_of(const wh_qresize *p, const wh_resize_taps *taps, const uint8_t *x,
                         window *w) {
  w->count = 0;
  w->sum = 0;
  for (int s = 0; s < p->taps[0]; s++) {
    const int64_t row = (int64_t)taps->indices[0][s] * p->in[1];
    for (int t = 0; t < p->taps[1]; t++, w->count++) {
      w->x[w->count] = x + (row + taps->indices[1][t]) * p->inner;
      w->weights[w->count] = (uint32_t)taps->weights[0][s] * (uint32_t)taps->weights[1][t];
      w->sum += w->weights[w->count];
    }
  }
}

/* sum w (x - zero) = sum w x - zero sum w. */
WH_INLINE void resize(const wh_qresize *p, const wh_resize_taps *row, const uint8_t *x,
                      uint8_t *y) {
  const narrowing to = {p->y_zero, -128, 127};
  const uint32_t zero = (uint32_t)(p->x_zero + STORED_FLIP);
  const vf factor = v_all(p->factor);
  const int64_t inner = p->inner;
  wh_resize_taps taps = *row;
  window w;
  for (int64_t o = 0; o < p->out[1]; o++) {
    window_of(p, &taps, x, &w);
    for (int64_t i = 0; i < inner; i += BLOCK) {
      block r;
      WH_ROLLED for (int j = 0; j < 4; j++) {
        vu sum = (vu){0} - w.sum * zero;
        const int64_t at = i + j * WH_LANES;
        if (at < inner) {
          for (int e = 0; e < w.count; e++) sum += (vu)integers(w.x[e] + at) * w.weights[e];
        }
        r.v[j] = v_round(v_float_of((vi)sum) * factor);
      }
      put(y + i, narrow(&r, to), inner - i);
    }
    y += inner;
    taps.indices[1] += p->taps[1];
    taps.weights[1] += p->taps[1];
  }
}

#define HOTTEST_VARIANTS(isa)                                                                 \
  void wh_bytes_binary_##isa(const wh_qbinary *p, uint8_t flip, const uint8_t *a, int a_step, \
                             const uint8_t *b, int b_step, uint8_t *y, int64_t count) {       \
    (void)flip;                                                                               \
    binary(p, a, a_step, b, b_step, y, count);                                                \
  }                                                                                           \
  void wh_bytes_quantize_##isa(const float *x, float scale, int32_t zero, uint8_t flip,       \
                               uint8_t *y, int64_t count) {                                   \
    quantize(x, scale, zero, flip, y, count);                                                 \
  }                                                                                           \
  void wh_bytes_dequantize_##isa(const uint8_t *x, uint8_t flip, int32_t zero, float scale,   \
                                 float *y, int64_t count) {                                   \
    dequantize(x, flip, zero, scale, y, count);                                               \
  }

#define OTHER_VARIANTS(isa)                                                               \
  wh_range wh_range_##isa(const float *x, int64_t count) { return range_of(x, count); }   \
  void wh_softmax_table_##isa(const float *reversed, float k, int32_t zero, uint8_t flip, \
                              uint8_t *table) {                                           \
    (void)flip;                                                                           \
    softmax_table(reversed, k, zero, table);                                              \
  }                                                                                       \
  void wh_resize_##isa(const wh_qresize *p, uint8_t flip, const wh_resize_taps *taps,     \
                       const uint8_t *x, uint8_t *y) {                                    \
    (void)flip;                                                                           \
    resize(p, taps, x, y);                                                                \
  }
