#include "harness.h"

enum { STEPS = 5, BATCH = 5 };

static void pack(const float *b, int k, int n, float *to) { /* b: [n][k] as in ONNX */
  for (int i = 0; i < k; i++) {
    for (int j = 0; j < (n + 15) / 16 * 16; j++)
      to[(j / 16 * k + i) * 16 + j % 16] = j < n ? b[j * k + i] : 0;
  }
}

static double activation(int kind, double x, double alpha, double beta) {
  switch (kind) {
    case WH_ACT_SIGMOID:
      return 1 / (1 + exp(-x));
    case WH_ACT_TANH:
      return tanh(x);
    case WH_ACT_RELU:
      return fmax(x, 0);
    case WH_ACT_AFFINE:
      return alpha * x + beta;
    case WH_ACT_LEAKY_RELU:
      return x < 0 ? alpha * x : x;
    case WH_ACT_THRESHOLDED_RELU:
      return x > alpha ? x : 0;
    case WH_ACT_SCALED_TANH:
      return alpha * tanh(beta * x);
    case WH_ACT_HARD_SIGMOID:
      return fmin(fmax(alpha * x + beta, 0), 1);
    case WH_ACT_ELU:
      return x < 0 ? alpha * expm1(x) : x;
    case WH_ACT_SOFTSIGN:
      return x / (1 + fabs(x));
    default:
      return log1p(exp(x));
  }
}

static double dot(const float *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)a[i] * b[i];
  return sum;
}

/* The ONNX equations for one sequence; gates in ONNX order, w [gates * n][input], r [gates * n][n].
 */
static void sequence(int code, const wh_recurrent *p, const float *x, const float *w,
                     const float *r, const float *bias, const float *peephole, int length,
                     double *h, double *c, double *y) {
  const int n = p->hidden, gates = code == 16 ? 4 : code == 17 ? 3 : 1;
  for (int step = 0; step < length; step++) {
    const int time = p->reverse ? length - 1 - step : step;
    double in[64], gx[256], gh[256], next[64];
    for (int i = 0; i < p->input; i++) in[i] = (double)x[time * p->x_step + i];
    for (int g = 0; g < gates * n; g++) {
      gx[g] = dot(w + g * p->input, in, p->input) + (bias ? (double)bias[g] : 0);
      gh[g] = dot(r + g * n, h, n);
    }
#define ACT(i, v) activation(p->activation[i], clip(v), (double)p->alpha[i], (double)p->beta[i])
#define clip(v) (p->clip_set ? fmin(fmax(v, -(double)p->clip), (double)p->clip) : (v))
    double reset[64];
    for (int u = 0; u < n && code == 17; u++) reset[u] = ACT(0, gx[n + u] + gh[n + u]) * h[u];
    for (int u = 0; u < n; u++) {
      if (code == 18) {
        next[u] = ACT(0, gx[u] + gh[u]);
      } else if (code == 17) {
        const double z = ACT(0, gx[u] + gh[u]), before = ACT(0, gx[n + u] + gh[n + u]);
        const double rb = bias ? (double)bias[3 * n + u] : 0;
        const double candidate =
            p->linear_before_reset
                ? ACT(1, gx[2 * n + u] + before * (gh[2 * n + u] + rb))
                : ACT(1, gx[2 * n + u] + dot(r + (2 * n + u) * n, reset, n) + rb);
        next[u] = (1 - z) * candidate + z * h[u];
      } else {
        const double pi = peephole ? (double)peephole[u] : 0,
                     po = peephole ? (double)peephole[n + u] : 0;
        const double pf = peephole ? (double)peephole[2 * n + u] : 0;
        const double i = ACT(0, gx[u] + gh[u] + pi * c[u]);
        const double f =
            p->input_forget ? 1 - i : ACT(0, gx[2 * n + u] + gh[2 * n + u] + pf * c[u]);
        c[u] = f * c[u] + i * ACT(1, gx[3 * n + u] + gh[3 * n + u]);
        const double o = ACT(0, gx[n + u] + gh[n + u] + po * c[u]);
        next[u] =
            o * activation(p->activation[2], clip(c[u]), (double)p->alpha[2], (double)p->beta[2]);
      }
    }
    for (int u = 0; u < n; u++) y[time * n + u] = h[u] = next[u];
  }
}

