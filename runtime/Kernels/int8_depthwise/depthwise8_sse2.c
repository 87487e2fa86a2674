#if defined(__x86_64__)
#include <stdbool.h>
#include <stddef.h>
/**/
#include "depthwise8_pairs.h"

const wh_strips8 wh_strips8_sse2 = {16, 128, fill, prepare, run, line};
#endif
typedef int wh_depthwise8_sse2_file;
