/* weights8.h in the vectors of vector.h; a variant's file includes this inside its target. */
#define WH_VECTORS (16 / WH_LANES)

typedef struct columns {
  vf v[WH_VECTORS];
} columns;

/* 16 weights. */
WH_INLINE columns weights_of(const int8_t *p) {
  columns c;
#if defined(__x86_64__) && WH_LANES == 16
  c.v[0] = (vf)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
#elif defined(__x86_64__) && WH_LANES == 8
  WH_UNROLL
  for (int v = 0; v < 2; v++)
    c.v[v] =
        (vf)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8 * v))));
#elif defined(__ARM_NEON)
  const int8x16_t b = vld1q_s8(p);
  const int16x8_t s = vmovl_s8(vget_low_s8(b)), t = vmovl_s8(vget_high_s8(b));
  c.v[0] = (vf)vcvtq_f32_s32(vmovl_s16(vget_low_s16(s)));
  c.v[1] = (vf)vcvtq_f32_s32(vmovl_s16(vget_high_s16(s)));
  c.v[2] = (vf)vcvtq_f32_s32(vmovl_s16(vget_low_s16(t)));
  c.v[3] = (vf)vcvtq_f32_s32(vmovl_s16(vget_high_s16(t)));
#else
  typedef int8_t narrow __attribute__((vector_size(WH_LANES), aligned(1), may_alias));
  WH_UNROLL
  for (int v = 0; v < WH_VECTORS; v++)
    c.v[v] = __builtin_convertvector(*(const narrow *)(p + v * WH_LANES), vf);
#endif
  return c;
}

WH_INLINE void add(columns *sum, float x, const columns *c) {
  const vf all = v_all(x);
  WH_UNROLL
  for (int v = 0; v < WH_VECTORS; v++) sum->v[v] = v_fma(all, c->v[v], sum->v[v]);
}

/* x86's vector variants have registers for several rows and finish in vectors; the others are
 * small. */
#if defined(__x86_64__) && WH_LANES > 4
#define FINISH finish

/* wh_weights8_finish, in vectors. */
static __attribute__((noinline)) void finish(const wh_matmul_weights8 *p, const uint8_t *panel,
                                             const float *bias, int64_t n, const float *sums,
                                             int64_t rows, float *y) {
  float held[2][16] = {{0}};
  const bool part = n + 16 > p->n;
  const size_t left = part ? (size_t)(p->n - n) * sizeof *y : 0;
  const float *add = held[0];
  if (bias && part)
    memcpy(held[0], bias + n, left);
  else if (bias)
    add = bias + n;
  y += n;
  for (int64_t r = 0; r < rows; r++, sums += 16, y += p->n) {
    float *to = part ? held[1] : y;
    for (int v = 0; v < 16; v += WH_LANES) {
      const vf total = v_load(sums + v) * v_load((const float *)panel + v) + v_load(add + v);
      v_store(to + v, v_at_most(v_all(p->high), v_at_least(v_all(p->low), total)));
    }
    if (part) memcpy(y, held[1], left);
  }
}
#else
#define FINISH wh_weights8_finish
#endif

/* Several k at once where registers allow, so that the sums do not wait for each other. */
WH_INLINE void one_row(const wh_matmul_weights8 *p, const float *x, const uint8_t *stream,
                       const float *bias, float *y) {
  enum { STEPS = WH_VECTORS > 2 ? 1 : 4 };
  const int64_t count = p->k;
  for (int64_t n = 0; n < p->n; n += 16) {
    const uint8_t *panel = stream;
    stream += WH_WEIGHTS8_HEAD;
    columns sum[STEPS] = {0};
    int64_t k = 0;
    for (; k + STEPS <= count; k += STEPS, stream += 16 * STEPS) {
      WH_UNROLL
      for (int i = 0; i < STEPS; i++) {
        const columns c = weights_of((const int8_t *)stream + 16 * i);
        add(&sum[i], x[k + i], &c);
      }
    }
    for (; STEPS > 1 && k < count; k++, stream += 16) {
      const columns c = weights_of((const int8_t *)stream);
      add(&sum[0], x[k], &c);
    }
    WH_UNROLL
    for (int i = 1; i < STEPS; i++) {
      WH_UNROLL
      for (int v = 0; v < WH_VECTORS; v++) sum[0].v[v] += sum[i].v[v];
    }
    float total[16];
    WH_UNROLL
    for (int v = 0; v < WH_VECTORS; v++) v_store(total + v * WH_LANES, sum[0].v[v]);
    FINISH(p, panel, bias, n, total, 1, y);
  }
}

#if WH_LANES == 4

WH_INLINE void rows_of(const wh_matmul_weights8 *p, const float *x, const uint8_t *stream,
                       const float *bias, float *y) {
  for (int64_t i = 0; i < p->m; i++) one_row(p, x + i * p->k, stream, bias, y + i * p->n);
}

#else

#if WH_LANES == 16
enum { FEW = 4, MANY = 8 };
#else
enum { FEW = 3, MANY = 6 };
#endif

/* rows of at most most: those missing repeat the last one. The sums stay in registers: callers pass
 * a constant. */
WH_INLINE void few_rows(const wh_matmul_weights8 *p, const float *x, int64_t rows, const int most,
                        const uint8_t *stream, const float *bias, float *y) {
  const int64_t count = p->k;
  const float *row[MANY];
  WH_UNROLL
  for (int r = 0; r < most; r++) row[r] = x + (r < rows ? r : rows - 1) * count;
  for (int64_t n = 0; n < p->n; n += 16) {
    const uint8_t *panel = stream;
    stream += WH_WEIGHTS8_HEAD;
    columns sum[MANY];
    WH_UNROLL
    for (int r = 0; r < most; r++) sum[r] = (columns){0};
    for (int64_t k = 0; k < count; k++, stream += 16) {
      const columns c = weights_of((const int8_t *)stream);
      WH_UNROLL
      for (int r = 0; r < most; r++) add(&sum[r], row[r][k], &c);
    }
    float sums[MANY * 16];
    WH_UNROLL
    for (int r = 0; r < most; r++) {
      WH_UNROLL
      for (int v = 0; v < WH_VECTORS; v++) v_store(sums + r * 16 + v * WH_LANES, sum[r].v[v]);
    }
    FINISH(p, panel, bias, n, sums, rows, y);
  }
}

WH_INLINE void rows_of(const wh_matmul_weights8 *p, const float *x, const uint8_t *stream,
                       const float *bias, float *y) {
  for (int64_t i = 0, done; i < p->m; i += done, x += done * p->k, y += done * p->n) {
    const int64_t left = p->m - i;
    if (left <= 2) {
      one_row(p, x, stream, bias, y);
      done = 1;
    } else if (left <= FEW) {
      few_rows(p, x, left < FEW ? left : FEW, FEW, stream, bias, y);
      done = FEW;
    } else {
      few_rows(p, x, left < MANY ? left : MANY, MANY, stream, bias, y);
      done = MANY;
    }
  }
}

#endif

#define VARIANT(isa)                                                                              \
  void wh_weights8_rows_##isa(const wh_matmul_weights8 *p, const float *x, const uint8_t *stream, \
                              const float *bias, float *y) {                                      \
    rows_of(p, x, stream, bias, y);                                                               \
  }
