#if defined(__x86_64__)
#include <stdbool.h>
/**/
#include "../common/operands.h"
#include "bytes.h"
#include "bytes_vector.h"
/**/
#include "bytes_body.h"

HOTTEST_VARIANTS(sse2)
OTHER_VARIANTS(sse2)

#endif
typedef int wh_bytes_sse2;
