#include "../../Kernels/int8_recurrent/cells8.h"
#include "harness.h"

/* QLSTM and QGRU against the formulas of the arithmetic document, bit for bit. */

/* 2^15 tanh(v / 2^13), v any int16. */
static int32_t curve(int32_t v) {
  const int32_t a = v == -32768 ? 32767 : abs(v), d = a % 2048 * 16, k = a / 2048;
  const int32_t inner =
      wh_cell8_curve[1][k] + (int32_t)floor(d * wh_cell8_curve[2][k] / 32768.0 + 0.5);
  const int32_t y = wh_cell8_curve[0][k] + (int32_t)floor(d * inner / 32768.0 + 0.5);
  return v < 0 ? -y : y;
}

static int32_t fixed(float t) { return (int32_t)fmin(fmax(rint((double)t), -32768), 32767); }
static int32_t sigmoid(float t) { return (int32_t)floor(curve(fixed(t)) / 2.0) + 16384; }
static int32_t tangent(float t) { return curve((int32_t)fmin(fmax(2 * fixed(t), -32768), 32767)); }
static float state_of(float c) {
  if (c != c) return 0;
  c = c > 65536 ? 65536 : c < -65536 ? -65536 : c;
  return fabsf(c) < 0x1p-60f ? 0 : c;
}
static int quantized(float t, int zero) {
  return (int)fmin(fmax(rint((double)t) + zero, -128), 127);
}

static void theCurveIsATangent(void) {
  for (int v = -32768; v < 32768; v++) {
    const double e = fmin(fmax(32768 * tanh(v / 8192.0), -32767), 32767);
    EXPECT(fabs(curve(v) - e) < (abs(v) < 30720 ? 9 : 22), "curve(%d) = %d, not %g", v, curve(v),
           e);
    EXPECT(v == -32768 || curve(v) >= curve(v - 1) - 1, "curve falls at %d", v);
  }
}

enum { LONGEST = 140 };

typedef struct matrix {
  int columns, depth, zero;
  int8_t *w; /* [columns][depth] */
  float *scale;
} matrix;

static matrix random_matrix(int columns, int depth, int zero) {
  matrix m = {columns, depth, zero, malloc((size_t)(columns * depth)), malloc((size_t)columns * 4)};
  for (int i = 0; i < columns * depth; i++) m.w[i] = (int8_t)random_in(-127, 127);
  for (int i = 0; i < columns; i++)
    m.scale[i] = 4096 * random_real(0.5f, 2) / (4000.0f * sqrtf((float)depth));
  return m;
}

static void free_matrix(matrix *m) {
  free(m->w);
  free(m->scale);
}

static int stream_bytes(int columns, int depth) {
  return (columns + 15) / 16 * (WH_QCONV_HEAD + (depth + 3) / 4 * 64);
}

/* Columns first ... first + columns as a stream. */
static void pack(const matrix *m, int first, int columns, uint8_t *to) {
  const int panel = stream_bytes(1, m->depth);
  memset(to, 0, (size_t)stream_bytes(columns, m->depth));
  for (int n = 0; n < columns; n++) {
    uint8_t *at = to + n / 16 * panel;
    int32_t sum = 0;
    for (int k = 0; k < m->depth; k++) {
      const int8_t w = m->w[(first + n) * m->depth + k];
      sum += w;
      at[WH_QCONV_HEAD + k / 4 * 64 + n % 16 * 4 + k % 4] = (uint8_t)w;
    }
    const int32_t bias = -m->zero * sum;
    memcpy(at + n % 16 * 4, &bias, 4);
    memcpy(at + 64 + n % 16 * 4, &sum, 4);
    memcpy(at + 128 + n % 16 * 4, &m->scale[first + n], 4);
  }
}

static float product(const matrix *m, int column, const int8_t *q, const float *bias) {
  int32_t sum = 0;
  for (int k = 0; k < m->depth; k++) sum += m->w[column * m->depth + k] * (q[k] - m->zero);
  const float t = (float)sum * m->scale[column];
  return bias ? t + bias[column] : t;
}

typedef struct network {
  bool gru;
  wh_qrecurrent p;
  int gates;
  matrix w, r;
  float *bias, *bias_r; /* or null */
} network;

