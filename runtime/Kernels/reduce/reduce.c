#include <math.h>

#include "../common/vector.h"
#include "../elementwise/elementwise.h"
#include "axis.h"

/* float32 is summed in float32 for BLOCK steps, then in float64. */
enum { COLUMNS = 32, BLOCK = 64 };

WH_COMPACT const char *wh_reduce_check(const wh_call *call) {
  const wh_reduce *p = call->parameters;
  const uint32_t element = (uint32_t)p->element;
  uint32_t allowed = WH_REALS | WH_BIT(WH_INT32) | WH_BIT(WH_INT64);
  if (p->kind < WH_REDUCE_SUM || p->kind > WH_REDUCE_SUM_SQUARE) return WH_BAD_KIND;
  if (p->kind == WH_REDUCE_MAX || p->kind == WH_REDUCE_MIN) allowed |= WH_INTEGERS;
  if (element >= 32 || !(allowed & WH_BIT(element))) return WH_BAD_KIND;
  const char *reason = wh_check_axis(call, element, p->outer, p->count, p->inner, 0, element, 1);
  return reason ? reason : wh_check_outputs(call, 0);
}

static bool adds(int kind) {
  return kind != WH_REDUCE_MAX && kind != WH_REDUCE_MIN && kind != WH_REDUCE_PROD;
}

/* sum[j] += f(x[i * stride + j]) for i < steps, j < columns. */
static __attribute__((noinline)) void add_block(int kind, const float *x, int64_t stride,
                                                int64_t steps, int columns, double *sum) {
  const bool squares = kind == WH_REDUCE_L2 || kind == WH_REDUCE_SUM_SQUARE;
  const vi sign = (vi){0} + (kind == WH_REDUCE_L1 ? INT32_MIN : 0);
  for (int j = 0; j < columns; j += 2 * WH_LANES) {
    const int rest = columns - j, part = rest < WH_LANES ? rest : WH_LANES;
    const int more = rest < 2 * WH_LANES ? rest - part : WH_LANES;
    vf a = {0}, b = {0};
    for (int64_t i = 0; i < steps; i++) {
      const float *p = x + i * stride + j;
      vf v = part == WH_LANES ? v_load(p) : v_load_part(p, part), w = {0};
      if (more) w = more == WH_LANES ? v_load(p + WH_LANES) : v_load_part(p + WH_LANES, more);
      v = (vf)((vi)v & ~sign);
      w = (vf)((vi)w & ~sign);
      a += squares ? v * v : v;
      b += squares ? w * w : w;
    }
    for (int n = 0; n < part; n++) sum[j + n] += (double)a[n];
    for (int n = 0; n < more; n++) sum[j + WH_LANES + n] += (double)b[n];
  }
}

static double combine(int kind, double a, double b) {
  switch (kind) {
    case WH_REDUCE_MAX:
      return b > a || b != b ? b : a;
    case WH_REDUCE_MIN:
      return b < a || b != b ? b : a;
    case WH_REDUCE_PROD:
      return a * b;
    case WH_REDUCE_L1:
      return a + fabs(b);
    case WH_REDUCE_L2:
    case WH_REDUCE_SUM_SQUARE:
      return a + b * b;
    default:
      return a + b;
  }
}

static double start(int kind) {
  return kind == WH_REDUCE_MAX   ? -INFINITY
         : kind == WH_REDUCE_MIN ? INFINITY
                                 : kind == WH_REDUCE_PROD;
}

/* sum[j] over steps rows of up to COLUMNS elements, rows stride apart. */
WH_COMPACT static __attribute__((noinline)) void columns_of(const wh_reduce *p, int kind,
                                                            const void *base, int64_t at,
                                                            int64_t stride, int64_t steps,
                                                            int columns, const double *shift,
                                                            double *sum) {
  const uint32_t element = (uint32_t)p->element;
  for (int64_t i = 0; i < steps; i++) {
    double row[COLUMNS];
    if (!shift && adds(kind) && element == WH_FLOAT32) {
      const int64_t part = wh_min64(BLOCK, steps - i);
      add_block(kind, (const float *)base + at + i * stride, stride, part, columns, sum);
      i += part - 1;
      continue;
    }
    wh_load_reals(row, element, base, at + i * stride, 1, columns);
    for (int j = 0; j < columns; j++)
      sum[j] = combine(kind, sum[j], shift ? exp(row[j] - shift[j]) : row[j]);
  }
}

/* One result of a contiguous run: lanes of COLUMNS, joined at the end. */
static double run_of(const wh_reduce *p, int kind, const void *base, int64_t at, int64_t count,
                     const double *shift) {
  double sum[COLUMNS], shifts[COLUMNS], total;
  const int64_t rows = count / COLUMNS;
  for (int j = 0; j < COLUMNS; j++) {
    sum[j] = start(kind);
    shifts[j] = shift ? *shift : 0;
  }
  columns_of(p, kind, base, at, COLUMNS, rows, COLUMNS, shift ? shifts : NULL, sum);
  columns_of(p, kind, base, at + rows * COLUMNS, COLUMNS, 1, (int)(count % COLUMNS),
             shift ? shifts : NULL, sum);
  total = sum[0];
  for (int j = 1; j < COLUMNS; j++)
    total = adds(kind) ? total + sum[j] : combine(kind, total, sum[j]);
  return total;
}

