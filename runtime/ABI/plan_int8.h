/* plan_int8.h: the plan's operators on 8-bit quantized tensors; part of plan.h. The arithmetic they
 * compute, bit by bit, is runtime/ARITHMETIC.md.
 *
 * An 8-bit value q stands for scale * (q - zero). Every value, zero point and clamp here is in the
 * signed view, -128 ... 127: a uint8 tensor is the int8 tensor of value - 128 and zero - 128.
 *
 * WH_Q8 tensors hold one byte a value in the signedness the processor prefers: q in two's complement, or
 * q + 128 where unsigned times signed dot products are the fast ones. They are arena tensors and never
 * model inputs or outputs; Cast converts int8 and uint8 to and from them. Feature maps are channels-last
 * and dense. Kernels may read up to 63 bytes past the end of any arena tensor, which the session owns.
 *
 * Factors are finite, normal, positive and at most WH_LARGEST_FACTOR. Those in parameters are verified at open; the
 * contents of streams and tables are not read then: whatever they hold, kernels stay inside their operands.
 */
#ifndef WHERRY_PLAN_INT8_H
#define WHERRY_PLAN_INT8_H

#include <stdint.h>

#define WH_Q8 31u
#define WH_LARGEST_FACTOR 16777216.0f

/* 29 QConv: convolutions and dense layers (a 1x1 convolution over batch * out pixels).
 * in: 0 x WH_Q8 [N, D, H, W, groups * C], 1 weights int8 stream, 2 residual WH_Q8 like y or none;
 *     result WH_RESULT_DYNAMIC only: 3 scale of x float32 [1], 4 zero point of x uint8 [1],
 *     5 bias float32 [groups * M] or none.
 * out: y [N, OD, OH, OW, groups * M] of WH_Q8, int32 or float32 as result says; element (pixel, channel) is
 *     y[y_offset + pixel * y_row + channel].
 * Stream: groups * ceil(M / 16) panels. A panel holds 16 output channels, missing ones zero:
 *   int32 bias[16]   b - x_zero * sum(w)  (WH_RESULT_DYNAMIC: 0)
 *   int32 sums[16]   sum(w)
 *   float scale[16]  factor of the accumulator: sx * sw / sy (WH_RESULT_DYNAMIC: sw; WH_RESULT_INT32: 0)
 *   int8  w[K / 4][16][4]
 * K runs over the taps in runs, each padded with zero weights to a multiple of 4: with groups = 1 and
 * dilation[2] = 1 a run is a row of the window (kernel[2] * C values, tap-major) and there are
 * kernel[0] * kernel[1]; otherwise a run is one tap (C values) and there are kernel[0..2] of them.
 * |b| + 255 * sum |w| < 2^31 for every channel. */
typedef struct wh_qconv {
  int32_t batch, groups, channels /* C per group */, filters /* M per group */;
  int32_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3]; /* as in wh_conv */
  int32_t result;             /* WH_RESULT_… below */
  int32_t x_zero;             /* what padding holds; dynamic: operand 4 instead */
  int32_t y_zero, low, high;  /* WH_RESULT_Q8: of y */
  int32_t c_zero, c_low, c_high, r_zero; /* with a residual: of the convolution's own 8-bit result, and the residual's zero */
  float c_factor, r_factor;   /* with a residual: y = clamp(rhe((c - c_zero) * c_factor + (r - r_zero) * r_factor) + y_zero) */
  int32_t y_row, y_offset;    /* in elements; dense: groups * M and 0 */
} wh_qconv;
enum { WH_RESULT_Q8 = 0, WH_RESULT_INT32 = 1, WH_RESULT_DYNAMIC = 2 };
/* Bytes of a panel before its weights. */
#define WH_QCONV_HEAD 192

/* 30 QDepthwiseConv: one filter a channel; wh_qconv with groups = C, channels = filters = 1, result WH_RESULT_Q8.
 * in: 0 x WH_Q8 [N, D, H, W, C], 1 weights int8 stream, 2 residual or none. out: y.
 * Stream: ceil(C / 16) blocks of int32 bias[16] (b - x_zero * sum(w)), float scale[16], int8 w[taps][16]. */
#define WH_QDEPTHWISE_HEAD 128

/* 31 QBinary. in: a, b WH_Q8. out: y WH_Q8, dense with shape; in place of a dense a or b allowed. */
typedef struct wh_qbinary {
  int32_t kind; /* WH_ADD, WH_SUB, WH_MUL */
  int32_t rank;
  int32_t shape[8];
  int64_t a_strides[8], b_strides[8]; /* in elements, 0 broadcasts */
  int32_t a_zero, b_zero, y_zero, low, high;
  float a_factor, b_factor; /* sa / sy and sb / sy; WH_MUL: sa * sb / sy and 0 */
  int32_t reserved;
} wh_qbinary;