static void recur(int code, uint32_t cpu) {
  const int gates = code == 16 ? 4 : code == 17 ? 3 : 1;
  const int n = random_in(1, 20), width = random_in(1, 20), batch = random_in(1, BATCH);
  const bool reset = random_below(2);
  wh_recurrent p = {.steps = random_in(1, STEPS),
                    .batch = batch,
                    .input = width,
                    .hidden = n,
                    .reverse = random_below(2),
                    .input_forget = random_below(4) == 0,
                    .linear_before_reset = reset,
                    .clip_set = random_below(4) == 0,
                    .clip = 0.8f};
  for (int i = 0; i < 3; i++) {
    p.activation[i] = random_below(2) ? random_in(WH_ACT_SIGMOID, WH_ACT_SOFTPLUS)
                                      : (i ? WH_ACT_TANH : WH_ACT_SIGMOID);
    p.alpha[i] = 0.3f;
    p.beta[i] = 0.4f;
  }
  p.x_batch = width;
  p.x_step = batch * width;
  p.y_offset = 3;
  p.y_batch = n + 1;
  p.y_step = batch * p.y_batch;
  p.h_offset = 1;
  p.h_batch = n + 2;
  float *w = malloc((size_t)(gates * n * width) * 4), *r = malloc((size_t)(gates * n * n) * 4);
  random_floats(w, gates * n * width, -0.5f, 0.5f);
  random_floats(r, gates * n * n, -0.5f, 0.5f);
  test_case c;
  begin(&c, &p);
  float *x = input(&c, WH_FLOAT32, p.steps * p.x_step), *bias = NULL, *h0 = NULL, *c0 = NULL;
  float *peephole = NULL;
  int32_t *lengths = NULL;
  random_floats(x, p.steps * p.x_step, -1, 1);
#define PANELS(columns) (((columns) + 15) / 16 * 16)
  pack(w, width, gates * n, input(&c, WH_FLOAT32, PANELS(gates * n) * width));
  const bool split = code == 17 && !reset;
  float *r_packed =
      input(&c, WH_FLOAT32, (split ? PANELS(2 * n) + PANELS(n) : PANELS(gates * n)) * n);
  pack(r, n, split ? 2 * n : gates * n, r_packed);
  if (split) pack(r + 2 * n * n, n, n, r_packed + PANELS(2 * n) * n);
  const int biases = (code == 17 ? 4 : gates) * n;
#define MAYBE(name, count)                                                  \
  if (random_below(2))                                                      \
    random_floats(name = input(&c, WH_FLOAT32, count), count, -0.5f, 0.5f); \
  else                                                                      \
    absent_input(&c);
  MAYBE(bias, biases)
  MAYBE(h0, batch * n)
  if (code == 16) {
    MAYBE(c0, batch * n)
    MAYBE(peephole, 3 * n)
  } else {
    absent_input(&c);
    absent_input(&c);
  }
  if (random_below(2)) {
    lengths = input(&c, WH_INT32, batch);
    for (int b = 0; b < batch; b++) lengths[b] = random_in(0, p.steps);
  } else {
    absent_input(&c);
  }
  const int64_t y_size = p.y_offset + p.steps * p.y_step, h_size = 1 + batch * p.h_batch;
  float *y = output(&c, WH_FLOAT32, y_size), *y_h = output(&c, WH_FLOAT32, h_size), *y_c = NULL;
  if (code == 16) y_c = output(&c, WH_FLOAT32, h_size);
  scratch(&c, (batch * gates * n * 2 + batch * n * 3) * 4);
  EXPECT(run(&c, (uint32_t)code, cpu) == 0, "status");
  for (int b = 0; b < batch; b++) {
    double h[64], cell[64], expected[STEPS * 64] = {0};
    for (int u = 0; u < n; u++) {
      h[u] = h0 ? (double)h0[b * n + u] : 0;
      cell[u] = c0 ? (double)c0[b * n + u] : 0;
    }
    sequence(code, &p, x + b * width, w, r, bias, peephole, lengths ? lengths[b] : p.steps, h, cell,
             expected);
    for (int i = 0; i < p.steps * n; i++) {
      const double v = (double)y[p.y_offset + i / n * p.y_step + b * p.y_batch + i % n];
      EXPECT(near(v, expected[i], 2e-5, 2e-6), "code %d cpu %x n %d reset %d: y %g, not %g", code,
             cpu, n, reset, v, expected[i]);
    }
    for (int u = 0; u < n; u++) {
      EXPECT(near((double)y_h[1 + b * p.h_batch + u], h[u], 2e-5, 2e-6), "code %d: h", code);
      if (y_c) EXPECT(near((double)y_c[1 + b * p.h_batch + u], cell[u], 2e-5, 2e-6), "c");
    }
  }
  free(w);
  free(r);
  end(&c);
}

static void recurrentLayersAreTheEquations(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  for (int round = 0; round < 240; round++) recur(16 + round % 3, masks[round / 3 % cpus]);
}

const test recurrent_tests[] = {{"recurrentLayersAreTheEquations", recurrentLayersAreTheEquations},
                                {NULL, NULL}};
