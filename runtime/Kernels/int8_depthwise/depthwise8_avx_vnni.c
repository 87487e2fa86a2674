#if defined(__x86_64__)
#include "../common/target_avx_vnni.h"
/**/
#define DPBUSD WH_DPBUSD
#include "depthwise8_avx_vnni.h"

const wh_strips8 wh_strips8_avx_vnni = {32, 128, fill, prepare, run, NULL};

#include "../common/region_end.h"
#endif
typedef int wh_depthwise8_avx_vnni_file;
