/* wherry.h: runs Wherry models. This header is the manual.
 *
 * A model file is data that is verified once and then used where it lies: weights are read from the
 * mapped file or from flash, never copied. Nothing here allocates, logs, aborts or keeps a global; the
 * caller owns every byte; no thread is started or waited for unless options.threads asks for it. The
 * library needs libc and libm.
 *
 *   wherry_info info = { sizeof info };
 *   wherry_check(bytes, size, &info, &error);                  how much memory?
 *   void *memory = aligned_alloc(64, info.session_bytes);      or a static buffer
 *   wherry_open(bytes, size, memory, info.session_bytes, NULL, &session, &error);
 *   wherry_set_input(session, 0, pixels, sizeof pixels);
 *   wherry_invoke(session);
 *   wherry_get_output(session, 0, scores, sizeof scores);
 *   wherry_close(session);
 *
 * One model, many sessions: sessions share the file's bytes and nothing else; each may be used by one
 * thread at a time. The file's bytes must stay unchanged and mapped while a session is open.
 *
 * bytes is the whole file, no more and no less, at an address that is a multiple of 64: what mmap
 * gives, an aligned buffer, or alignas(64) in flash. Bytes of any kind are safe to pass: a file is
 * either refused, with the place of what is wrong, or runs inside its own memory. Checking takes time
 * linear in the size of the plan. How long an invocation takes is for the model to say (macs).
 *
 * Every struct begins with its size, set by the caller, so that later versions can append fields; a
 * larger size than this header's is fine, a smaller one is WHERRY_BAD_ARGUMENT. error may be null.
 * Functions are only ever added. Pointers that a function fills are valid until wherry_close, names
 * and labels for as long as the file's bytes.
 */
#ifndef WHERRY_H
#define WHERRY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WHERRY_VERSION 0x00000100u /* major << 16 | minor << 8 | patch */

#if defined(__GNUC__)
#define WHERRY_API __attribute__((visibility("default")))
#else
#define WHERRY_API
#endif

typedef int32_t wherry_status;
enum {
  WHERRY_OK = 0,
  WHERRY_BAD_ARGUMENT = 1,  /* a null pointer, an index past the end, a wrong struct size */
  WHERRY_NOT_A_MODEL = 2,   /* the magic bytes are missing */
  WHERRY_BAD_VERSION = 3,   /* a format version this library does not read */
  WHERRY_TRUNCATED = 4,     /* the bytes end before the file does */
  WHERRY_BAD_MODEL = 5,     /* a field contradicts another or leaves its range: see offset, operation */
  WHERRY_NO_PLAN = 6,       /* the file holds a graph only; convert it with a plan */
  WHERRY_UNSUPPORTED = 7,   /* an operator this build does not have */
  WHERRY_NO_MEMORY = 8,     /* the caller's memory is smaller than session_bytes or misaligned */
  WHERRY_BAD_SIZE = 9,      /* a tensor buffer of another size than the tensor */
  WHERRY_BAD_VALUE = 10,    /* input data out of range while running, such as a gather index */
  WHERRY_BAD_DIGEST = 11,   /* a checksum does not match */
  WHERRY_TEST_FAILED = 12,  /* a self-test output differs from what the file expects */
  WHERRY_NO_TEST = 13,      /* the file holds no self-test vectors */
  WHERRY_NO_THREAD = 14     /* the system starts no more threads */
};

/* Where and why a call failed; caller-owned, filled on failure. */
typedef struct wherry_error {
  uint32_t size;            /* sizeof(wherry_error) */
  wherry_status status;
  uint64_t offset;          /* byte offset in the file, or UINT64_MAX */
  int32_t operation;        /* index in the plan, or -1 */
  int32_t tensor;           /* index in the plan, or -1 */
  char text[112];           /* one line of English, NUL-terminated */
} wherry_error;

/* Element types are ONNX's codes. */
typedef int32_t wherry_element;
enum {
  WHERRY_FLOAT32 = 1, WHERRY_UINT8 = 2, WHERRY_INT8 = 3, WHERRY_UINT16 = 4, WHERRY_INT16 = 5,
  WHERRY_INT32 = 6, WHERRY_INT64 = 7, WHERRY_BOOL = 9, WHERRY_FLOAT16 = 10, WHERRY_FLOAT64 = 11,
  WHERRY_UINT32 = 12, WHERRY_UINT64 = 13
};

typedef struct wherry_info {
  uint32_t size;            /* sizeof(wherry_info) */
  uint32_t input_count, output_count, operation_count;
  uint64_t session_bytes;   /* memory wherry_open needs on this processor: bookkeeping + arena_bytes;
                             * a multiple of 64, to be given at 64-byte alignment */
  uint64_t arena_bytes;     /* tensors of one session: the header's figure, recomputed */
  uint64_t state_bytes;     /* part of the arena kept between invocations */
  uint64_t macs;            /* multiply-accumulates of one invocation */
  uint64_t weight_bytes;
  uint32_t test_count;      /* self-test cases in the file */
  uint32_t reserved;
} wherry_info;

typedef struct wherry_tensor {
  uint32_t size;            /* sizeof(wherry_tensor) */
  wherry_element element;
  const char *name;         /* UTF-8 */
  uint64_t bytes;
  uint32_t rank;
  int32_t dims[8];
  float scale;              /* real = scale * (value - zero_point) for quantized tensors; else 0 */
  int32_t zero_point;
  uint32_t label_count;     /* class labels of an output; see wherry_label */
} wherry_tensor;

