#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "../common/vector.h"
#include "elementwise.h"
#include "transcendental_body.h"

/* What is bound by memory is left to the AVX2 variant. */
bool wh_unary_avx512(const wh_unary *p, const float *x, float *y, int64_t count) {
  return unary(costly_vectors, p, x, y, count);
}

void wh_softmax_avx512(const float *x, float *y, int64_t count) { softmax(x, y, count); }

#include "../common/region_end.h"
#endif
typedef int wh_elementwise_avx512;
