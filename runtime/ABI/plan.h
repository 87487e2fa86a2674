/* plan.h: the plan of a native file as bytes, shared by the compiler that writes it and the runtime
 * that executes it. Everything is little-endian; every field is naturally aligned; no padding.
 *
 * A plan section is, in this order and without gaps other than zero padding to 8 bytes:
 *   wh_plan_header
 *   wh_tensor_record     [tensor_count]
 *   wh_operation_record  [operation_count]
 *   uint32_t operands    [operand_count]     tensor indices, WH_NONE for an absent optional operand
 *   uint8_t parameters   [parameter_bytes]   one struct below per operation, each at a multiple of 8
 *   char text            [text_bytes]        NUL-terminated UTF-8 strings
 *
 * Model inputs are the first input_count operands, model outputs the next output_count.
 *
 * Layout convention: a tensor record's dims are the shape the operators see, row-major. Feature maps
 * of convolution and pooling are channels-last (N, D, H, W, C); 1-D and 2-D use extent 1 for the
 * missing leading spatial axes. Model inputs and outputs keep the shape of the graph's interface;
 * the compiler inserts Move operations where a layout changes.
 *
 * The operator codes and the kernel that serves each are the rows of operators.def.
 *
 * What the runtime's verifier demands beyond the fields' own comments:
 * - padding is zero, text is UTF-8 and its last byte is NUL, reserved fields are 0;
 * - tensors may share memory: a tensor may be another one's view;
 * - inside one operation, an output may overlap an input only if both begin at the same offset, and no
 *   other output; scratch overlaps no operand;
 * - model inputs are arena tensors; outputs may be anywhere, inputs and weights included;
 * - an operation has at most 32 operands, scratch is never WH_NONE;
 * - labels of all tensors together are scanned over at most 16 times text_bytes.
 * That a tensor is written before it is read is the compiler's duty: the arena starts as zeros.
 */
#ifndef WHERRY_PLAN_H
#define WHERRY_PLAN_H

#include <stdint.h>

#define WH_PLAN_VERSION 1u
#define WH_NONE 0xFFFFFFFFu
#define WH_MAX_RANK 8
/* Arena and weight offsets are multiples of this, and so is the arena's address. */
#define WH_ALIGNMENT 64
/* Width in floats of one packed weight panel; see wh_panel below. */
#define WH_PANEL 16

/* Where a tensor's bytes are. */
enum {
  WH_STORAGE_ARENA = 0,   /* offset in the caller's arena */
  WH_STORAGE_WEIGHTS = 1, /* offset in the weights section; read-only */
  WH_STORAGE_STATE = 2    /* offset in the arena's persistent head, kept between invocations */
};

/* Element types carry ONNX's TensorProto.DataType codes; these are the ones kernels execute. */
enum {
  WH_FLOAT32 = 1, WH_UINT8 = 2, WH_INT8 = 3, WH_UINT16 = 4, WH_INT16 = 5, WH_INT32 = 6, WH_INT64 = 7,
  WH_BOOL = 9, WH_FLOAT16 = 10, WH_FLOAT64 = 11, WH_UINT32 = 12, WH_UINT64 = 13
  /* and WH_Q8 of plan_int8.h */
};

typedef struct wh_plan_header { /* 64 bytes */
  uint32_t version;         /* WH_PLAN_VERSION */
  uint32_t tensor_count;
  uint32_t operation_count;
  uint32_t operand_count;
  uint32_t input_count;
  uint32_t output_count;
  uint32_t parameter_bytes;
  uint32_t text_bytes;
  uint64_t arena_bytes;     /* exact: the largest offset + bytes of any arena or state tensor, rounded up to WH_ALIGNMENT */
  uint64_t state_bytes;     /* persistent head of the arena, multiple of WH_ALIGNMENT */
  uint64_t macs;            /* multiply-accumulates of one invocation */
  uint64_t live_bytes;      /* the live-set lower bound of arena_bytes */
} wh_plan_header;

typedef struct wh_tensor_record { /* 80 bytes */
  uint64_t offset;
  uint64_t bytes;           /* product of dims times element size, for packed weights too */
  uint32_t element;
  uint32_t storage;
  uint32_t rank;            /* 0 to WH_MAX_RANK; packed weights have rank 1 */
  uint32_t name;            /* text offset, or WH_NONE */
  int32_t dims[WH_MAX_RANK];/* extents >= 0; unused ones are 0 */
  float scale;              /* int8 quantization: real = scale * (q - zero_point); 0 = not quantized */
  int32_t zero_point;
  uint32_t labels;          /* model output: text offset of its first class label, or WH_NONE */
  uint32_t label_count;     /* labels follow each other as NUL-terminated strings */
} wh_tensor_record;

