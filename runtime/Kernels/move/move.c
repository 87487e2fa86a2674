#include "../common/operands.h"
#include "../common/vector.h"
#include "interleave.h"

typedef struct axis {
  int64_t extent, from, to;
} axis;

WH_COMPACT const char *wh_move_check(const wh_call *call) {
  const wh_move *p = call->parameters;
  const wh_tensor *x = wh_input(call, 0), *y = wh_output(call, 0);
  if (!wh_holds_bytes(x, p->element_size, 0) || !wh_holds_bytes(y, p->element_size, 0))
    return WH_BAD_OPERANDS;
  const unsigned bytes = (unsigned)p->element_size;
  if (!wh_view_fits(wh_capacity(x, bytes), p->source_offset, p->rank, p->shape,
                    p->source_strides) ||
      !wh_view_fits(wh_capacity(y, bytes), p->target_offset, p->rank, p->shape, p->target_strides))
    return WH_BAD_VIEW;
  if (wh_count(p->shape, p->rank) > wh_capacity(y, bytes)) return WH_BAD_EXTENT;
  bool same = p->source_offset == p->target_offset;
  for (int i = 0; i < p->rank; i++)
    same = same && (p->shape[i] <= 1 || p->source_strides[i] == p->target_strides[i]);
  return wh_check_outputs(call, same ? 1 : 0);
}

static int64_t size_of(int64_t stride) { return stride < 0 ? -stride : stride; }

/* Drops axes of one element, sorts by target stride and joins axes that continue each other. */
WH_COMPACT static int collapse(const wh_move *p, axis *axes) {
  int rank = 0;
  for (int i = 0; i < p->rank; i++) {
    if (p->shape[i] == 1) continue;
    axis next = {p->shape[i], p->source_strides[i], p->target_strides[i]};
    int at = rank++;
    for (; at > 0 && size_of(axes[at - 1].to) < size_of(next.to); at--) axes[at] = axes[at - 1];
    axes[at] = next;
  }
  for (int i = rank - 1; i > 0; i--) {
    axis *outer = &axes[i - 1], *inner = &axes[i];
    if (outer->from != inner->from * inner->extent || outer->to != inner->to * inner->extent)
      continue;
    *outer = (axis){outer->extent * inner->extent, inner->from, inner->to};
    rank--;
    for (int j = i; j < rank; j++) axes[j] = axes[j + 1];
  }
  return rank;
}

/* Two axes of single elements, in blocks so that both sides reuse their cache lines. */
#define PLANE(type)                                                                \
  {                                                                                \
    for (int64_t i0 = 0; i0 < o.extent; i0 += 16) {                                \
      const int64_t i1 = wh_min64(i0 + 16, o.extent);                              \
      for (int64_t j0 = 0; j0 < n.extent; j0 += 16) {                              \
        const int64_t j1 = wh_min64(j0 + 16, n.extent);                            \
        for (int64_t i = i0; i < i1; i++) {                                        \
          const type *x = (const type *)from + i * o.from;                         \
          type *y = (type *)to + i * o.to;                                         \
          WH_ROLLED for (int64_t j = j0; j < j1; j++) y[j * n.to] = x[j * n.from]; \
        }                                                                          \
      }                                                                            \
    }                                                                              \
    break;                                                                         \
  }

static __attribute__((noinline)) void plane(uint8_t *to, const uint8_t *from, axis o, axis n,
                                            int bytes) {
  switch (bytes) {
    case 1:
      PLANE(uint8_t)
    case 2:
      PLANE(uint16_t)
    case 4:
      PLANE(uint32_t)
    default:
      PLANE(uint64_t)
  }
}

#define PAIRS(a, b, first, second) \
  __builtin_shufflevector(a, b, first, 4 + first, second, 4 + second)
#define HALVES(a, b, first) __builtin_shufflevector(a, b, first, first + 1, first + 4, first + 5)

/* y[i][j] = x[j][i] for four by four. */
static inline void square(float *y, ptrdiff_t y_row, const float *x, ptrdiff_t x_row) {
  const vf a = v_load(x), b = v_load(x + x_row);
  const vf c = v_load(x + 2 * x_row), d = v_load(x + 3 * x_row);
  const vf low = PAIRS(a, b, 0, 1), low2 = PAIRS(c, d, 0, 1);
  const vf high = PAIRS(a, b, 2, 3), high2 = PAIRS(c, d, 2, 3);
  v_store(y, HALVES(low, low2, 0));
  v_store(y + y_row, HALVES(low, low2, 2));
  v_store(y + 2 * y_row, HALVES(high, high2, 0));
  v_store(y + 3 * y_row, HALVES(high, high2, 2));
}

