#include "recurrent.h"
/**/
#include "../common/compact.h"

const char *wh_gru_check(const wh_call *call) {
  const wh_recurrent *p = call->parameters;
  return wh_recurrent_check(call, 3, !p->linear_before_reset, 4, 2);
}

int32_t wh_gru_run(const wh_call *call) {
  wh_recurrence s;
  const int32_t status = wh_recurrence_begin(&s, call, 3);
  if (status != WHERRY_OK) return status;
  const wh_recurrent *p = s.p;
  const float *w = (const float *)wh_input(call, WH_W)->data;
  const float *r = (const float *)wh_input(call, WH_R)->data;
  const int64_t n = s.hidden, m = 3 * n;
  const float *r_h = r + (2 * n + 15) / 16 * 16 * n; /* its own matrix unless linear_before_reset */
  const float *bias_rh = s.bias ? s.bias + m : NULL;
  if (!n || !p->batch) return WHERRY_OK;
  for (int64_t step = 0; step < p->steps; step++) {
    wh_multiply_x(&s, step, w, m, s.bias, 0, s.x_gates);
    /* Columns of r: z, r and h together, or z and r now and h after the reset. */
    wh_multiply_h(&s, s.h, r, p->linear_before_reset ? m : 2 * n, NULL, 0, s.h_gates, m);
    for (int64_t b = 0; b < p->batch; b++) {
      float *x = s.x_gates + b * m, *h = s.h_gates + b * m, *was = s.h + b * n;
      for (int64_t u = 0; u < 2 * n; u++) x[u] += h[u];
      wh_activate(&s, 0, x, 2 * n);
      for (int64_t u = 0; u < n; u++) {
        if (p->linear_before_reset)
          x[2 * n + u] += x[n + u] * (h[2 * n + u] + (bias_rh ? bias_rh[u] : 0));
        else
          s.spare[b * n + u] = x[n + u] * was[u];
      }
    }
    if (!p->linear_before_reset)
      wh_multiply_h(&s, s.spare, r_h, n, bias_rh, 0, s.h_gates + 2 * n, m);
    for (int64_t b = 0; b < p->batch; b++) {
      float *x = s.x_gates + b * m, *h = s.h_gates + b * m, *was = s.h + b * n;
      float *candidate = x + 2 * n, *next = s.spare + b * n;
      for (int64_t u = 0; u < n && !p->linear_before_reset; u++) candidate[u] += h[2 * n + u];
      wh_activate(&s, 1, candidate, n);
      for (int64_t u = 0; u < n; u++) next[u] = (1 - x[u]) * candidate[u] + x[u] * was[u];
    }
    wh_recurrence_step(&s, step, s.spare, NULL);
  }
  wh_recurrence_end(&s);
  return WHERRY_OK;
}

#include "../common/region_end.h"
