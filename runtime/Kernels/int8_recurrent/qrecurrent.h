/* What QLSTM and QGRU share: operands, the walk over a sequence and the products with its matrices.
 */
#ifndef WHERRY_QRECURRENT_H
#define WHERRY_QRECURRENT_H

#include "../int8_conv/qtile.h"
#include "cells8.h"

enum { WH_QX, WH_QW, WH_QR, WH_QBIAS, WH_QBIAS_R, WH_QINITIAL_H, WH_QINITIAL_C };

typedef struct wh_qrecurrence {
  const wh_call *call;
  const wh_qrecurrent *p;
  wh_cell8 cell;        /* of the first sequence and step */
  int64_t gates, pitch; /* columns of all gates; units from a sequence to the next */
  float *x, *r;         /* [steps, batch, gates] and [batch, gates] */
} wh_qrecurrence;

const char *wh_qrecurrent_check(const wh_call *call, int gates, bool split /* r's stream */);

/* state: the operand of what the cell keeps. */
void wh_qrecurrence_begin(wh_qrecurrence *s, const wh_call *call, int gates, unsigned state);

/* y[batch][gates] = a stream of so many columns times the sequences' bytes at h, and its bias;
 * returns the stream's end. */
const uint8_t *wh_qrecurrence_multiply(const wh_qrecurrence *s, const uint8_t *stream,
                                       int64_t columns, const uint8_t *h, const float *bias,
                                       float *y);

/* Makes s->x hold a step's products with x and points the cell at them. */
void wh_qrecurrence_take(wh_qrecurrence *s, int64_t step);

/* One sequence's cell of the step that was taken. */
wh_cell8 wh_qrecurrence_cell(const wh_qrecurrence *s, int64_t step, int64_t batch);

/* Writes y of a step. */
void wh_qrecurrence_give(const wh_qrecurrence *s, int64_t step);

/* Writes the final states; kept: h is the state. */
void wh_qrecurrence_end(const wh_qrecurrence *s, bool kept);

#endif
