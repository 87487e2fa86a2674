/* Spans of float32 arithmetic. Each variant computes the same IEEE operations in the same order, so
 * all give the same bits, where nothing else is said. y may be x, a or b. */
#ifndef WHERRY_ELEMENTWISE_H
#define WHERRY_ELEMENTWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../ABI/plan.h"

/* y = clamp(a kind b), WH_ADD ... WH_MAX without WH_POW, and WH_PRELU. a_step and b_step are 0
 * or 1. */
typedef void wh_binary_function(int kind, const float *a, int a_step, const float *b, int b_step,
                                float *y, int64_t count, float low, float high);
wh_binary_function wh_binary_scalar, wh_binary_avx2;
void wh_binary_span(uint32_t cpu, int kind, const float *a, int a_step, const float *b, int b_step,
                    float *y, int64_t count, float low, float high);

/* y = kind(x) for the vectorised kinds; false, with nothing done, for the others. */
typedef bool wh_unary_function(const wh_unary *p, const float *x, float *y, int64_t count);
wh_unary_function wh_unary_scalar, wh_unary_avx2, wh_unary_avx512;

/* y = kind(x) for every float32 kind that gives float32. */
void wh_unary_span(uint32_t cpu, const wh_unary *p, const float *x, float *y, int64_t count);

/* kind(x) in float64, by libm; the definition of every kind that gives a number. */
double wh_unary_real(const wh_unary *p, double x);

/* y = softmax(x), of which variants differ in the order of a sum. */
typedef void wh_softmax_function(const float *x, float *y, int64_t count);
wh_softmax_function wh_softmax_scalar, wh_softmax_avx2, wh_softmax_avx512;
void wh_softmax_span(uint32_t cpu, const float *x, float *y, int64_t count);

#endif
