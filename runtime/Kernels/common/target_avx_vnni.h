/* Included first by the AVX-VNNI variants: as target_avx2.h, with vpdpbusd. With WH_EVEX_VNNI it is
 * AVX-512's vpdpbusd, so that the same code can be tested where there is no AVX-VNNI. */
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(WH_EVEX_VNNI)
#define WH_VNNI_TARGET "avx2,fma,avx512f,avx512vl,avx512vnni"
#define WH_DPBUSD _mm256_dpbusd_epi32
#else
#define WH_VNNI_TARGET "avx2,fma,avxvnni"
#define WH_DPBUSD _mm256_dpbusd_avx_epi32
#endif
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target(WH_VNNI_TARGET))), apply_to = function)
#else
#pragma GCC target(WH_VNNI_TARGET)
#endif
#define WH_LANES 8