/* Three planes into pixels, four at a time; returns how many pixels. */
static int64_t interleave(float *y, const float *x, ptrdiff_t x_plane, int64_t pixels) {
  int64_t i = 0;
  for (; i + 4 <= pixels; i += 4, x += 4, y += 12) {
    const vf a = v_load(x), b = v_load(x + x_plane), c = v_load(x + 2 * x_plane);
    const vf low = PAIRS(a, b, 0, 1), high = PAIRS(a, b, 2, 3);
    const vf middle = __builtin_shufflevector(low, c, 3, 5, 3, 5);
    v_store(y, __builtin_shufflevector(low, c, 0, 1, 4, 2));
    v_store(y + 4, HALVES(middle, high, 0));
    v_store(y + 8, __builtin_shufflevector(c, high, 2, 6, 7, 3));
  }
  return i;
}

/* A matrix of 4-byte elements, o contiguous in the source and n in the target: squares, and the
 * rest one by one. */
static __attribute__((noinline)) void transpose(uint8_t *to, const uint8_t *from, axis o, axis n) {
  const float *x = (const float *)from;
  float *y = (float *)to;
  if (n.extent == 3 && o.to == 3) {
    const int64_t done = interleave(y, x, (ptrdiff_t)n.from, o.extent);
    o.extent -= done;
    plane((uint8_t *)(y + 3 * done), (const uint8_t *)(x + done), o, n, 4);
    return;
  }
  const axis rows = {o.extent & -4, o.from, o.to}, columns = {n.extent & -4, n.from, n.to};
  for (int64_t i0 = 0; i0 < rows.extent; i0 += 16) {
    for (int64_t j = 0; j < columns.extent; j += 4) {
      for (int64_t i = i0; i < rows.extent && i < i0 + 16; i += 4)
        square(y + i * o.to + j, (ptrdiff_t)o.to, x + j * n.from + i, (ptrdiff_t)n.from);
    }
  }
  const axis below = {o.extent - rows.extent, o.from, o.to};
  const axis beside = {n.extent - columns.extent, n.from, n.to};
  if (beside.extent)
    plane((uint8_t *)(y + columns.extent), (const uint8_t *)(x + columns.extent * n.from), rows,
          beside, 4);
  if (below.extent)
    plane((uint8_t *)(y + rows.extent * o.to), (const uint8_t *)(x + rows.extent), below, n, 4);
}

static void elements(uint32_t cpu, uint8_t *to, const uint8_t *from, axis o, axis n, int bytes) {
  if (bytes == 1 && o.from == 1 && o.to == 3 && n.to == 1 && n.extent == 3) {
    const int64_t done = wh_interleave3(cpu, to, from, (ptrdiff_t)n.from, o.extent);
    o.extent -= done;
    to += 3 * done;
    from += done;
  }
  plane(to, from, o, n, bytes);
}

int32_t wh_move_run(const wh_call *call) {
  const wh_move *p = call->parameters;
  const int64_t bytes = p->element_size;
  const uint8_t *from = wh_input(call, 0)->data;
  uint8_t *to = wh_output(call, 0)->data;
  axis axes[WH_MAX_RANK + 2];
  for (int i = 0; i < p->rank; i++) {
    if (p->shape[i] == 0) return WHERRY_OK;
  }
  from += p->source_offset * bytes;
  to += p->target_offset * bytes;
  if (from == to) return WHERRY_OK;
  int rank = collapse(p, axes);
  const bool runs = rank > 0 && axes[rank - 1].from == 1 && axes[rank - 1].to == 1;
  const size_t run = (size_t)((runs ? axes[--rank].extent : 1) * bytes);
  axis inner = {1, 0, 0}, outer = {1, 0, 0};
  if (rank > 0) inner = axes[--rank];
  if (!runs && rank > 0) {
    int best = rank - 1; /* the axis contiguous in the source pairs best with the target's */
    for (int i = 0; i < rank; i++) {
      if (size_of(axes[i].from) < size_of(axes[best].from)) best = i;
    }
    outer = axes[best];
    for (rank--; best < rank; best++) axes[best] = axes[best + 1];
  }
  int64_t index[WH_MAX_RANK + 1] = {0};
  for (;;) {
    if (runs) {
      for (int64_t i = 0; i < inner.extent; i++)
        wh_copy_run(to + i * inner.to * bytes, from + i * inner.from * bytes, run);
    } else {
      if (bytes == 4 && outer.from == 1 && inner.to == 1 && inner.extent > 2)
        transpose(to, from, outer, inner);
      else
        elements(call->cpu, to, from, outer, inner, (int)bytes);
    }
    int i = rank - 1;
    for (; i >= 0; i--) {
      from += axes[i].from * bytes;
      to += axes[i].to * bytes;
      if (++index[i] < axes[i].extent) break;
      from -= axes[i].from * axes[i].extent * bytes;
      to -= axes[i].to * axes[i].extent * bytes;
      index[i] = 0;
    }
    if (i < 0) return WHERRY_OK;
  }
}
