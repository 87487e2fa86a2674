#include "recurrent.h"
/**/
#include "../common/compact.h"

const char *wh_lstm_check(const wh_call *call) { return wh_recurrent_check(call, 4, 0, 4, 3); }

static void add_product(float *to, const float *a, const float *b, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] += a[i] * b[i];
}

int32_t wh_lstm_run(const wh_call *call) {
  wh_recurrence s;
  const int32_t status = wh_recurrence_begin(&s, call, 4);
  if (status != WHERRY_OK) return status;
  const wh_recurrent *p = s.p;
  const wh_tensor *peephole = wh_input(call, WH_PEEPHOLES);
  const float *w = (const float *)wh_input(call, WH_W)->data;
  const float *r = (const float *)wh_input(call, WH_R)->data;
  const int64_t n = s.hidden;
  if (!n || !p->batch) return WHERRY_OK;
  for (int64_t step = 0; step < p->steps; step++) {
    wh_multiply_x(&s, step, w, s.gates, s.bias, 0, s.x_gates);
    wh_multiply_h(&s, s.h, r, s.gates, s.x_gates, s.gates, s.h_gates, s.gates);
    float *next = s.x_gates; /* h, then c, of every row: its gates are used up */
    for (int64_t b = 0; b < p->batch; b++) {
      float *i = s.h_gates + b * s.gates, *o = i + n, *f = o + n, *g = f + n;
      float *c = s.c + b * n, *h = next + b * n, *c_next = next + (p->batch + b) * n;
      const float *pi = peephole ? (const float *)peephole->data : NULL;
      if (pi) {
        add_product(i, pi, c, n);
        add_product(f, pi + 2 * n, c, n);
      }
      wh_activate(&s, 0, i, n);
      wh_activate(&s, 0, f, n);
      wh_activate(&s, 1, g, n);
      if (p->input_forget) {
        for (int64_t u = 0; u < n; u++) f[u] = 1 - i[u];
      }
      for (int64_t u = 0; u < n; u++) c_next[u] = f[u] * c[u] + i[u] * g[u];
      if (pi) add_product(o, pi + n, c_next, n);
      wh_activate(&s, 0, o, n);
      float *cell = s.spare + b * n;
      memcpy(cell, c_next, (size_t)n * sizeof *cell);
      wh_activate(&s, 2, cell, n);
      for (int64_t u = 0; u < n; u++) h[u] = o[u] * cell[u];
    }
    wh_recurrence_step(&s, step, next, next + p->batch * n);
  }
  wh_recurrence_end(&s);
  return WHERRY_OK;
}

#include "../common/region_end.h"
