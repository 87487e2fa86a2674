/* A call divided among workers: each does some rows of the output. Shares write disjoint memory and
 * every 8-bit element is the same bytes for any number of them; float32 sums may round differently
 * where a tile of other rows adds in another order. */
#ifndef WHERRY_SHARE_H
#define WHERRY_SHARE_H

#include "../include/kernels.h"

enum { WH_SHARE_OPERANDS = 8 };

/* Part of a call, with parameters and operands of its own. */
typedef struct wh_share {
  wh_call call;
  wh_tensor tensors[WH_SHARE_OPERANDS];
  uint32_t operands[WH_SHARE_OPERANDS];
  union {
    wh_conv conv;
    wh_qconv qconv;
    wh_matmul matmul;
  } parameters;
} wh_share;

/* How many shares a call is worth, at most limit: 1 for operators that are not divided and for
 * those that end before a worker wakes. */
int wh_share_count(uint32_t code, const wh_call *call, int limit);

/* Share part of parts, as counted. */
void wh_share_take(wh_share *share, uint32_t code, const wh_call *call, int part, int parts);

#endif
