/* abi_test: uses the library through wherry.h alone, on files written from the contract headers.
 * abi_test [--mutations N]; the last line is "N passed, M failed". */
#include "abi_test.h"

int passed, failed;

opened open_file(file model, const wherry_options *options) {
  opened it = {
      .model = model, .info = {.size = sizeof it.info}, .error = {.size = sizeof it.error}};
  CHECK_STATUS(wherry_check(model.bytes, model.size, &it.info, &it.error), WHERRY_OK);
  if (posix_memalign(&it.memory, 64, it.info.session_bytes)) abort();
  memset(it.memory, 0xA5, it.info.session_bytes);
  wherry_status status = wherry_open(model.bytes, model.size, it.memory, it.info.session_bytes,
                                     options, &it.session, &it.error);
  CHECK_STATUS(status, WHERRY_OK);
  if (status) {
    fprintf(stderr, "%s\n", it.error.text);
    abort();
  }
  return it;
}

void close_opened(opened *it) {
  wherry_close(it->session);
  free(it->memory);
  free(it->model.bytes);
}

int main(int argc, char **argv) {
  unsigned mutations = 100000;
  if (argc == 3 && strcmp(argv[1], "--mutations") == 0) mutations = (unsigned)atoi(argv[2]);
  running_tests();
  argument_tests();
  contradiction_tests();
  thread_tests();
  hostile_tests(mutations);
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