WH_COMPACT static double finish(int kind, double total, double most, int64_t count) {
  switch (kind) {
    case WH_REDUCE_MEAN:
      return total / (double)count;
    case WH_REDUCE_L2:
      return sqrt(total);
    case WH_REDUCE_LOG_SUM:
      return log(total);
    case WH_REDUCE_LOG_SUM_EXP:
      return log(total) + most;
    default:
      return total;
  }
}

/* Largest finite shift of log sum exp; an infinite one would give NaN. */
static double shift_of(double most) { return isfinite(most) ? most : 0; }

WH_COMPACT static void reals(const wh_reduce *p, const uint8_t *x, uint8_t *y) {
  const bool two = p->kind == WH_REDUCE_LOG_SUM_EXP;
  const int64_t count = p->count, inner = p->inner;
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t c = 0; c < inner; c += COLUMNS) {
      double sum[COLUMNS], most[COLUMNS] = {0};
      const int n = (int)wh_min64(COLUMNS, inner - c);
      const int64_t at = o * count * inner + c;
      for (int j = 0; j < n; j++) {
        sum[j] = start(p->kind);
        most[j] = -INFINITY;
      }
      if (inner == 1) {
        if (two) *most = shift_of(run_of(p, WH_REDUCE_MAX, x, at, count, NULL));
        *sum = run_of(p, two ? WH_REDUCE_SUM : p->kind, x, at, count, two ? most : NULL);
      } else {
        if (two) columns_of(p, WH_REDUCE_MAX, x, at, inner, count, n, NULL, most);
        for (int j = 0; j < n; j++) most[j] = shift_of(most[j]);
        columns_of(p, two ? WH_REDUCE_SUM : p->kind, x, at, inner, count, n, two ? most : NULL,
                   sum);
      }
      for (int j = 0; j < n; j++) sum[j] = finish(p->kind, sum[j], most[j], count);
      wh_store_reals(sum, (uint32_t)p->element, y, o * inner + c, 1, n);
    }
  }
}

WH_COMPACT static int64_t of_integers(const wh_reduce *p, const uint8_t *x, int64_t at) {
  const uint32_t element = (uint32_t)p->element;
  const int64_t flip = element == WH_UINT64 ? INT64_MIN : 0;
  uint64_t sum = p->kind == WH_REDUCE_PROD;
  double total = 0, most = -INFINITY;
  int64_t extreme = 0;
  for (int pass = p->kind == WH_REDUCE_LOG_SUM_EXP ? 0 : 1; pass < 2; pass++) {
    for (int64_t i = 0; i < p->count; i++) {
      int64_t v;
      wh_load_integers(&v, element, x, at + i * p->inner, 0, 1);
      if (pass == 0) most = (double)v > most ? (double)v : most;
      if (pass == 0) continue;
      const bool less = (v ^ flip) < (extreme ^ flip);
      if (i == 0 || (p->kind == WH_REDUCE_MIN ? less : !less)) extreme = v;
      if (p->kind == WH_REDUCE_PROD)
        sum *= (uint64_t)v;
      else if (p->kind == WH_REDUCE_L1)
        sum += v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
      else if (p->kind == WH_REDUCE_SUM_SQUARE)
        sum += (uint64_t)v * (uint64_t)v;
      else
        sum += (uint64_t)v;
      total += p->kind == WH_REDUCE_L2            ? (double)v * (double)v
               : p->kind == WH_REDUCE_LOG_SUM_EXP ? exp((double)v - most)
                                                  : (double)v;
    }
  }
  switch (p->kind) {
    case WH_REDUCE_MAX:
    case WH_REDUCE_MIN:
      return extreme;
    case WH_REDUCE_MEAN:
      return p->count ? (int64_t)sum / p->count : 0;
    case WH_REDUCE_L2:
    case WH_REDUCE_LOG_SUM:
    case WH_REDUCE_LOG_SUM_EXP:
      return wh_saturate(element, finish(p->kind, total, most, p->count));
    default:
      return (int64_t)sum;
  }
}

int32_t wh_reduce_run(const wh_call *call) {
  const wh_reduce *p = call->parameters;
  const uint8_t *x = wh_input(call, 0)->data;
  uint8_t *y = wh_output(call, 0)->data;
  if (!wh_is_integer((uint32_t)p->element)) {
    reals(p, x, y);
    return WHERRY_OK;
  }
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t i = 0; i < p->inner; i++) {
      const int64_t v = of_integers(p, x, o * p->count * p->inner + i);
      wh_store_integers(&v, (uint32_t)p->element, y, o * p->inner + i, 0, 1);
    }
  }
  return WHERRY_OK;
}
