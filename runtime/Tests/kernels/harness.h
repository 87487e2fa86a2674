/* A kernel call under test: operands in buffers of exactly their size, so that AddressSanitizer
 * sees every byte read or written beside them. */
#ifndef KERNEL_TEST_HARNESS_H
#define KERNEL_TEST_HARNESS_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ABI/wherry.h"
#include "../../Kernels/include/kernels.h"

enum { MAX_OPERANDS = 12, MAX_CPUS = 8, MAX_STORAGES = 3 * MAX_CPUS };

typedef struct test_case {
  wh_tensor tensors[MAX_OPERANDS];
  wh_tensor_record records[MAX_OPERANDS];
  uint32_t operands[MAX_OPERANDS];
  bool owned[MAX_OPERANDS];
  int count;
  uint64_t next_offset;
  wh_call call;
} test_case;

/* Starts a case; then operands in order: inputs, outputs, scratch. Each returns its data. */
void begin(test_case *c, const void *parameters);
void *input(test_case *c, uint32_t element, int64_t count);
void *output(test_case *c, uint32_t element, int64_t count);
void *scratch(test_case *c, int64_t bytes);
void absent_input(test_case *c);
void absent_output(test_case *c);
/* An output that is operand i in place. */
void *output_in_place(test_case *c, int i);
void end(test_case *c);

/* Runs check, then run when it agrees; counts a refusal as a failure. */
int32_t run(test_case *c, uint32_t code, uint32_t cpu);
/* The reason of check, or null. */
const char *refusal(test_case *c, uint32_t code);

/* The instruction set masks to try on this machine, scalar first. */
int cpu_masks(uint32_t masks[MAX_CPUS]);
/* The same with 8-bit tensors in either signedness and the private bits a session sets, best first.
 */
int storage_masks(uint32_t masks[MAX_STORAGES]);

/* Seeded random numbers; the seed is printed with a failure. */
uint64_t random_bits(void);
int random_below(int limit);
int random_in(int low, int high);
float random_real(float low, float high);
void random_floats(float *p, int64_t count, float low, float high);

/* Expectations count failures of the running test and print the first few. */
void expect(bool condition, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#define EXPECT(condition, ...) expect((condition), __FILE__, __LINE__, __VA_ARGS__)
bool near(double value, double expected, double relative, double absolute);

typedef struct test {
  const char *name;
  void (*body)(void);
} test;
extern const test gemm_tests[], conv_tests[], elementwise_tests[], axis_tests[], index_tests[],
    recurrent_tests[], other_tests[], refusal_tests[], depthwise8_tests[], int8_boundary_tests[],
    int8_elementwise_tests[], int8_recurrent_tests[], int8_spans_tests[], pool8_tests[],
    qconv_tests[], qmatmul_tests[], requantize_tests[];

#endif