/* One step of one sequence: h and state in place. */
static void lstm_step(const network *t, const int8_t *x, int8_t *h, float *state) {
  const int n = t->p.hidden;
  float gate[4 * LONGEST];
  for (int c = 0; c < 4 * n; c++)
    gate[c] = product(&t->w, c, x, t->bias) + product(&t->r, c, h, t->bias_r);
  for (int u = 0; u < n; u++) {
    const int32_t i = sigmoid(gate[u]), o = sigmoid(gate[n + u]), f = sigmoid(gate[2 * n + u]);
    const int32_t g = tangent(gate[3 * n + u]);
    const float kept = (float)f / 32768 * state[u], fresh = (float)(i * g) / 1073741824;
    state[u] = state_of(kept + fresh);
    const float factor = t->p.h_factor / 1073741824;
    h[u] = (int8_t)quantized((float)(o * tangent(state[u] * 4096)) * factor, t->p.h_zero);
  }
}

static void gru_step(const network *t, const int8_t *x, int8_t *h, float *state) {
  const int n = t->p.hidden, zero = t->p.h_zero;
  float a[3 * LONGEST], b[3 * LONGEST];
  int8_t reset[LONGEST];
  for (int c = 0; c < 3 * n; c++) {
    a[c] = product(&t->w, c, x, t->bias);
    b[c] = product(&t->r, c, h, t->bias_r);
  }
  for (int u = 0; u < n; u++) {
    const int32_t r = sigmoid(a[n + u] + b[n + u]);
    reset[u] = (int8_t)quantized((float)(r * (h[u] - zero)) / 32768, zero);
    b[2 * n + u] *= (float)r / 32768;
  }
  for (int u = 0; u < n; u++) {
    if (!t->p.linear_before_reset) b[2 * n + u] = product(&t->r, 2 * n + u, reset, t->bias_r);
  }
  for (int u = 0; u < n; u++) {
    const int32_t z = sigmoid(a[u] + b[u]), g = tangent(a[2 * n + u] + b[2 * n + u]);
    const float kept = (float)z / 32768 * state[u], fresh = (float)((32768 - z) * g) / 1073741824;
    state[u] = state_of(kept + fresh);
    h[u] = (int8_t)quantized(state[u] * t->p.h_factor, zero);
  }
}

static float *random_bias(int count) {
  float *bias = malloc((size_t)count * 4);
  random_floats(bias, count, -8000, 8000);
  return random_below(3) ? bias : (free(bias), NULL);
}

static float random_state(void) {
  static const float some[] = {0, -0.0f, NAN, INFINITY, -INFINITY, 1e-40f, -1e-30f, 70000, 3e38f};
  return random_below(8) ? random_real(-2, 2) : some[random_below(9)];
}

static network random_network(bool gru) {
  network t = {.gru = gru, .gates = gru ? 3 : 4};
  const float scale = random_below(2) ? 0x1p-7f : random_real(0.004f, 0.02f);
  t.p = (wh_qrecurrent){.steps = random_in(0, 19),
                        .batch = random_in(1, 3),
                        .input = random_in(1, random_below(3) ? 40 : LONGEST),
                        .hidden = random_in(1, random_below(3) ? 40 : LONGEST),
                        .reverse = random_below(2),
                        .linear_before_reset = random_below(2),
                        .h_zero = random_below(2) ? 0 : random_in(-128, 127),
                        .h_scale = scale,
                        .h_factor = 1 / scale};
  t.p.x_batch = t.p.input + random_below(3);
  t.p.x_step = t.p.x_batch * t.p.batch;
  t.p.y_batch = t.p.hidden + random_below(3);
  t.p.y_step = t.p.y_batch * t.p.batch;
  t.p.y_offset = random_below(3);
  t.p.h_offset = random_below(3);
  t.p.h_batch = t.p.hidden + random_below(2);
  t.w = random_matrix(t.gates * t.p.hidden, t.p.input, random_in(-128, 127));
  t.r = random_matrix(t.gates * t.p.hidden, t.p.hidden, t.p.h_zero);
  t.bias = random_bias(t.gates * t.p.hidden);
  t.bias_r = random_bias(t.gates * t.p.hidden);
  return t;
}

static void give_floats(test_case *c, const float *values, int count) {
  if (!values) {
    absent_input(c);
    return;
  }
  memcpy(input(c, WH_FLOAT32, count), values, (size_t)count * 4);
}

