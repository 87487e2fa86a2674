#include "axis.h"
/**/
#include "../common/compact.h"

const char *wh_top_k_check(const wh_call *call) {
  const wh_top_k *p = call->parameters;
  const uint32_t element = (uint32_t)p->element;
  if (p->k < 0 || p->k > p->count) return WH_BAD_EXTENT;
  const char *reason = NULL;
  if (wh_output(call, 0))
    reason = wh_check_axis(call, element, p->outer, p->count, p->inner, 0, element, p->k);
  if (!reason && wh_output(call, 1))
    reason = wh_check_axis(call, element, p->outer, p->count, p->inner, 1, WH_INT64, p->k);
  if (reason) return reason;
  if (!wh_output(call, 0) && !wh_output(call, 1)) return WH_BAD_OPERANDS;
  const wh_tensor *scratch = wh_scratch(call);
  if (!scratch || scratch->record->bytes / 4 < (uint64_t)p->count) return WH_BAD_SCRATCH;
  return wh_check_outputs(call, 0);
}

typedef struct line {
  const uint8_t *x;
  int64_t at, inner;
  uint32_t element;
  bool largest;
} line;

/* Does index a come before index b in the result? A total order. */
static bool before(const line *l, int32_t a, int32_t b) {
  const int64_t s = wh_order_key(l->element, l->x, l->at + a * l->inner);
  const int64_t t = wh_order_key(l->element, l->x, l->at + b * l->inner);
  if (s == t) return a < b;
  return l->largest ? s > t : s < t;
}

/* Restores the heap whose root is the last in order. */
static void sink(const line *l, int32_t *heap, int32_t count, int32_t at) {
  const int32_t value = heap[at];
  for (int64_t child; (child = 2 * (int64_t)at + 1) < count; at = (int32_t)child) {
    if (child + 1 < count && before(l, heap[child], heap[child + 1])) child++;
    if (!before(l, value, heap[child])) break;
    heap[at] = heap[child];
  }
  heap[at] = value;
}

int32_t wh_top_k_run(const wh_call *call) {
  const wh_top_k *p = call->parameters;
  const wh_tensor *values = wh_output(call, 0), *indices = wh_output(call, 1);
  const size_t bytes = wh_element_bytes((uint32_t)p->element);
  int32_t *heap = (int32_t *)wh_scratch(call)->data;
  const int32_t k = p->k;
  if (!k) return WHERRY_OK;
  for (int64_t o = 0; o < p->outer; o++) {
    for (int64_t i = 0; i < p->inner; i++) {
      const line l = {wh_input(call, 0)->data, o * p->count * p->inner + i, p->inner,
                      (uint32_t)p->element, p->largest != 0};
      for (int32_t j = 0; j < k; j++) heap[j] = j;
      for (int32_t j = k / 2 - 1; j >= 0; j--) sink(&l, heap, k, j);
      for (int32_t j = k; j < p->count; j++) {
        if (!before(&l, j, heap[0])) continue;
        heap[0] = j;
        sink(&l, heap, k, 0);
      }
      for (int32_t j = k - 1; j > 0; j--) {
        const int32_t last = heap[0];
        heap[0] = heap[j];
        heap[j] = last;
        sink(&l, heap, j, 0);
      }
      for (int32_t j = 0; j < k; j++) {
        const int64_t to = (o * k + j) * p->inner + i;
        const uint8_t *from = l.x + (size_t)(l.at + heap[j] * p->inner) * bytes;
        if (values) wh_copy_run(values->data + (size_t)to * bytes, from, bytes);
        if (indices) ((int64_t *)indices->data)[to] = heap[j];
      }
    }
  }
  return WHERRY_OK;
}

#include "../common/region_end.h"
