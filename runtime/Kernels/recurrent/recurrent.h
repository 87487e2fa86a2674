/* What LSTM, GRU and RNN share: the sequence walk, gate products and activations. Rows of a step
 * are the batch; the row of a sequence that has ended is computed and its results dropped. */
#ifndef WHERRY_RECURRENT_H
#define WHERRY_RECURRENT_H

#include "../common/operands.h"
#include "../gemm/gemm.h"

enum { WH_X, WH_W, WH_R, WH_BIAS, WH_INITIAL_H, WH_INITIAL_C, WH_PEEPHOLES, WH_LENGTHS };

typedef struct wh_recurrence {
  const wh_recurrent *p;
  const wh_call *call;
  wh_gemm gemm;
  int64_t hidden, gates;
  const float *bias;
  float *x_gates, *h_gates; /* [batch, gates * hidden] */
  float *h, *c, *spare;     /* [batch, hidden] */
} wh_recurrence;

const char *wh_recurrent_check(const wh_call *call, int gates, int split /* GRU's two matrices */,
                               int bias_gates, int activations);

/* WHERRY_OK, or WHERRY_BAD_VALUE for a sequence length outside 0 ... steps. */
int32_t wh_recurrence_begin(wh_recurrence *s, const wh_call *call, int gates);

/* Time of a sequence's step, or -1 when it has ended. */
int64_t wh_recurrence_time(const wh_recurrence *s, int64_t step, int64_t batch);

/* y[batch][columns] (rows y_row apart) = x of this step, or h, times a packed matrix, plus init. */
void wh_multiply_x(const wh_recurrence *s, int64_t step, const float *b, int64_t columns,
                   const float *init, int64_t init_row, float *y);
void wh_multiply_h(const wh_recurrence *s, const float *h, const float *b, int64_t columns,
                   const float *init, int64_t init_row, float *y, int64_t y_row);

/* x = activation[which](clip(x)) in place. */
void wh_activate(const wh_recurrence *s, int which, float *x, int64_t count);

/* Keeps h (and c) of rows that have ended, else takes next; writes y of this step. */
void wh_recurrence_step(wh_recurrence *s, int64_t step, const float *next_h, const float *next_c);

/* Zeros y after each sequence's end and writes the final states. */
void wh_recurrence_end(const wh_recurrence *s);

#endif
