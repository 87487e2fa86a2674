#include "operands.h"
/**/
#include "compact.h"

#define WH_OPERATOR(code, name, kernel, parameters)     \
  const char *wh_##kernel##_check(const wh_call *call); \
  int32_t wh_##kernel##_run(const wh_call *call);
#include "../../ABI/operators.def"
#undef WH_OPERATOR

static const wh_kernel kernels[] = {
#define WH_OPERATOR(code, name, kernel, parameters) \
  {code, parameters, #name, wh_##kernel##_check, wh_##kernel##_run},
#include "../../ABI/operators.def"
#undef WH_OPERATOR
};

const wh_kernel *wh_find_kernel(uint32_t code) {
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
    if (kernels[i].code == code) return &kernels[i];
  }
  return NULL;
}

#include "region_end.h"
