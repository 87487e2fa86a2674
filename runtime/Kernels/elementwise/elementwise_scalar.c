#include "../common/vector.h"
#include "elementwise.h"
#include "elementwise_body.h"

bool wh_unary_scalar(const wh_unary *p, const float *x, float *y, int64_t count) {
  return unary(costly_vectors, p, x, y, count) || unary(cheap_vectors, p, x, y, count);
}

void wh_binary_scalar(int kind, const float *a, int a_step, const float *b, int b_step, float *y,
                      int64_t count, float low, float high) {
  binary(kind, a, a_step, b, b_step, y, count, low, high);
}

void wh_softmax_scalar(const float *x, float *y, int64_t count) { softmax(x, y, count); }
