/* What every check is made of: saturating counts, bounds of operands and views, overlap. A check
 * runs these on untrusted records; WH_TOO_MANY is sticky, so one comparison at the end is enough.
 */
#ifndef WHERRY_OPERANDS_H
#define WHERRY_OPERANDS_H

#include <stdbool.h>
#include <string.h>

#include "../../ABI/wherry.h"
#include "../include/kernels.h"

#define WH_TOO_MANY UINT64_MAX

#define WH_BAD_OPERANDS "an operand is missing or of a type this kernel does not take"
#define WH_BAD_BYTES "an operand is missing, of another type, or smaller than its extents"
#define WH_BAD_EXTENT "an extent, stride or window is out of range"
#define WH_BAD_VIEW "strides leave the tensor"
#define WH_BAD_KIND "an unknown kind"
#define WH_BAD_OUTPUT "an output is read-only or overlaps another operand"
#define WH_BAD_SCRATCH "the scratch tensor is missing or too small"

#define WH_BIT(element) (1u << (element))
#define WH_INTEGERS                                                                               \
  (WH_BIT(WH_UINT8) | WH_BIT(WH_INT8) | WH_BIT(WH_UINT16) | WH_BIT(WH_INT16) | WH_BIT(WH_INT32) | \
   WH_BIT(WH_INT64) | WH_BIT(WH_UINT32) | WH_BIT(WH_UINT64) | WH_BIT(WH_BOOL))
#define WH_REALS (WH_BIT(WH_FLOAT32) | WH_BIT(WH_FLOAT64))

/* A hot loop of a file that is otherwise compiled for size, which inlining would make it too. */
#define WH_HOT static __attribute__((noinline))

/* A function of a file with hot loops that is itself compiled for size; see also compact.h. */
#if defined(__clang__)
#define WH_COMPACT __attribute__((minsize))
#define WH_ROLLED _Pragma("clang loop vectorize(disable) interleave(disable) unroll(disable)")
#else
#define WH_COMPACT
#define WH_ROLLED
#endif

/* Bytes of one element, 0 for a type kernels do not execute. */
unsigned wh_element_bytes(uint32_t element);

static inline bool wh_is_integer(uint32_t element) {
  return element < 32 && (WH_INTEGERS & WH_BIT(element)) != 0;
}

/* count * extent; WH_TOO_MANY for a negative extent or when it would overflow. */
uint64_t wh_times(uint64_t count, int64_t extent);

/* Product of extents, saturating as wh_times. */
uint64_t wh_count(const int32_t *extents, int rank);
uint64_t wh_count3(int64_t a, int64_t b, int64_t c);

/* Is the operand there, of one of these element types, and does it hold so many elements? */
bool wh_holds(const wh_tensor *tensor, uint32_t elements_allowed, uint64_t count);
/* The same by element size, for kernels that only copy. */
bool wh_holds_bytes(const wh_tensor *tensor, int32_t element_size, uint64_t count);

/* The same for an operand that may be absent. */
static inline bool wh_may_hold(const wh_tensor *tensor, uint32_t elements_allowed, uint64_t count) {
  return !tensor || wh_holds(tensor, elements_allowed, count);
}

/* Does every index of a strided view lie in 0 ..< limit? Views without elements do. */
bool wh_view_fits(uint64_t limit, int64_t offset, int rank, const int32_t *shape,
                  const int64_t *strides);

/* Elements of the given size that fit in the operand. */
static inline uint64_t wh_capacity(const wh_tensor *tensor, unsigned element_bytes) {
  return element_bytes ? tensor->record->bytes / element_bytes : 0;
}

/* Null when outputs and scratch are writable and overlap no other operand, except that an output
 * may be exactly one of the inputs whose bits are in in_place. */
const char *wh_check_outputs(const wh_call *call, uint32_t in_place);

static inline int64_t wh_min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t wh_max64(int64_t a, int64_t b) { return a > b ? a : b; }

/* Copies a run; small powers of two without a call. Runs may be identical. */
static inline void wh_copy_run(uint8_t *to, const uint8_t *from, size_t bytes) {
  switch (bytes) {
    case 1:
      *to = *from;
      break;
    case 4:
      memmove(to, from, 4);
      break;
    case 8:
      memmove(to, from, 8);
      break;
    default:
      memmove(to, from, bytes);
  }
}

#endif
