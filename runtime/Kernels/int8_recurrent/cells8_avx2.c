#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "cells8_body.h"

VARIANTS(avx2)

#include "../common/region_end.h"
#endif
typedef int wh_cells8_avx2;
