#if !defined(__ARM_NEON)
#include "../common/vector.h"
#include "weights8.h"
#include "weights8_body.h"

VARIANT(scalar)

#endif
typedef int wh_weights8_scalar;
