#if defined(__x86_64__)
#include "../common/target_avx512.h"
/**/
#include "../common/vector.h"
#include "conv.h"
#include "depthwise_body.h"

void wh_depthwise_avx512(const wh_depthwise *lines) { lines_of(lines); }

#include "../common/region_end.h"
#endif
typedef int wh_depthwise_avx512_file;
