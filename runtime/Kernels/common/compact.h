/* Included after all other headers: from here to region_end.h code is compiled for size. What is
 * not in a hot loop need not grow the library. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((minsize)), apply_to = function)
#else
#pragma GCC optimize("Os")
#endif
