/* sample_models.h: the small models that tests, fuzzer seeds and examples run. */
#ifndef SAMPLE_MODELS_H
#define SAMPLE_MODELS_H

#include "model_builder.h"

/* y = clip(x, 0, inf) of 5 floats, then z = y * w + b of [1, 5] by packed [5, 3]. z has labels and
 * is output 0, y is output 1; one self-test case. */
file two_operations(void);

/* state = state + x of 4 floats; output is the state. */
file accumulator(void);
/* x [1, 24, 24, 16] -> a 3x3 convolution of 32 filters -> y; 2.7 million multiply-accumulates. */
file convolution(void);

#endif
