#if defined(__ARM_NEON)
#include "../common/operands.h"
#include "bytes.h"
#include "bytes_vector.h"
/**/
#include "bytes_body.h"

HOTTEST_VARIANTS(neon)
OTHER_VARIANTS(neon)

#endif
typedef int wh_bytes_neon;
