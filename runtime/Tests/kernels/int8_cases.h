/* What tests of 8-bit kernels share: processors with the storage each takes, and the arithmetic of
 * runtime/ARITHMETIC.md in the plainest code. */
#ifndef INT8_CASES_H
#define INT8_CASES_H

#include "harness.h"

enum { MAX_STORED_CPUS = 2 * MAX_CPUS };

/* cpu_masks with the storage bit each wants, and the first (scalar) and the last with the other. */
int stored_cpus(uint32_t masks[MAX_STORED_CPUS]);

/* The byte of a signed value in the storage of a processor, and back. */
uint8_t stored(int value, uint32_t cpu);
int value_of(uint8_t byte, uint32_t cpu);

/* clamp(rhe(t) + zero, low, high) */
int quantized(float t, int zero, int low, int high);

/* count, or times as many as the environment's WHERRY_ROUNDS says. */
int64_t rounds(int64_t count);

/* A factor that takes accumulators of this size to all of 8 bits; now and then any factor. */
float random_factor(double size);

/* low <= zero-ish clamp: often -128 ... 127. */
void random_clamp(int32_t *zero, int32_t *low, int32_t *high);

#endif
