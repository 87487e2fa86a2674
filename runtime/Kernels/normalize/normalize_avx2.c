#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "normalize.h"
#include "normalize_body.h"

void wh_normalize_avx2(const wh_normalize *p, const float *x, float *y, const float *scale,
                       const float *bias) {
  row_of(p, x, y, scale, bias);
}

#include "../common/region_end.h"
#endif
typedef int wh_normalize_avx2_file;
