/* The element-wise half of an 8-bit recurrent step: gates from their pre-activations, state and
 * hidden values from the gates. Every variant gives the same bits. */
#ifndef WHERRY_CELLS8_H
#define WHERRY_CELLS8_H

#include <stdint.h>

/* Units a variant may compute at once: the pitch of state and h is a multiple of it, and so many
 * floats are readable after x and r. */
#define WH_CELL_UNITS 32

/* One sequence's step. Pre-activations are times 4096. */
typedef struct wh_cell8 {
  const float *x, *r; /* [gates][hidden] of both products, biases added */
  float *state;       /* LSTM c, GRU h; in place */
  uint8_t *h;         /* stored bytes, written; wh_gru8_reset: read */
  uint8_t *reset;     /* wh_gru8_reset: of r * h, written */
  int64_t hidden;
  float factor; /* 1 / sh */
  int32_t zero; /* of h, signed view */
  uint8_t flip; /* of stored bytes */
  uint8_t linear_before_reset;
} wh_cell8;

typedef void wh_cell8_function(const wh_cell8 *cell);
wh_cell8_function wh_lstm8_scalar, wh_lstm8_avx2, wh_lstm8_avx512, wh_lstm8_neon;
wh_cell8_function wh_gru8_scalar, wh_gru8_avx2, wh_gru8_avx512, wh_gru8_neon;
wh_cell8_function wh_gru8_reset_scalar, wh_gru8_reset_avx2, wh_gru8_reset_avx512,
    wh_gru8_reset_neon;

/* 2^15 tanh(x / 2) for 16 stretches of x by 1/2, in three coefficients of the part of a stretch. */
extern const int16_t wh_cell8_curve[3][16];

/* A state is 0 or at least WH_CELL8_LEAST and at most WH_CELL8_MOST in magnitude. */
#define WH_CELL8_LEAST 0x1p-60f
#define WH_CELL8_MOST 65536.0f

static inline float wh_cell8_state(float c) {
  c = c == c ? c : 0;
  c = c < -WH_CELL8_MOST ? -WH_CELL8_MOST : c > WH_CELL8_MOST ? WH_CELL8_MOST : c;
  return c > -WH_CELL8_LEAST && c < WH_CELL8_LEAST ? 0 : c;
}

#endif
