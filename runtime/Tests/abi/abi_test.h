/* abi_test.h: counting checks, and the groups of tests that abi_test.c runs. */
#ifndef ABI_TEST_H
#define ABI_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample_models.h"
#include "wherry.h"

extern int passed, failed;

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (condition) {                                                                \
      passed++;                                                                     \
    } else {                                                                        \
      failed++;                                                                     \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, __func__, #condition); \
    }                                                                               \
  } while (0)

/* A call that must end with a status; prints the error's text when it does not. */
#define CHECK_STATUS(call, expected)                                                \
  do {                                                                              \
    wherry_status got = (call);                                                     \
    if (got == (expected)) {                                                        \
      passed++;                                                                     \
    } else {                                                                        \
      failed++;                                                                     \
      fprintf(stderr, "%s:%d: %s: %s is %s\n", __FILE__, __LINE__, __func__, #call, \
              wherry_status_text(got));                                             \
    }                                                                               \
  } while (0)

/* A file opened in memory of exactly session_bytes. */
typedef struct opened {
  file model;
  void *memory;
  wherry_info info;
  wherry_session *session;
  wherry_error error;
} opened;

opened open_file(file model, const wherry_options *options);
void close_opened(opened *it);

void running_tests(void);
void argument_tests(void);
void contradiction_tests(void);
void hostile_tests(unsigned mutations);
void thread_tests(void);

/* Calls of malloc and its family so far; constant in a sanitized build. */
unsigned long allocation_count(void);

#endif