/* 32 QLookup. in: x (WH_Q8, int8 or uint8), table of 256 elements of y's kind (int8 for WH_Q8) indexed by
 * q + 128. out: y of as many elements (WH_Q8, int8, uint8 or float32); in place where elements have one size.
 * No parameters. */

/* 33 QPool. in: x WH_Q8 [N, D, H, W, C]. out: y [N, OD, OH, OW, C]. */
typedef struct wh_qpool {
  int32_t kind; /* 0 max, 1 average */
  int32_t batch, channels;
  int32_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
  int32_t count_include_pad;
  int32_t x_zero, y_zero, low, high; /* max: zeros unused */
  double ratio;                      /* average: sx / sy */
} wh_qpool;

/* 34 QSoftmax. in: x WH_Q8 [outer, count, inner], table uint32 [256]: round(2^24 * exp(-d * sx)).
 * out: y WH_Q8, in place allowed. */
typedef struct wh_qsoftmax {
  int32_t outer, count, inner;
  int32_t y_zero;
  double inverse; /* 1 / sy */
} wh_qsoftmax;

/* 35 QMatMul of two activations. in: a, b WH_Q8. out: y WH_Q8, dense [batch, M, N].
 *   y = requantize(sum_k (a[m][k] - a_zero) * (b[k][n] - b_zero))
 * a's rows are contiguous in k. Strides in elements, 0 broadcasts. k <= WH_QMATMUL_DEPTH.
 * scratch: ceil(n / 16) * (64 * ceil(k / 4) + 192) + 64 bytes. */
typedef struct wh_qmatmul {
  int32_t m, k, n, reserved;
  int32_t batch[3], reserved2;
  int64_t a_batch[3], b_batch[3];
  int64_t a_row, b_row /* between k */, b_column /* between n */;
  int32_t a_zero, b_zero, y_zero, low, high;
  float factor; /* sa * sb / sy */
} wh_qmatmul;
#define WH_QMATMUL_DEPTH 32768

/* 36 QResize along two axes. in: x WH_Q8 [outer, in0, in1, inner], then for each axis indices int32 [out, taps] in
 * 0 ... in - 1 and weights int32 [out, taps] (operands: indices0, weights0, indices1, weights1). out: y WH_Q8
 * [outer, out0, out1, inner] = requantize(sum w0 * w1 * (x - x_zero)).
 * |sum| < 2^31: the products of both axes' sums of |w| stay below 2^23. */
typedef struct wh_qresize {
  int32_t outer, in[2], out[2], inner, taps[2];
  int32_t x_zero, y_zero;
  float factor;
  int32_t reserved;
} wh_qresize;

/* 37 DynamicQuantize, as ONNX's DynamicQuantizeLinear. in: x float32. out: 0 y (WH_Q8 or uint8), 1 scale float32 [1],
 * 2 zero point uint8 [1]. No parameters. */

/* 38 QLSTM, 39 QGRU: one direction each, ONNX's default activations, gates in ONNX's order (i, o, f, c; z, r, h).
 * in: 0 x WH_Q8 [steps, batch, input], 1 w, 2 r: streams of wh_qconv's panels with gates * hidden columns over
 *     K = input or hidden, head bias - zero * sum(w), scale 4096 * sx * sw or 4096 * sh * sr (QGRU with
 *     linear_before_reset = 0: r is a stream of 2 * hidden columns, z and r, and one of hidden after it),
 *     3 bias float32 [gates * hidden] added to w's product or none, 4 the same of r's, both times 4096 (what need
 *     not stay apart, all but QGRU's h with linear_before_reset = 1, is summed in 3),
 *     5 initial_h float32 [batch, hidden] or none, 6 initial_c float32 or none (QLSTM).
 * out: 0 y WH_Q8 or none, 1 y_h float32 or none, 2 y_c float32 or none (QLSTM).
 * Strides and offsets are those of wh_recurrent. y has the scale and zero of h.
 * scratch: 4 * ((min(steps, 8) + 1) * batch * gates * hidden + 64) + 6 * batch * P + 64 bytes, P = hidden rounded
 * up to a multiple of 32. */
typedef struct wh_qrecurrent {
  int32_t steps, batch, input, hidden;
  int32_t reverse, linear_before_reset;
  int32_t h_zero;
  float h_scale, h_factor; /* sh and 1 / sh */
  int32_t reserved;
  int64_t x_step, x_batch, y_step, y_batch, y_offset, h_batch, h_offset;
} wh_qrecurrent;

/* 40 MatMulWeights8: float activations by int8 weights. in: x float32 [m, k], weights int8 stream, bias float32 [n] or
 * none. out: y float32 [m, n] = clamp(scale[n] * sum_k x[m][k] * w[k][n] + bias[n]).
 * Stream: ceil(n / 16) panels of float scale[16], int8 w[k][16]. */
typedef struct wh_matmul_weights8 {
  int32_t m, k, n, reserved;
  float low, high;
} wh_matmul_weights8;

#endif
