#include "axis.h"
/**/
#include "../common/compact.h"

const char *wh_check_axis(const wh_call *call, uint32_t element, int32_t outer, int32_t count,
                          int32_t inner, unsigned i, uint32_t gives, int32_t out) {
  if (outer < 0 || count < 0 || inner < 0 || out < 0) return WH_BAD_EXTENT;
  if (element >= 32 || gives >= 32) return WH_BAD_KIND;
  if (!wh_holds(wh_input(call, 0), WH_BIT(element), wh_count3(outer, count, inner)) ||
      !wh_holds(wh_output(call, i), WH_BIT(gives), wh_count3(outer, out, inner)))
    return WH_BAD_BYTES;
  return NULL;
}

#include "../common/region_end.h"
