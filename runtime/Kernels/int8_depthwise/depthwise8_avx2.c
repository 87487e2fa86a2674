#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "depthwise8_pairs.h"

const wh_strips8 wh_strips8_avx2 = {32, 256, fill, prepare, run, line};

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_avx2_file;