/* Instruction sets, for wherry_options.cpu_mask: a set bit forbids one. Those the library is compiled for
 * can't be forbidden: NEON on ARM. */
enum {
  WHERRY_CPU_AVX2 = 1u << 0,      /* with FMA */
  WHERRY_CPU_AVX512 = 1u << 1,    /* F, BW, DQ, VL */
  WHERRY_CPU_AVX_VNNI = 1u << 2,
  WHERRY_CPU_AVX512_VNNI = 1u << 3,
  WHERRY_CPU_NEON = 1u << 8,
  WHERRY_CPU_DOTPROD = 1u << 9,
  WHERRY_CPU_I8MM = 1u << 10
};

typedef struct wherry_options {
  uint32_t size;            /* sizeof(wherry_options) */
  uint32_t cpu_mask;        /* instruction sets not to use; ~0u: all that may be forbidden */
  uint32_t check_digests;   /* 1: open also verifies every checksum, reading the whole file */
  uint32_t profile;         /* 1: invoke measures each operation */
  uint64_t (*clock)(void);  /* nanoseconds, for profile; required with it */
  uint32_t threads;         /* threads that share an invocation's large operations, the caller's included;
                             * 0 and 1: only the caller's. At most WHERRY_MOST_THREADS. The others live
                             * from open to close. 8-bit results are the same bytes for any number; float32
                             * sums may round differently. */
  uint32_t reserved;
} wherry_options;
#define WHERRY_MOST_THREADS 16

typedef struct wherry_profile {
  uint32_t size;            /* sizeof(wherry_profile) */
  uint32_t invocations;
  const char *name;         /* of the source node, or "" */
  const char *kernel;       /* of the runtime operator, such as "Conv" */
  uint64_t nanoseconds;     /* total over all invocations */
} wherry_profile;

typedef struct wherry_session wherry_session;

/* The library's WHERRY_VERSION. */
WHERRY_API uint32_t wherry_version(void);

/* One word for a status, never null. */
WHERRY_API const char *wherry_status_text(wherry_status status);

/* Verifies the whole plan (not the checksums) and fills info. Reads header, table, plan and the
 * head of the self-test section. */
WHERRY_API wherry_status wherry_check(const void *bytes, size_t size, wherry_info *info, wherry_error *error);

/* Recomputes every SHA-256 of the file and demands that the bytes between its sections are zero: what
 * passes is, bit for bit, what was written. Works on files without a plan. */
WHERRY_API wherry_status wherry_verify(const void *bytes, size_t size, wherry_error *error);

/* Verifies the plan and makes a session inside memory (64-byte aligned, at least session_bytes).
 * options may be null. The arena starts as zero bytes. On failure *session is null. */
WHERRY_API wherry_status wherry_open(const void *bytes, size_t size, void *memory, size_t memory_size,
                          const wherry_options *options, wherry_session **session, wherry_error *error);

/* Describes an input or output; index below input_count or output_count. */
WHERRY_API wherry_status wherry_input(const wherry_session *session, uint32_t index, wherry_tensor *tensor);
WHERRY_API wherry_status wherry_output(const wherry_session *session, uint32_t index, wherry_tensor *tensor);

/* A class label of an output as UTF-8, or null when there is none of that index. */
WHERRY_API const char *wherry_label(const wherry_session *session, uint32_t output, uint32_t label);

/* Copies exactly the tensor's bytes in or out. */
WHERRY_API wherry_status wherry_set_input(wherry_session *session, uint32_t index, const void *data, size_t size);
WHERRY_API wherry_status wherry_get_output(const wherry_session *session, uint32_t index, void *data, size_t size);

/* The tensor's own memory, to fill or read without a copy. An input's memory may be reused during
 * invoke: fill every input before every invoke. Outputs are valid until the next invoke. */
WHERRY_API void *wherry_input_data(wherry_session *session, uint32_t index);
WHERRY_API const void *wherry_output_data(const wherry_session *session, uint32_t index);

/* Runs the model once. Never allocates. WHERRY_BAD_VALUE means that input data was out of an
 * operator's range; outputs and state are then half-written: wherry_reset before going on. */
WHERRY_API wherry_status wherry_invoke(wherry_session *session);

/* The error of the last failed call on this session; status WHERRY_OK if none failed. */
WHERRY_API wherry_status wherry_last_error(const wherry_session *session, wherry_error *error);

/* What one operation cost; index below operation_count. Needs the profile option. */
WHERRY_API wherry_status wherry_profile_of(const wherry_session *session, uint32_t operation, wherry_profile *profile);

/* Runs the file's self-test vectors; WHERRY_TEST_FAILED names case, output and element in the error.
 * Each case starts with zeroed state; inputs and state are overwritten. */
WHERRY_API wherry_status wherry_self_test(wherry_session *session, wherry_error *error);

/* Zeroes the persistent state. */
WHERRY_API void wherry_reset(wherry_session *session);

/* Ends the session; the memory is the caller's again. Calls on a closed session whose memory still
 * stands are WHERRY_BAD_ARGUMENT. Null is fine here and in wherry_reset. */
WHERRY_API void wherry_close(wherry_session *session);

#ifdef __cplusplus
}
#endif
#endif
