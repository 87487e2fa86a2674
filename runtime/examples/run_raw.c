/* run_raw [OPTION...] MODEL PREFIX INPUT...: runs a model once on raw input files, one for each
 * input in order, and writes every output to PREFIX.0.raw, PREFIX.1.raw and so on.
 * --sessions N runs N sessions in N threads and fails unless all give the same bytes; --threads N
 * lets each session share its work among N threads; --scalar forbids every instruction set,
 * --forbid BITS those of WHERRY_CPU_. Exit codes: 0, 1 outputs differ, 64 usage, 65 bad data,
 * 66, 73. */
#include <pthread.h>
#include <string.h>
#include <wherry.h>

#include "mapped_file.h"

enum { most_sessions = 16, most_inputs = 64 };

typedef struct job {
  mapped_file model;
  const mapped_file *inputs;
  wherry_info info;
  wherry_options options;
  wherry_error error;
  wherry_session *session;
  void *memory;
  wherry_status status;
} job;

static void *run(void *argument) {
  job *it = argument;
  it->error.size = sizeof it->error;
  it->memory = aligned_alloc(64, it->info.session_bytes);
  if (!it->memory) {
    it->status = WHERRY_NO_MEMORY;
    return NULL;
  }
  it->status = wherry_open(it->model.bytes, it->model.size, it->memory, it->info.session_bytes,
                           &it->options, &it->session, &it->error);
  for (uint32_t i = 0; i < it->info.input_count && !it->status; i++) {
    it->status = wherry_set_input(it->session, i, it->inputs[i].bytes, it->inputs[i].size);
  }
  if (!it->status) it->status = wherry_invoke(it->session);
  if (it->status && it->session) wherry_last_error(it->session, &it->error);
  return NULL;
}

static int fail(const char *what, wherry_status status, const wherry_error *error) {
  fprintf(stderr, "%s: %s: %s (operation %d, tensor %d)\n", what, wherry_status_text(status),
          error->text, (int)error->operation, (int)error->tensor);
  return 65;
}

static uint64_t output_bytes(const job *it, uint32_t index) {
  wherry_tensor tensor = {.size = sizeof tensor};
  return wherry_output(it->session, index, &tensor) ? 0 : tensor.bytes;
}

static int write_outputs(const job *it, const char *prefix) {
  char path[4096];
  for (uint32_t i = 0; i < it->info.output_count; i++) {
    size_t size = (size_t)output_bytes(it, i);
    snprintf(path, sizeof path, "%s.%u.raw", prefix, i);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(wherry_output_data(it->session, i), 1, size, file) != size ||
        fclose(file)) {
      perror(path);
      return 73;
    }
  }
  return 0;
}

static int same_outputs(const job *a, const job *b) {
  for (uint32_t i = 0; i < a->info.output_count; i++) {
    if (memcmp(wherry_output_data(a->session, i), wherry_output_data(b->session, i),
               (size_t)output_bytes(a, i))) {
      fprintf(stderr, "two threads differ in output %u\n", i);
      return 0;
    }
  }
  return 1;
}

int main(int argc, char **argv) {
  unsigned sessions = 1;
  wherry_options options = {.size = sizeof options};
  int at = 1;
  for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
    if (strcmp(argv[at], "--scalar") == 0) {
      options.cpu_mask = ~0u;
    } else if (strcmp(argv[at], "--forbid") == 0 && at + 1 < argc) {
      options.cpu_mask = (uint32_t)strtoul(argv[++at], NULL, 0);
    } else if (strcmp(argv[at], "--sessions") == 0 && at + 1 < argc) {
      sessions = (unsigned)atoi(argv[++at]);
    } else if (strcmp(argv[at], "--threads") == 0 && at + 1 < argc) {
      options.threads = (uint32_t)atoi(argv[++at]);
    } else {
      break;
    }
  }
  if (argc - at < 2 || argc - at - 2 > most_inputs || sessions < 1 || sessions > most_sessions) {
    fprintf(stderr, "usage: run_raw [OPTION...] MODEL PREFIX INPUT...\n");
    return 64;
  }
  const char *path = argv[at], *prefix = argv[at + 1];
  mapped_file inputs[most_inputs];
  uint32_t count = 0;
  for (int i = at + 2; i < argc; i++) inputs[count++] = map_file(argv[i]);

  static job jobs[most_sessions];
  pthread_t handles[most_sessions];
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  mapped_file model = map_file(path);
  wherry_status status = wherry_check(model.bytes, model.size, &info, &error);
  if (status) return fail(path, status, &error);
  if (info.input_count != count) {
    fprintf(stderr, "%s: takes %u inputs, not %u\n", path, info.input_count, count);
    return 64;
  }
  for (unsigned i = 0; i < sessions; i++) {
    jobs[i] = (job){.model = model, .inputs = inputs, .info = info, .options = options};
    if (pthread_create(&handles[i], NULL, run, &jobs[i])) return perror("pthread_create"), 70;
  }
  for (unsigned i = 0; i < sessions; i++) pthread_join(handles[i], NULL);
  for (unsigned i = 0; i < sessions; i++) {
    if (jobs[i].status) return fail(path, jobs[i].status, &jobs[i].error);
    if (!same_outputs(&jobs[0], &jobs[i])) return 1;
  }
  return write_outputs(&jobs[0], prefix);
}
