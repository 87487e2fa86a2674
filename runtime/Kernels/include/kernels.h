/* kernels.h: what the runtime's core knows of the kernels. Private to the library (wh_ prefix,
 * hidden). */
#ifndef WHERRY_KERNELS_H
#define WHERRY_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "../../ABI/plan.h"

/* A tensor as a kernel sees it. data is null while a plan is being checked, except for weights. */
typedef struct wh_tensor {
  uint8_t *data;
  const wh_tensor_record *record;
} wh_tensor;

/* One operation with its operands. */
typedef struct wh_call {
  const void *parameters;   /* its struct of plan.h, 8-byte aligned; size already checked */
  const wh_tensor *tensors; /* the plan's tensors */
  const uint32_t
      *operands; /* inputs, outputs, scratch: indices into tensors, already checked, or WH_NONE */
  uint16_t input_count, output_count, scratch_count;
  uint16_t reserved;
  uint32_t cpu; /* WHERRY_CPU_ bits that may be used, and the private ones below */
} wh_call;

/* WH_Q8 tensors hold q + 128 instead of q. One session never mixes both. */
#define WH_CPU_UNSIGNED (1u << 31)
/* AVX-512 has VBMI's byte permutations; set by wh_with_storage where AVX-512 may be used. */
#define WH_CPU_VBMI (1u << 30)

/* A byte of a WH_Q8 tensor ^ this = q in two's complement. */
static inline uint8_t wh_q8_flip(const wh_call *call) {
  return call->cpu & WH_CPU_UNSIGNED ? 0x80 : 0;
}

static inline const wh_tensor *wh_input(const wh_call *call, unsigned i) {
  return i < call->input_count && call->operands[i] != WH_NONE ? &call->tensors[call->operands[i]]
                                                               : 0;
}
static inline const wh_tensor *wh_output(const wh_call *call, unsigned i) {
  unsigned at = call->input_count + i;
  return i < call->output_count && call->operands[at] != WH_NONE
             ? &call->tensors[call->operands[at]]
             : 0;
}
static inline const wh_tensor *wh_scratch(const wh_call *call) {
  unsigned at = (unsigned)call->input_count + call->output_count;
  return call->scratch_count && call->operands[at] != WH_NONE ? &call->tensors[call->operands[at]]
                                                              : 0;
}

/* A kernel. check proves, from records and parameters alone, that run will read and write only
 * inside its operands and terminate: element types, byte sizes, extents, strides, products that
 * overflow. It returns null, or a static line saying what contradicts. run then does not check,
 * except for indices that are data; it returns 0 (WHERRY_OK) or WHERRY_BAD_VALUE. */
typedef struct wh_kernel {
  uint32_t code;
  uint32_t parameter_bytes;
  const char *name;
  const char *(*check)(const wh_call *call);
  int32_t (*run)(const wh_call *call);
} wh_kernel;

/* The kernel of an operator code, or null. For tools and tests: the library itself asks by code. */
const wh_kernel *wh_find_kernel(uint32_t code);

/* The bytes of an operator's parameters; -1 for a code without kernel. */
int32_t wh_kernel_parameters(uint32_t code);
/* Its name in operators.def, or null. */
const char *wh_kernel_name(uint32_t code);
/* check and run of wh_kernel; code has a kernel. */
const char *wh_kernel_check(uint32_t code, const wh_call *call);
int32_t wh_kernel_run(uint32_t code, const wh_call *call);

/* The WHERRY_CPU_ bits of this processor, as the operating system allows them. */
uint32_t wh_detect_cpu(void);

/* cpu with the private bits set or cleared: WH_CPU_UNSIGNED as those instruction sets prefer. */
uint32_t wh_with_storage(uint32_t cpu);

/* Threads that share the work of one session. The memory is the caller's: wh_workers_bytes at a multiple
 * of 64. */
size_t wh_workers_bytes(void);
/* Starts threads - 1 workers; WHERRY_NO_THREAD when the system refuses, with none left running. */
int32_t wh_workers_start(void *workers, uint32_t threads);
/* Runs a checked call, divided where that is worth it. */
int32_t wh_workers_run(void *workers, uint32_t code, const wh_call *call);
/* Ends the workers; the memory is the caller's again. */
void wh_workers_stop(void *workers);

/* SHA-256 (FIPS 180-4), streamed. */
typedef struct wh_sha256 {
  uint32_t state[8];
  uint64_t count;
  uint8_t block[64];
} wh_sha256;
void wh_sha256_begin(wh_sha256 *hash);
void wh_sha256_add(wh_sha256 *hash, const void *bytes, size_t size);
void wh_sha256_end(wh_sha256 *hash, uint8_t digest[32]);

#endif
