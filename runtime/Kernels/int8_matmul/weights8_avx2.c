#if defined(__x86_64__)
#include "../common/target_avx2.h"
/**/
#include "../common/vector.h"
#include "weights8.h"
#include "weights8_body.h"

VARIANT(avx2)

#include "../common/region_end.h"
#endif
typedef int wh_weights8_avx2;