static void recur(bool gru, uint32_t cpu) {
  network t = random_network(gru);
  const wh_qrecurrent *p = &t.p;
  const int n = p->hidden, columns = t.gates * n, flip = cpu & WH_CPU_UNSIGNED ? 0x80 : 0;
  const bool split = gru && !p->linear_before_reset, has_h = random_below(2),
             has_c = random_below(2);
  const int x_size = (p->steps ? p->steps - 1 : 0) * (int)p->x_step + p->batch * (int)p->x_batch;
  const int y_size = (int)p->y_offset + p->steps * (int)p->y_step;
  const int h_size = (int)p->h_offset + p->batch * (int)p->h_batch;
  int8_t *xs = malloc((size_t)x_size), *hs = malloc((size_t)(p->batch * n));
  float *states = malloc((size_t)(p->batch * n) * 4);
  test_case c;
  begin(&c, p);
  uint8_t *x = input(&c, WH_Q8, x_size);
  for (int i = 0; i < x_size; i++) {
    xs[i] = (int8_t)random_bits();
    x[i] = (uint8_t)(xs[i] ^ flip);
  }
  pack(&t.w, 0, columns, input(&c, WH_INT8, stream_bytes(columns, p->input)));
  if (split) {
    const int first = stream_bytes(2 * n, n);
    uint8_t *stream = input(&c, WH_INT8, first + stream_bytes(n, n));
    pack(&t.r, 0, 2 * n, stream);
    pack(&t.r, 2 * n, n, stream + first);
  } else {
    pack(&t.r, 0, columns, input(&c, WH_INT8, stream_bytes(columns, n)));
  }
  give_floats(&c, t.bias, columns);
  give_floats(&c, t.bias_r, columns);
  float *h0 = has_h ? input(&c, WH_FLOAT32, p->batch * n) : (absent_input(&c), NULL);
  float *c0 = has_c && !gru ? input(&c, WH_FLOAT32, p->batch * n) : (absent_input(&c), NULL);
  for (int i = 0; i < p->batch * n; i++) {
    const float h = h0 ? (h0[i] = random_state()) : 0, kept = c0 ? (c0[i] = random_state()) : 0;
    hs[i] = (int8_t)quantized(state_of(h) * p->h_factor, p->h_zero);
    states[i] = state_of(gru ? h : kept);
  }
  const bool has_y = random_below(5) != 0;
  const uint8_t *y = has_y ? output(&c, WH_Q8, y_size) : (absent_output(&c), NULL);
  const float *y_h = output(&c, WH_FLOAT32, h_size),
              *y_c = gru ? NULL : output(&c, WH_FLOAT32, h_size);
  scratch(&c, 4 * ((p->steps < 8 ? p->steps + 1 : 9) * p->batch * columns + 64) +
                  6 * p->batch * ((n + 31) / 32 * 32) + 64);
  EXPECT(run(&c, gru ? 39 : 38, cpu) == 0, "status");
  for (int b = 0; b < p->batch; b++) {
    int8_t *h = hs + b * n;
    float *state = states + b * n;
    for (int step = 0; step < p->steps; step++) {
      const int time = p->reverse ? p->steps - 1 - step : step;
      const int8_t *from = xs + time * p->x_step + b * p->x_batch;
      gru ? gru_step(&t, from, h, state) : lstm_step(&t, from, h, state);
      for (int u = 0; u < n && y; u++) {
        const int v = (int8_t)(y[p->y_offset + time * p->y_step + b * p->y_batch + u] ^ flip);
        EXPECT(v == h[u], "%s cpu %x step %d unit %d of %d: %d, not %d", gru ? "GRU" : "LSTM", cpu,
               step, u, n, v, h[u]);
      }
    }
    for (int u = 0; u < n; u++) {
      const int at = (int)(p->h_offset + b * p->h_batch) + u;
      const float e = gru ? state[u] : (float)(h[u] - p->h_zero) * p->h_scale;
      EXPECT(y_h[at] == e, "final h %g, not %g", (double)y_h[at], (double)e);
      if (y_c) EXPECT(y_c[at] == state[u], "c %g, not %g", (double)y_c[at], (double)state[u]);
    }
  }
  end(&c);
  free_matrix(&t.w);
  free_matrix(&t.r);
  free(t.bias);
  free(t.bias_r);
  free(xs);
  free(hs);
  free(states);
}

static void longShortTermMemories(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 60; round++) recur(false, masks[round % cpus]);
}

static void gatedRecurrentUnits(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < 80; round++) recur(true, masks[round % cpus]);
}

const test int8_recurrent_tests[] = {{"theCurveIsATangent", theCurveIsATangent},
                                     {"longShortTermMemories", longShortTermMemories},
                                     {"gatedRecurrentUnits", gatedRecurrentUnits},
                                     {NULL, NULL}};
