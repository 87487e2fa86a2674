#include "recurrent.h"
/**/
#include "../common/compact.h"

const char *wh_rnn_check(const wh_call *call) { return wh_recurrent_check(call, 1, 0, 1, 1); }

int32_t wh_rnn_run(const wh_call *call) {
  wh_recurrence s;
  const int32_t status = wh_recurrence_begin(&s, call, 1);
  if (status != WHERRY_OK) return status;
  const wh_recurrent *p = s.p;
  const float *w = (const float *)wh_input(call, WH_W)->data;
  const float *r = (const float *)wh_input(call, WH_R)->data;
  const int64_t n = s.hidden;
  if (!n || !p->batch) return WHERRY_OK;
  for (int64_t step = 0; step < p->steps; step++) {
    wh_multiply_x(&s, step, w, n, s.bias, 0, s.x_gates);
    wh_multiply_h(&s, s.h, r, n, s.x_gates, n, s.h_gates, n);
    wh_activate(&s, 0, s.h_gates, p->batch * n);
    wh_recurrence_step(&s, step, s.h_gates, NULL);
  }
  wh_recurrence_end(&s);
  return WHERRY_OK;
}

#include "../common/region_end.h"
