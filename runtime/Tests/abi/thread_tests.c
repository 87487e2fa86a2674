/* One model, many sessions: two threads over one file. */
#include "abi_test.h"

#include <pthread.h>

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

void thread_tests(void) { twoSessionsShareOneFile(); }
