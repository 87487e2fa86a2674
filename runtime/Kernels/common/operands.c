#include "operands.h"
/**/
#include "compact.h"

unsigned wh_element_bytes(uint32_t element) {
  static const uint8_t bytes[32] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, [WH_Q8] = 1};
  return element < sizeof bytes ? bytes[element] : 0;
}

uint64_t wh_times(uint64_t count, int64_t extent) {
  uint64_t product;
  if (count == WH_TOO_MANY || extent < 0) return WH_TOO_MANY;
  return __builtin_mul_overflow(count, (uint64_t)extent, &product) ? WH_TOO_MANY : product;
}

uint64_t wh_count(const int32_t *extents, int rank) {
  uint64_t count = 1;
  for (int i = 0; i < rank; i++) count = wh_times(count, extents[i]);
  return count;
}

uint64_t wh_count3(int64_t a, int64_t b, int64_t c) {
  return wh_times(wh_times(wh_times(1, a), b), c);
}

static bool fits(const wh_tensor *tensor, unsigned element_bytes, uint64_t count) {
  return element_bytes && count != WH_TOO_MANY && count <= tensor->record->bytes / element_bytes;
}

bool wh_holds(const wh_tensor *tensor, uint32_t elements_allowed, uint64_t count) {
  if (!tensor) return false;
  uint32_t element = tensor->record->element;
  if (element >= 32 || !(elements_allowed & WH_BIT(element))) return false;
  return fits(tensor, wh_element_bytes(element), count);
}

bool wh_holds_bytes(const wh_tensor *tensor, int32_t element_size, uint64_t count) {
  if (!tensor || wh_element_bytes(tensor->record->element) != (uint32_t)element_size) return false;
  return fits(tensor, (unsigned)element_size, count);
}

bool wh_view_fits(uint64_t limit, int64_t offset, int rank, const int32_t *shape,
                  const int64_t *strides) {
  int64_t low = offset, high = offset;
  if (rank < 0 || rank > WH_MAX_RANK) return false;
  for (int i = 0; i < rank; i++) {
    if (shape[i] < 0) return false;
  }
  for (int i = 0; i < rank; i++) {
    int64_t reach;
    if (shape[i] == 0) return true;
    if (__builtin_mul_overflow(strides[i], (int64_t)shape[i] - 1, &reach)) return false;
    int64_t *end = reach < 0 ? &low : &high;
    if (__builtin_add_overflow(*end, reach, end)) return false;
  }
  return low >= 0 && (uint64_t)high < limit;
}

static bool overlap(const wh_tensor_record *a, const wh_tensor_record *b) {
  if (a->storage == WH_STORAGE_WEIGHTS || b->storage == WH_STORAGE_WEIGHTS) return false;
  if (!a->bytes || !b->bytes) return false;
  const wh_tensor_record *first = a->offset < b->offset ? a : b;
  return (first == a ? b : a)->offset - first->offset < first->bytes;
}

const char *wh_check_outputs(const wh_call *call, uint32_t in_place) {
  unsigned total = (unsigned)call->input_count + call->output_count + call->scratch_count;
  for (unsigned i = call->input_count; i < total; i++) {
    if (call->operands[i] == WH_NONE) continue;
    const wh_tensor_record *written = call->tensors[call->operands[i]].record;
    if (written->storage != WH_STORAGE_ARENA && written->storage != WH_STORAGE_STATE)
      return WH_BAD_OUTPUT;
    for (unsigned j = 0; j < i; j++) {
      if (call->operands[j] == WH_NONE) continue;
      const wh_tensor_record *other = call->tensors[call->operands[j]].record;
      if (!overlap(written, other)) continue;
      bool same = j < call->input_count && j < 32 && (in_place >> j & 1) &&
                  written->offset == other->offset &&
                  wh_element_bytes(written->element) == wh_element_bytes(other->element);
      if (!same) return WH_BAD_OUTPUT;
    }
  }
  return NULL;
}

#include "region_end.h"
