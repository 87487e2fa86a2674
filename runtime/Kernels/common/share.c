#include "share.h"

#include "operands.h"
/**/
#include "compact.h"

enum { CONV = 3, DEPTHWISE = 4, MATMUL = 5, QCONV = 29, QDEPTHWISE = 30 };

/* Multiply-accumulates below which waking a worker costs more than it saves. */
enum { LEAST_FLOAT = 100000, LEAST_INT8 = 400000 };

/* What a division needs of a convolution; the structs of plan.h begin alike. */
typedef struct wh_conv_extents {
  int32_t batch, groups, channels, filters;
  int32_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
} extents;

_Static_assert(offsetof(wh_conv, pad) == offsetof(extents, pad), "wh_conv");
_Static_assert(offsetof(wh_qconv, pad) == offsetof(extents, pad), "wh_qconv");

/* The axis of the output that is divided, all before it being 1; -1 for none. */
static int axis_of(const extents *p) {
  if (p->batch != 1) return -1;
  for (int i = 0; i < 3; i++) {
    if (p->out[i] != 1) return i;
  }
  return -1;
}

static bool is_conv(uint32_t code) {
  return code == CONV || code == DEPTHWISE || code == QCONV || code == QDEPTHWISE;
}

int wh_share_count(uint32_t code, const wh_call *call, int limit) {
  uint64_t work, rows;
  if (call->input_count + call->output_count > WH_SHARE_OPERANDS || call->scratch_count) return 1;
  if (is_conv(code)) {
    const extents *p = call->parameters;
    const int axis = axis_of(p);
    if (axis < 0) return 1;
    rows = (uint64_t)p->out[axis];
    work = wh_times(wh_times(wh_count(p->out, 3), p->groups), p->filters);
    work = wh_times(wh_times(work, p->channels), (int64_t)wh_count(p->kernel, 3));
  } else if (code == MATMUL) {
    const wh_matmul *p = call->parameters;
    if (wh_count(p->batch, 3) != 1) return 1;
    rows = (uint64_t)p->m;
    work = wh_count3(p->m, p->k, p->n);
  } else {
    return 1;
  }
  const uint64_t least = code >= QCONV ? LEAST_INT8 : LEAST_FLOAT;
  uint64_t most = work / least;
  if (most > rows) most = rows;
  return most < 2 ? 1 : most < (uint64_t)limit ? (int)most : limit;
}

static void advance(wh_share *share, unsigned operand, ptrdiff_t bytes) {
  if (share->operands[operand] != WH_NONE) share->tensors[operand].data += bytes;
}

static void take_conv(wh_share *s, uint32_t code, int part, int parts) {
  extents *p = (extents *)&s->parameters;
  const int axis = axis_of(p);
  const int64_t rows = p->out[axis], first = rows * part / parts, end = rows * (part + 1) / parts;
  ptrdiff_t pixels = (ptrdiff_t)first;
  for (int i = axis + 1; i < 3; i++) pixels *= p->out[i];
  p->out[axis] = (int32_t)(end - first);
  p->pad[axis] -= (int32_t)first * p->stride[axis];
  const ptrdiff_t width = (ptrdiff_t)p->groups * p->filters;
  const unsigned y = s->call.input_count;
  if (code == QCONV || code == QDEPTHWISE) {
    const wh_qconv *q = &s->parameters.qconv;
    advance(s, y, pixels * q->y_row * (q->result == WH_RESULT_Q8 ? 1 : 4));
    if (s->call.input_count > 2) advance(s, 2, pixels * width);
  } else {
    advance(s, y, pixels * width * 4);
    if (s->call.input_count > 3) advance(s, 3, pixels * width * 4);
  }
}

static void take_matmul(wh_share *s, int part, int parts) {
  wh_matmul *p = &s->parameters.matmul;
  const int64_t first = (int64_t)p->m * part / parts, end = (int64_t)p->m * (part + 1) / parts;
  p->m = (int32_t)(end - first);
  advance(s, 0, (ptrdiff_t)(first * p->a_row * 4));
  advance(s, s->call.input_count, (ptrdiff_t)(first * p->n * 4));
  if (s->call.input_count > 3) advance(s, 3, (ptrdiff_t)(first * p->n * 4));
}

void wh_share_take(wh_share *s, uint32_t code, const wh_call *call, int part, int parts) {
  const unsigned operands = (unsigned)call->input_count + call->output_count;
  s->call = *call;
  for (unsigned i = 0; i < operands; i++) {
    s->operands[i] = call->operands[i] == WH_NONE ? WH_NONE : i;
    if (call->operands[i] != WH_NONE) s->tensors[i] = call->tensors[call->operands[i]];
  }
  s->call.tensors = s->tensors;
  s->call.operands = s->operands;
  s->call.parameters = &s->parameters;
  if (code == MATMUL) {
    memcpy(&s->parameters, call->parameters, sizeof(wh_matmul));
    take_matmul(s, part, parts);
    return;
  }
  const bool is_int8 = code == QCONV || code == QDEPTHWISE;
  memcpy(&s->parameters, call->parameters, is_int8 ? sizeof(wh_qconv) : sizeof(wh_conv));
  take_conv(s, code, part, parts);
}

#include "region_end.h"
