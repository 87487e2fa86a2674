/* How long a mapped model takes to open: open_time MODEL...
 *
 *   gcc -O2 -I.build/runtime/x86_64/include Tests/Benchmarks/open_time.c \
 *       .build/runtime/x86_64/lib/libwherry.a -lm -pthread -o open_time
 *
 * Prints microseconds a model, the least of many: the first open after mapping, which also reads
 * the pages it needs from the page cache, and later ones; and what malloc gave out between the end
 * of the first open and the end of two invocations. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "wherry.h"

enum { MAPPINGS = 50, REPEATS = 40 };

static double microseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static wherry_session *opened(const void *bytes, size_t size, void *memory, size_t room,
                              double *least) {
  wherry_session *session = NULL;
  wherry_error error = {.size = sizeof error};
  double begin = microseconds();
  if (wherry_open(bytes, size, memory, room, NULL, &session, &error) != WHERRY_OK) {
    fprintf(stderr, "%s\n", error.text);
    exit(1);
  }
  double taken = microseconds() - begin;
  if (taken < *least) *least = taken;
  return session;
}

static void measure(const char *path) {
  int file = open(path, O_RDONLY);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) exit(1);
  size_t size = (size_t)facts.st_size, given = 0;
  double first = 1e9, again = 1e9;
  void *memory = NULL;
  for (int mapping = 0; mapping < MAPPINGS; mapping++) {
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
    wherry_info info = {.size = sizeof info};
    if (bytes == MAP_FAILED) exit(1);
    if (memory == NULL) {
      if (wherry_check(bytes, size, &info, NULL) != WHERRY_OK) exit(1);
      if (posix_memalign(&memory, 64, info.session_bytes)) exit(1);
      mapping--;
      munmap(bytes, size);
      given = info.session_bytes;
      continue;
    }
    size_t room = given;
    wherry_session *session = opened(bytes, size, memory, room, &first);
    if (mapping == 0) {
      size_t before = mallinfo2().uordblks;
      wherry_invoke(session);
      wherry_invoke(session);
      printf("%zu bytes allocated after opening, ", mallinfo2().uordblks - before);
    }
    wherry_close(session);
    for (int i = 0; i < REPEATS; i++) {
      wherry_close(opened(bytes, size, memory, room, &again));
    }
    munmap(bytes, size);
  }
  printf("%8.1f us after mapping, %8.1f us again: %s, %zu bytes\n", first, again, path, size);
  free(memory);
  close(file);
}

int main(int count, char **paths) {
  for (int i = 1; i < count; i++) measure(paths[i]);
  return 0;
}