typedef struct wh_operation_record { /* 32 bytes */
  uint32_t code;            /* from operators.def */
  uint32_t operands;        /* index of the first: inputs, then outputs, then scratch if any */
  uint16_t input_count;
  uint16_t output_count;
  uint16_t scratch_count;   /* 0 or 1: a tensor (uint8, arena) the kernel may overwrite */
  uint16_t reserved;
  uint32_t parameters;      /* byte offset in the parameter area, multiple of 8 */
  uint32_t parameter_bytes; /* sizeof the operation's struct below */
  uint32_t name;            /* text offset of the source node's name, or WH_NONE */
  uint32_t reserved2;
} wh_operation_record;

/* Packed matrices. A [K, N] float matrix is stored as ceil(N / 16) panels, each K rows of 16 floats,
 * the last panel's missing columns zero:  packed[(n / 16) * K * 16 + k * 16 + n % 16] = b[k][n].
 * Its record is float32 of rank 1 with ceil(N / 16) * K * 16 elements. */

/* Clamp fused at the end of an operation: y = min(max(y, low), high); low = -inf and high = +inf: none. */

/* 1 Move. in: x. out: y. Copies a strided block:
 *   y[target_offset + sum i_d * target_strides[d]] = x[source_offset + sum i_d * source_strides[d]]
 * for every index i below shape. Offsets and strides in elements, may be negative or 0 (source only).
 * Serves transpose, slice, split, concat, expand, tile, flip, pad, depth-to-space. Several operations
 * may write disjoint parts of one tensor. x and y may overlap only if identical in place. */
typedef struct wh_move {
  int32_t element_size; /* 1, 2, 4, 8 */
  int32_t rank;         /* 0 to 8 */
  int64_t source_offset, target_offset;
  int32_t shape[WH_MAX_RANK];
  int64_t source_strides[WH_MAX_RANK];
  int64_t target_strides[WH_MAX_RANK];
} wh_move;

/* 2 Fill. out: y. Every element of y gets the low element_size bytes of value. */
typedef struct wh_fill {
  int32_t element_size, reserved;
  uint64_t value;
} wh_fill;

/* 3 Conv. in: x [N, D, H, W, groups * C] float32, weights packed, bias [groups * M] or none, residual
 * like y or none (added before the clamp). out: y [N, OD, OH, OW, groups * M].
 * weights: groups matrices one after the other, each packed with K = KD*KH*KW*C (tap-major, channel
 * minor) and N = M. Sums taps in (kd, kh, kw, c) order. */
typedef struct wh_conv {
  int32_t batch, groups, channels /* C per group */, filters /* M per group */;
  int32_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3]; /* D, H, W; pad = at the beginning */
  float low, high;
} wh_conv;

/* 4 DepthwiseConv. in: x [N, D, H, W, C], weights [KD*KH*KW, C], bias [C] or none, residual or none.
 * out: y. One filter per channel; wh_conv with groups = C, channels = filters = 1. */

/* 5 MatMul. in: a, b, bias [N] or none, residual like y or none. out: y.
 *   y[batch][m][n] = clamp(sum_k a[batch][m][k] * b[batch][k][n] + bias[n] + residual[batch][m][n])
 * batch runs over up to 3 axes; strides in elements, 0 broadcasts. a's rows are contiguous in k;
 * a_row is the distance of rows. b is packed (packed = 1, one matrix, batch strides 0 or a multiple of
 * its packed size) or row-major [K, N] with b_row the distance of rows. y is dense [batch, M, N]. */
typedef struct wh_matmul {
  int32_t m, k, n, packed;
  int32_t batch[3], reserved;
  int64_t a_batch[3], b_batch[3];
  int64_t a_row, b_row;
  float low, high;
} wh_matmul;

/* 6 Binary. in: a, b. out: y, dense with shape. Strides in elements, 0 broadcasts. Element type of a
 * and b: element (float32, float64, int8, uint8, int16, int32, int64, bool); comparisons and logic give bool. */
typedef struct wh_binary {
  int32_t kind, element, rank, reserved;
  int32_t shape[WH_MAX_RANK];
  int64_t a_strides[WH_MAX_RANK], b_strides[WH_MAX_RANK];
  float low, high;      /* clamp, float32 only */
} wh_binary;
enum {
  WH_ADD = 1, WH_SUB, WH_MUL, WH_DIV, WH_POW, WH_MIN, WH_MAX, WH_MOD /* sign of divisor */,
  WH_FMOD /* sign of dividend */, WH_PRELU /* a < 0 ? a * b : a */, WH_EQUAL, WH_LESS, WH_LESS_EQUAL,
  WH_GREATER, WH_GREATER_EQUAL, WH_AND, WH_OR, WH_XOR, WH_BIT_AND, WH_BIT_OR, WH_BIT_XOR, WH_SHIFT_LEFT,
  WH_SHIFT_RIGHT
};

