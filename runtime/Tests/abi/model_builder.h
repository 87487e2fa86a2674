/* model_builder.h: writes small native files by hand, from the contract headers alone. */
#ifndef MODEL_BUILDER_H
#define MODEL_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "file.h"
#include "plan.h"

typedef struct file {
  uint8_t *bytes; /* 64-byte aligned, from posix_memalign */
  size_t size;
} file;

typedef struct builder {
  wh_plan_header plan;
  wh_tensor_record tensors[16];
  wh_operation_record operations[8];
  uint32_t interface[16], operands[64];
  uint8_t parameters[1024];
  char text[512];
  uint8_t weights[32768], tests[4096];
  uint32_t weight_bytes, test_bytes;
} builder;

void builder_begin(builder *b);

/* Adds a tensor at the next free place of its storage and returns its index. dims ends with -1. */
uint32_t builder_tensor(builder *b, uint32_t storage, uint32_t element, const char *name,
                        const int32_t *dims);
/* A weight with its bytes. */
uint32_t builder_weight(builder *b, uint32_t element, const int32_t *dims, const void *data);

/* A model input or output; all inputs before all outputs. */
void builder_input(builder *b, uint32_t tensor);
void builder_output(builder *b, uint32_t tensor);
/* Class labels of a tensor, separated and ended by NUL. */
void builder_labels(builder *b, uint32_t tensor, const char *labels, uint32_t count);

/* Adds an operation; tensors holds inputs, then outputs. */
void builder_operation(builder *b, uint32_t code, const char *name, const void *parameters,
                       uint32_t parameter_bytes, uint16_t inputs, uint16_t outputs,
                       const uint32_t *tensors);

/* Adds self-test vectors: header, and for each case the bytes of every input and output. */
void builder_tests(builder *b, float relative, float absolute, uint32_t cases,
                   const void *const *data);

/* Writes the file with valid digests. */
file builder_finish(builder *b);

/* Recomputes the digests of a file that was changed on purpose. */
void file_seal(file f);
file file_copy(file f);
/* A section's place in a built file. */
size_t file_section(file f, uint32_t kind);

#endif
