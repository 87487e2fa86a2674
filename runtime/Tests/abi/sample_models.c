#include "sample_models.h"

#include <math.h>

file two_operations(void) {
  static const float weights[5][16] = {{1, 0, 2}, {0, 1, 2}, {1, 1, 2}, {0, 0, 2}, {1, 0, 2}};
  static const float bias[3] = {0.5f, -0.5f, 0};
  static const float x[5] = {1, -2, 3, -4, 5}, y[5] = {1, 0, 3, 0, 5}, z[3] = {9.5f, 2.5f, 18};
  const void *const vectors[] = {x, z, y};
  const int32_t row[] = {1, 5, -1}, out[] = {1, 3, -1}, packed[] = {80, -1}, three[] = {3, -1};
  builder b;
  builder_begin(&b);
  b.plan.macs = 15;
  uint32_t tx = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "features", row);
  uint32_t ty = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "hidden", row);
  uint32_t tz = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "scores", out);
  uint32_t tw = builder_weight(&b, WH_FLOAT32, packed, weights);
  uint32_t tb = builder_weight(&b, WH_FLOAT32, three, bias);
  builder_input(&b, tx);
  builder_output(&b, tz);
  builder_output(&b, ty);
  builder_labels(&b, tz,
                 "cat\0dog\0z\xC3\xA9"
                 "bra",
                 3);
  wh_unary relu = {.kind = WH_CLIP, .element = WH_FLOAT32, .alpha = 0, .beta = INFINITY};
  builder_operation(&b, 7, "relu", &relu, sizeof relu, 1, 1, (uint32_t[]){tx, ty});
  wh_matmul dense = {.m = 1,
                     .k = 5,
                     .n = 3,
                     .packed = 1,
                     .batch = {1, 1, 1},
                     .a_row = 5,
                     .low = -INFINITY,
                     .high = INFINITY};
  builder_operation(&b, 5, "dense", &dense, sizeof dense, 4, 1,
                    (uint32_t[]){ty, tw, tb, WH_NONE, tz});
  builder_tests(&b, 1e-5f, 1e-6f, 1, vectors);
  return builder_finish(&b);
}

file accumulator(void) {
  const int32_t four[] = {4, -1};
  builder b;
  builder_begin(&b);
  uint32_t sum = builder_tensor(&b, WH_STORAGE_STATE, WH_FLOAT32, "sum", four);
  uint32_t x = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "x", four);
  builder_input(&b, x);
  builder_output(&b, sum);
  wh_binary add = {.kind = WH_ADD,
                   .element = WH_FLOAT32,
                   .rank = 1,
                   .shape = {4},
                   .a_strides = {1},
                   .b_strides = {1},
                   .low = -INFINITY,
                   .high = INFINITY};
  builder_operation(&b, 6, 0, &add, sizeof add, 2, 1, (uint32_t[]){sum, x, sum});
  return builder_finish(&b);
}

file convolution(void) {
  enum { SIDE = 24, CHANNELS = 16, FILTERS = 32, WEIGHTS = 9 * CHANNELS * FILTERS };
  static float weights[WEIGHTS];
  for (int i = 0; i < WEIGHTS; i++) weights[i] = (float)(i % 17) / 8 - 1;
  const int32_t in[] = {1, SIDE, SIDE, CHANNELS, -1}, out[] = {1, SIDE, SIDE, FILTERS, -1},
                packed[] = {WEIGHTS, -1};
  builder b;
  builder_begin(&b);
  b.plan.macs = (uint64_t)SIDE * SIDE * WEIGHTS;
  uint32_t x = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "x", in);
  uint32_t y = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "y", out);
  uint32_t w = builder_weight(&b, WH_FLOAT32, packed, weights);
  builder_input(&b, x);
  builder_output(&b, y);
  wh_conv conv = {.batch = 1,
                  .groups = 1,
                  .channels = CHANNELS,
                  .filters = FILTERS,
                  .in = {1, SIDE, SIDE},
                  .out = {1, SIDE, SIDE},
                  .kernel = {1, 3, 3},
                  .stride = {1, 1, 1},
                  .dilation = {1, 1, 1},
                  .pad = {0, 1, 1},
                  .low = -INFINITY,
                  .high = INFINITY};
  builder_operation(&b, 3, "conv", &conv, sizeof conv, 4, 1,
                    (uint32_t[]){x, w, WH_NONE, WH_NONE, y});
  return builder_finish(&b);
}
