#include "../../ABI/wherry.h"
#include "operands.h"
/**/
#include "compact.h"

/* A kernel's stack is its own: link-time optimization would make one function of all. */
#if defined(__clang__)
#define APART [[clang::noinline]]
#else
#define APART
#endif

/* Calls and offsets instead of a table of addresses: a shared library pays 32 bytes for an address,
 * and its loader a relocation. */

#define WH_OPERATOR(code, name, kernel, parameters)     \
  const char *wh_##kernel##_check(const wh_call *call); \
  int32_t wh_##kernel##_run(const wh_call *call);
#include "../../ABI/operators.def"
#undef WH_OPERATOR

int32_t wh_kernel_parameters(uint32_t code) {
  static const int16_t bytes[] = {
#define WH_OPERATOR(code, name, kernel, parameters) [code] = parameters + 1,
#include "../../ABI/operators.def"
#undef WH_OPERATOR
  };
  return code < sizeof bytes / sizeof *bytes ? bytes[code] - 1 : -1;
}

const char *wh_kernel_name(uint32_t code) {
  static const char names[][16] = {
#define WH_OPERATOR(code, name, kernel, parameters) [code] = #name,
#include "../../ABI/operators.def"
#undef WH_OPERATOR
  };
  return wh_kernel_parameters(code) < 0 ? NULL : names[code];
}

const char *wh_kernel_check(uint32_t code, const wh_call *call) {
  switch (code) {
#define WH_OPERATOR(code, name, kernel, parameters) \
  case code:                                        \
    return wh_##kernel##_check(call);
#include "../../ABI/operators.def"
#undef WH_OPERATOR
  }
  return NULL;
}

int32_t wh_kernel_run(uint32_t code, const wh_call *call) {
  switch (code) {
#define WH_OPERATOR(code, name, kernel, parameters) \
  case code:                                        \
    APART return wh_##kernel##_run(call);
#include "../../ABI/operators.def"
#undef WH_OPERATOR
  }
  return WHERRY_UNSUPPORTED;
}

#include "region_end.h"
