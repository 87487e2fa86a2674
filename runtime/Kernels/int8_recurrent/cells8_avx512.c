#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "cells8_body.h"

VARIANTS(avx512)

#include "../common/region_end.h"
#endif
typedef int wh_cells8_avx512;