/* 7 Unary. in: x. out: y of the same element count; may be in place. alpha, beta, gamma: see kinds. */
typedef struct wh_unary {
  int32_t kind, element;
  float alpha, beta, gamma;
  int32_t reserved;
} wh_unary;
enum {
  WH_ABS = 1, WH_NEG, WH_SIGN, WH_CEIL, WH_FLOOR, WH_ROUND /* half to even */, WH_SQRT, WH_RECIPROCAL,
  WH_EXP, WH_LOG, WH_SIN, WH_COS, WH_TAN, WH_ASIN, WH_ACOS, WH_ATAN, WH_SINH, WH_COSH, WH_TANH, WH_ASINH,
  WH_ACOSH, WH_ATANH, WH_ERF, WH_SIGMOID, WH_SOFTPLUS, WH_SOFTSIGN,
  WH_CLIP /* min(max(x, alpha), beta) */, WH_LEAKY_RELU /* alpha */, WH_ELU /* alpha */,
  WH_SELU /* alpha, gamma */, WH_CELU /* alpha */, WH_GELU /* exact, erf */, WH_GELU_TANH,
  WH_HARD_SIGMOID /* clamp(alpha x + beta, 0, 1) */, WH_HARD_SWISH, WH_MISH, WH_SWISH /* x sigmoid(alpha x) */,
  WH_THRESHOLDED_RELU /* alpha */, WH_SHRINK /* alpha = lambd, beta = bias */, WH_NOT /* bool */,
  WH_BIT_NOT, WH_IS_NAN /* -> bool */, WH_IS_INF /* -> bool; alpha, beta != 0: negative, positive count */,
  WH_AFFINE /* alpha x + beta */
};

/* 8 Cast. in: x. out: y; element types from the records. float -> integer truncates and saturates,
 * NaN becomes 0; anything -> bool is x != 0. No parameters. */

/* 9 Select. in: condition (bool), a, b. out: y, dense with shape. */
typedef struct wh_select {
  int32_t element_size, rank;
  int32_t shape[WH_MAX_RANK];
  int64_t condition_strides[WH_MAX_RANK], a_strides[WH_MAX_RANK], b_strides[WH_MAX_RANK];
} wh_select;

/* x viewed as [outer, count, inner]: the shape of every operator along one axis. */
/* 10 Reduce. out: y [outer, inner]. element float32, float64, int32, int64 (and uint8, int8, bool for min, max). */
typedef struct wh_reduce {
  int32_t kind, element;
  int32_t outer, count, inner, reserved;
} wh_reduce;
enum {
  WH_REDUCE_SUM = 1, WH_REDUCE_MEAN, WH_REDUCE_MAX, WH_REDUCE_MIN, WH_REDUCE_PROD, WH_REDUCE_L1,
  WH_REDUCE_L2, WH_REDUCE_LOG_SUM, WH_REDUCE_LOG_SUM_EXP, WH_REDUCE_SUM_SQUARE
};

/* 11 ArgReduce. out: y int64 [outer, inner]. The first index among equals, or the last. */
typedef struct wh_arg_reduce {
  int32_t minimum /* 0: argmax */, element, outer, count, inner, last;
} wh_arg_reduce;

/* 12 Softmax. out: y like x, may be in place. kind 0 softmax, 1 log softmax, 2 hardmax. */
typedef struct wh_softmax {
  int32_t kind, outer, count, inner;
} wh_softmax;

/* 13 Pool. in: x [N, D, H, W, C]. out: y [N, OD, OH, OW, C]. Padding never counts for max; for
 * average the divisor counts the padded window (clipped to in + pad_end) if count_include_pad. */
typedef struct wh_pool {
  int32_t kind /* 0 max, 1 average, 2 Lp */, batch, channels, p;
  int32_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
  int32_t count_include_pad;
} wh_pool;

/* 14 Normalize. in: x [rows, count], scale or none, bias or none. out: y. Each row is normalized:
 *   y = (x - mean) / sqrt(variance + epsilon) * scale[c] + bias[c],  mean = 0 when rms;
 *   c = (row % period) * channels_per_row + i / span.
 * kind 0: that; 1: rms; 2: divide by the L1 norm; 3: divide by the L2 norm; zero norms give 0. */
typedef struct wh_normalize {
  int32_t kind, rows, count, period, channels_per_row, span;
  float epsilon;
  int32_t reserved;
} wh_normalize;

/* 15 LRN. in: x [rows, channels] channels-last. out: y = x / (bias + alpha / size * sum x^2)^beta. */
typedef struct wh_lrn {
  int32_t rows, channels, size;
  float alpha, beta, bias;
} wh_lrn;

