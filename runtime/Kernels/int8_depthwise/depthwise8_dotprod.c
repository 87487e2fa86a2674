#if defined(__aarch64__)
#include "../common/target_dotprod.h"
/**/
#include "../common/vector.h"
#include "depthwise8.h"

typedef int32x4_t acc;
typedef struct heads heads;
WH_INLINE int32x4_t total(acc sums, const heads *h, int q);

#define OUTPUTS 4
#define FILLED_ELSEWHERE
#include "depthwise8_neon.h"

WH_INLINE acc start(const heads *h, int q) { return h->bias[q]; }

WH_INLINE acc dot(acc sums, const uint8_t *entry, int q, const vec *weights) {
  return vdotq_s32(sums, load(entry + 16 * q), weights[q]);
}

WH_INLINE int32x4_t total(acc sums, const heads *h, int q) {
  (void)h, (void)q;
  return sums;
}

#include "depthwise8_body.h"

static void run(const wh_run8 *r) { run_of(r); }

const wh_strips8 wh_strips8_dotprod = {16, 64, wh_fill8_neon, wh_prepare8_neon, run, NULL};

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_dotprod_file;
