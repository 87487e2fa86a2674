/* The AVX-VNNI variant of strips in the encoding of AVX-512, for processors that have only that. */
#if defined(__x86_64__)
#include "../../Kernels/common/target_avx512_vnni.h"
#undef WH_LANES
#define WH_LANES 8
#define DPBUSD _mm256_dpbusd_epi32
#include "../../Kernels/int8_depthwise/depthwise8_avx_vnni.h"

const wh_strips8 test_strips8_evex = {32, 128, fill, prepare, run, NULL};

#include "../../Kernels/common/region_end.h"
#endif
typedef int depthwise8_evex_file;