/* 16 LSTM, 17 GRU, 18 RNN: one direction each.
 * in: 0 x [steps, batch, input], 1 w packed K = input, N = gates * hidden, 2 r packed K = hidden,
 *     N = gates * hidden (GRU with linear_before_reset = 0: as two packed matrices, N = 2 hidden for
 *     z, r, then N = hidden for h), 3 bias [gates * hidden] (Wb + Rb; GRU: [4 hidden] = z, r, Wbh, Rbh) or none,
 *     4 initial_h [batch, hidden] or none, 5 initial_c or none (LSTM), 6 peepholes [3 hidden] i, o, f or
 *     none (LSTM), 7 sequence lengths int32 [batch] or none.
 * out: 0 y or none, 1 y_h [batch, hidden] or none, 2 y_c or none (LSTM).
 * Gate order in N as in ONNX: LSTM i, o, f, c; GRU z, r, h; RNN one.
 * y's element of step t, batch b, unit u is y[y_offset + t * y_step + b * y_batch + u]; x's step and batch strides
 * likewise (x_step, x_batch); y_h and y_c start at h_offset with batch distance h_batch.
 * scratch: (batch * gates * hidden * 2 + batch * hidden * 3) * 4 bytes, rounded up to WH_ALIGNMENT. */
typedef struct wh_recurrent {
  int32_t steps, batch, input, hidden;
  int32_t reverse, input_forget, linear_before_reset, clip_set;
  int32_t activation[3]; /* kinds below: f, g, h */
  float alpha[3], beta[3], clip;
  int32_t reserved[2];
  int64_t x_step, x_batch, y_step, y_batch, y_offset, h_batch, h_offset;
} wh_recurrent;
enum {
  WH_ACT_SIGMOID = 1, WH_ACT_TANH, WH_ACT_RELU, WH_ACT_AFFINE, WH_ACT_LEAKY_RELU, WH_ACT_THRESHOLDED_RELU,
  WH_ACT_SCALED_TANH, WH_ACT_HARD_SIGMOID, WH_ACT_ELU, WH_ACT_SOFTSIGN, WH_ACT_SOFTPLUS
};

/* 19 Gather. in: x [outer, count, inner], indices int32 or int64 [n], each in -count ... count - 1.
 * out: y [outer, n, inner]. An index out of range ends the invocation with WHERRY_BAD_VALUE. */
typedef struct wh_gather {
  int32_t element_size, outer, count, inner, indices, reserved;
} wh_gather;

/* 20 GatherElements, 21 ScatterElements along axis. Gather in: x, indices (same rank). out: y like indices.
 * Scatter in: x, indices, updates. out: y like x (may be in place of x). */
typedef struct wh_elements {
  int32_t element, axis, rank, reduction /* 0 none 1 add 2 mul 3 max 4 min */;
  int32_t x_shape[WH_MAX_RANK], index_shape[WH_MAX_RANK];
} wh_elements;

/* 22 GatherND, 23 ScatterND. in: x, indices [batch * tuples, depth] int64, (updates). x is viewed as
 * [batch, extents of depth axes ..., inner]. */
typedef struct wh_nd {
  int32_t element, batch, tuples /* per batch */, depth, inner, reduction;
  int32_t extents[WH_MAX_RANK];
} wh_nd;

/* 24 TopK. in: x [outer, count, inner]. out: values, indices int64 [outer, k, inner] or none. Equal values: lower index first. */
typedef struct wh_top_k {
  int32_t element, outer, count, inner, k, largest;
} wh_top_k; /* scratch: count * 4 bytes rounded up to WH_ALIGNMENT */

/* 25 Scan (cumulative). in: x [outer, count, inner]. out: y. kind 0 sum, 1 product. */
typedef struct wh_scan {
  int32_t kind, element, outer, count, inner, exclusive, reverse, reserved;
} wh_scan;

/* 26 Quantize. in: x float32 [outer, count, inner], scale [count or 1], zero point [same] or none.
 * out: y int8, uint8, int16 or uint16: saturate(round_half_even(x / scale) + zero_point).
 * 27 Dequantize. in: x int8, uint8, int16, uint16 or int32, scale, zero point or none. out: y float32. */
typedef struct wh_quantize {
  int32_t outer, count /* 1: per tensor */, inner, reserved;
} wh_quantize;

/* 28 Interpolate along one axis. in: x [outer, count, inner] float32, indices int32 [out, taps] in
 * 0 ... count - 1, weights float32 [out, taps]. out: y [outer, out, inner] = sum_t weights[o][t] * x[indices[o][t]]. */
typedef struct wh_interpolate {
  int32_t outer, count, inner, out, taps, reserved;
} wh_interpolate;

/* 29 and above: 8-bit quantized tensors. */
#include "plan_int8.h"

#endif
