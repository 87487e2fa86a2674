#if defined(__ARM_NEON)
#include "cells8_body.h"

VARIANTS(neon)

#endif
typedef int wh_cells8_neon;
