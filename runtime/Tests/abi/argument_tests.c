/* Wrong use by the caller: every one is a status, none a crash. */
#include "abi_test.h"

static void nullsAndSizesAreRefused(void) {
  file f = two_operations();
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_session *session = (wherry_session *)&error;
  CHECK_STATUS(wherry_check(NULL, 10, &info, &error), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_check(f.bytes, f.size, NULL, &error), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_check(f.bytes, f.size, &info, NULL), WHERRY_OK);
  CHECK_STATUS(wherry_check(f.bytes, SIZE_MAX, &info, &error), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_check(f.bytes + 8, f.size - 8, &info, &error), WHERRY_BAD_ARGUMENT);
  info.size--;
  CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), WHERRY_BAD_ARGUMENT);
  info.size++;
  error.size--;
  CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), WHERRY_BAD_ARGUMENT);
  error.size++;
  CHECK_STATUS(wherry_verify(NULL, 0, &error), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_open(f.bytes, f.size, NULL, 1u << 20, NULL, &session, &error),
               WHERRY_BAD_ARGUMENT);
  CHECK(session == NULL);
  CHECK_STATUS(wherry_open(f.bytes, f.size, NULL, 0, NULL, NULL, &error), WHERRY_BAD_ARGUMENT);
  free(f.bytes);
}

static void aLargerStructOfALaterHeaderIsKept(void) {
  file f = two_operations();
  struct {
    wherry_info info;
    uint64_t later;
  } grown = {{.size = sizeof grown}, 42};
  CHECK_STATUS(wherry_check(f.bytes, f.size, &grown.info, NULL), WHERRY_OK);
  CHECK(grown.info.size == sizeof grown && grown.later == 42);
  free(f.bytes);
}

static void memoryIsMeasured(void) {
  file f = two_operations();
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_session *session;
  uint8_t *memory;
  wherry_check(f.bytes, f.size, &info, &error);
  if (posix_memalign((void **)&memory, 64, info.session_bytes + 64)) abort();
  memset(memory, 0x5A, info.session_bytes + 64);
  CHECK_STATUS(wherry_open(f.bytes, f.size, memory, info.session_bytes - 1, NULL, &session, &error),
               WHERRY_NO_MEMORY);
  CHECK_STATUS(wherry_open(f.bytes, f.size, memory + 8, info.session_bytes, NULL, &session, &error),
               WHERRY_NO_MEMORY);
  CHECK_STATUS(wherry_open(f.bytes, f.size, memory, info.session_bytes, NULL, &session, &error),
               WHERRY_OK);
  wherry_invoke(session);
  wherry_close(session);
  int untouched = 1;
  for (int i = 0; i < 64; i++) untouched &= memory[info.session_bytes + i] == 0x5A;
  CHECK(untouched);
  free(memory);
  free(f.bytes);
}

static void optionsAreChecked(void) {
  file f = two_operations();
  wherry_error error = {.size = sizeof error};
  wherry_session *session;
  wherry_options options = {.size = sizeof options, .profile = 1};
  CHECK_STATUS(wherry_open(f.bytes, f.size, f.bytes, 64, &options, &session, &error),
               WHERRY_BAD_ARGUMENT);
  options.profile = 0;
  options.size = 0;
  CHECK_STATUS(wherry_open(f.bytes, f.size, f.bytes, 64, &options, &session, &error),
               WHERRY_BAD_ARGUMENT);
  free(f.bytes);
}

static void indicesAndSizesAreChecked(void) {
  opened it = open_file(two_operations(), NULL);
  wherry_session *s = it.session;
  wherry_error last = {.size = sizeof last};
  wherry_tensor tensor = {.size = sizeof tensor};
  wherry_profile profile = {.size = sizeof profile};
  float v[5] = {0};
  CHECK_STATUS(wherry_last_error(s, &last), WHERRY_OK);
  CHECK(last.status == WHERRY_OK && last.text[0] == 0);
  CHECK_STATUS(wherry_set_input(s, 0, v, 19), WHERRY_BAD_SIZE);
  CHECK_STATUS(wherry_last_error(s, &last), WHERRY_OK);
  CHECK(last.status == WHERRY_BAD_SIZE && last.tensor == 0 && last.size == sizeof last);
  CHECK_STATUS(wherry_set_input(s, 1, v, 20), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_set_input(s, 0, NULL, 20), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_get_output(s, 0, v, 20), WHERRY_BAD_SIZE);
  CHECK_STATUS(wherry_get_output(s, 2, v, 20), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_input(s, 1, &tensor), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_output(s, 2, &tensor), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_output(s, 0, NULL), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_profile_of(s, 0, &profile), WHERRY_BAD_ARGUMENT);
  CHECK(wherry_input_data(s, 1) == NULL && wherry_output_data(s, 7) == NULL);
  CHECK(wherry_label(s, 9, 0) == NULL);
  close_opened(&it);
}

static void nullAndClosedSessionsAreRefused(void) {
  file f = accumulator();
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_session *s;
  void *memory;
  wherry_check(f.bytes, f.size, &info, &error);
  if (posix_memalign(&memory, 64, info.session_bytes)) abort();
  wherry_open(f.bytes, f.size, memory, info.session_bytes, NULL, &s, &error);
  wherry_close(s);
  CHECK_STATUS(wherry_invoke(s), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_invoke(NULL), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_self_test(NULL, NULL), WHERRY_BAD_ARGUMENT);
  CHECK_STATUS(wherry_last_error(NULL, &error), WHERRY_BAD_ARGUMENT);
  wherry_reset(NULL);
  wherry_close(NULL);
  wherry_close(s);
  free(memory);
  free(f.bytes);
}

static void everyStatusHasAWord(void) {
  for (int i = 0; i <= WHERRY_NO_THREAD; i++) {
    CHECK(strcmp(wherry_status_text(i), "unknown") != 0);
  }
  CHECK(strcmp(wherry_status_text(-1), "unknown") == 0);
  CHECK(wherry_version() == WHERRY_VERSION);
}

void argument_tests(void) {
  nullsAndSizesAreRefused();
  aLargerStructOfALaterHeaderIsKept();
  memoryIsMeasured();
  optionsAreChecked();
  indicesAndSizesAreChecked();
  nullAndClosedSessionsAreRefused();
  everyStatusHasAWord();
}
