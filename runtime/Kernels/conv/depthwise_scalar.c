#include "../common/vector.h"
#include "conv.h"
#include "depthwise_body.h"

void wh_depthwise_scalar(const wh_depthwise *lines) { lines_of(lines); }
