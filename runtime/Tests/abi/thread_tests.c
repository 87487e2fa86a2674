/* One model, many sessions: two threads over one file. */
#include "abi_test.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>

typedef struct worker {
  wherry_session *session;
  float start;
  int wrong;
} worker;

static void *work(void *argument) {
  worker *it = argument;
  for (int i = 0; i < 2000; i++) {
    float v = it->start + (float)i, x[5] = {v, -v, 1, v, -1}, z[3];
    int status = wherry_set_input(it->session, 0, x, sizeof x) | wherry_invoke(it->session) |
                 wherry_get_output(it->session, 0, z, sizeof z);
    it->wrong += status || z[0] != v + 1.5f || z[1] != 0.5f || z[2] != 2 * (v + 1 + v);
  }
  return NULL;
}

static void twoSessionsShareOneFile(void) {
  opened a = open_file(two_operations(), NULL);
  void *memory;
  wherry_session *second;
  if (posix_memalign(&memory, 64, a.info.session_bytes)) abort();
  CHECK_STATUS(wherry_open(a.model.bytes, a.model.size, memory, a.info.session_bytes, NULL, &second,
                           &a.error),
               WHERRY_OK);
  worker workers[2] = {{a.session, 1, 0}, {second, 5000, 0}};
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  CHECK(workers[0].wrong == 0 && workers[1].wrong == 0);
  free(memory);
  close_opened(&a);
}

/* A convolution large enough to be divided gives the same sums by one, two and five threads, but
 * for the order in which float32 adds. */
static void anyNumberOfThreadsGivesTheSameSums(void) {
  enum { PIXELS = 24 * 24, FILTERS = 32 };
  static float x[PIXELS * 16], expected[PIXELS * FILTERS], y[PIXELS * FILTERS];
  for (int i = 0; i < PIXELS * 16; i++) x[i] = (float)(i % 23) / 7 - 1;
  for (uint32_t threads = 1; threads < 6; threads += threads == 1 ? 1 : 3) {
    wherry_options options = {.size = sizeof options, .threads = threads};
    opened a = open_file(convolution(), &options);
    for (int i = 0; i < 50; i++) {
      memset(y, 0, sizeof y);
      CHECK_STATUS(wherry_set_input(a.session, 0, x, sizeof x), WHERRY_OK);
      CHECK_STATUS(wherry_invoke(a.session), WHERRY_OK);
      CHECK_STATUS(wherry_get_output(a.session, 0, y, sizeof y), WHERRY_OK);
      if (threads == 1) memcpy(expected, y, sizeof y);
      bool near = true;
      for (int j = 0; j < PIXELS * FILTERS; j++) near &= fabsf(y[j] - expected[j]) <= 1e-4f;
      CHECK(near);
    }
    close_opened(&a);
  }
}

static void tooManyThreadsAreRefused(void) {
  file f = two_operations();
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_session *session;
  void *memory;
  CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), WHERRY_OK);
  if (posix_memalign(&memory, 64, info.session_bytes)) abort();
  wherry_options options = {.size = sizeof options, .threads = WHERRY_MOST_THREADS + 1};
  CHECK_STATUS(wherry_open(f.bytes, f.size, memory, info.session_bytes, &options, &session, &error),
               WHERRY_BAD_ARGUMENT);
  options.size = offsetof(wherry_options, threads); /* an older caller's struct */
  CHECK_STATUS(wherry_open(f.bytes, f.size, memory, info.session_bytes, &options, &session, &error),
               WHERRY_OK);
  wherry_close(session);
  free(memory);
  free(f.bytes);
}

void thread_tests(void) {
  twoSessionsShareOneFile();
  anyNumberOfThreadsGivesTheSameSums();
  tooManyThreadsAreRefused();
}
