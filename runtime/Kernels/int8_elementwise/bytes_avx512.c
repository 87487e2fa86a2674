#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "../common/operands.h"
#include "bytes.h"
#include "bytes_vector.h"
/**/
#include "bytes_body.h"

HOTTEST_VARIANTS(avx512)

#include "../common/region_end.h"
#endif
typedef int wh_bytes_avx512;
