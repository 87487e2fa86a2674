#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "depthwise8_pairs.h"

const wh_strips8 wh_strips8_avx512 = {64, 512, fill, prepare, run, line};

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_avx512bw_file;
