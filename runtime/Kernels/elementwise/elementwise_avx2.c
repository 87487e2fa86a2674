#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "elementwise.h"
#include "elementwise_body.h"

bool wh_unary_avx2(const wh_unary *p, const float *x, float *y, int64_t count) {
  return unary(costly_vectors, p, x, y, count) || unary(cheap_vectors, p, x, y, count);
}

void wh_binary_avx2(int kind, const float *a, int a_step, const float *b, int b_step, float *y,
                    int64_t count, float low, float high) {
  binary(kind, a, a_step, b, b_step, y, count, low, high);
}

void wh_softmax_avx2(const float *x, float *y, int64_t count) { softmax(x, y, count); }

#include "../common/region_end.h"
#endif
typedef int wh_elementwise_avx2;
