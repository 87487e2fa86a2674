/* Ends what target_avx2.h, target_avx512.h or compact.h began. */
#if defined(__clang__)
#pragma clang attribute pop
#endif
