#include "axis.h"
/**/
#include "../common/compact.h"

const char *wh_scan_check(const wh_call *call) {
  const wh_scan *p = call->parameters;
  const uint32_t element = (uint32_t)p->element;
  if (p->kind < 0 || p->kind > 1) return WH_BAD_KIND;
  const char *reason =
      wh_check_axis(call, element, p->outer, p->count, p->inner, 0, element, p->count);
  return reason ? reason : wh_check_outputs(call, 1);
}

int32_t wh_scan_run(const wh_call *call) {
  const wh_scan *p = call->parameters;
  const uint32_t element = (uint32_t)p->element;
  const uint8_t *x = wh_input(call, 0)->data;
  uint8_t *y = wh_output(call, 0)->data;
  if (!p->count) return WHERRY_OK;
  const bool whole = wh_is_integer(element);
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t i = 0; i < p->inner; i++) {
      uint64_t total = (uint64_t)p->kind;
      double real = p->kind;
      for (int64_t c = 0; c < p->count; c++) {
        const int64_t step = p->reverse ? p->count - 1 - c : c;
        const int64_t at = (o * p->count + step) * p->inner + i;
        int64_t v = 0;
        double r = 0, before = real;
        const uint64_t until = total;
        if (whole) {
          wh_load_integers(&v, element, x, at, 0, 1);
          total = p->kind ? total * (uint64_t)v : total + (uint64_t)v;
          v = (int64_t)(p->exclusive ? until : total);
          wh_store_integers(&v, element, y, at, 0, 1);
        } else {
          wh_load_reals(&r, element, x, at, 0, 1);
          real = p->kind ? real * r : real + r;
          wh_store_reals(p->exclusive ? &before : &real, element, y, at, 0, 1);
        }
      }
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
