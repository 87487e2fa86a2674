/* What a session does when all is well. */
#include "abi_test.h"

static const float x[5] = {1, -2, 3, -4, 5};

static void twoOperationsRun(void) {
  opened it = open_file(two_operations(), NULL);
  CHECK(it.info.input_count == 1 && it.info.output_count == 2 && it.info.operation_count == 2);
  CHECK(it.info.arena_bytes == 192 && it.info.state_bytes == 0 && it.info.macs == 15);
  CHECK(it.info.weight_bytes == 384 && it.info.test_count == 1);
  CHECK(it.info.session_bytes % 64 == 0);
  float z[3], y[5];
  CHECK_STATUS(wherry_set_input(it.session, 0, x, sizeof x), WHERRY_OK);
  CHECK_STATUS(wherry_invoke(it.session), WHERRY_OK);
  CHECK_STATUS(wherry_get_output(it.session, 0, z, sizeof z), WHERRY_OK);
  CHECK_STATUS(wherry_get_output(it.session, 1, y, sizeof y), WHERRY_OK);
  CHECK(z[0] == 9.5f && z[1] == 2.5f && z[2] == 18);
  CHECK(y[0] == 1 && y[1] == 0 && y[4] == 5);
  float *in = wherry_input_data(it.session, 0);
  const float *out = wherry_output_data(it.session, 0);
  memset(in, 0, sizeof x);
  CHECK_STATUS(wherry_invoke(it.session), WHERRY_OK);
  CHECK(out[0] == 0.5f && out[1] == -0.5f && out[2] == 0);
  close_opened(&it);
}

static void scalarKernelsAgree(void) {
  wherry_options options = {.size = sizeof options, .cpu_mask = ~0u, .check_digests = 1};
  opened it = open_file(two_operations(), &options);
  float z[3];
  wherry_set_input(it.session, 0, x, sizeof x);
  CHECK_STATUS(wherry_invoke(it.session), WHERRY_OK);
  wherry_get_output(it.session, 0, z, sizeof z);
  CHECK(z[0] == 9.5f && z[1] == 2.5f && z[2] == 18);
  close_opened(&it);
}

static void tensorsAndLabelsAreDescribed(void) {
  opened it = open_file(two_operations(), NULL);
  wherry_tensor tensor = {.size = sizeof tensor};
  CHECK_STATUS(wherry_input(it.session, 0, &tensor), WHERRY_OK);
  CHECK(strcmp(tensor.name, "features") == 0 && tensor.element == WHERRY_FLOAT32);
  CHECK(tensor.rank == 2 && tensor.dims[0] == 1 && tensor.dims[1] == 5 && tensor.bytes == 20);
  CHECK_STATUS(wherry_output(it.session, 0, &tensor), WHERRY_OK);
  CHECK(strcmp(tensor.name, "scores") == 0 && tensor.label_count == 3 && tensor.scale == 0);
  CHECK(strcmp(wherry_label(it.session, 0, 0), "cat") == 0);
  CHECK(strcmp(wherry_label(it.session, 0, 2),
               "z\xC3\xA9"
               "bra") == 0);
  CHECK(wherry_label(it.session, 0, 3) == NULL && wherry_label(it.session, 1, 0) == NULL);
  close_opened(&it);
}

static void stateIsKeptAndReset(void) {
  opened it = open_file(accumulator(), NULL);
  const float one[4] = {1, 2, 3, 4};
  const float *sum = wherry_output_data(it.session, 0);
  CHECK(it.info.state_bytes == 64);
  for (int i = 0; i < 3; i++) {
    wherry_set_input(it.session, 0, one, sizeof one);
    CHECK_STATUS(wherry_invoke(it.session), WHERRY_OK);
  }
  CHECK(sum[0] == 3 && sum[3] == 12);
  wherry_reset(it.session);
  wherry_set_input(it.session, 0, one, sizeof one);
  CHECK_STATUS(wherry_invoke(it.session), WHERRY_OK);
  CHECK(sum[0] == 1 && sum[3] == 4);
  close_opened(&it);
}

static uint64_t ticks;
static uint64_t tick(void) { return ticks += 10; }

static void profileUsesTheCallersClock(void) {
  wherry_options options = {.size = sizeof options, .profile = 1, .clock = tick};
  opened it = open_file(two_operations(), &options);
  wherry_set_input(it.session, 0, x, sizeof x);
  for (int i = 0; i < 4; i++) CHECK_STATUS(wherry_invoke(it.session), WHERRY_OK);
  wherry_profile profile = {.size = sizeof profile};
  CHECK_STATUS(wherry_profile_of(it.session, 1, &profile), WHERRY_OK);
  CHECK(strcmp(profile.name, "dense") == 0 && strcmp(profile.kernel, "MatMul") == 0);
  CHECK(profile.invocations == 4 && profile.nanoseconds == 40);
  close_opened(&it);
}

static void selfTestPassesAndNamesAFailure(void) {
  opened it = open_file(two_operations(), NULL);
  CHECK_STATUS(wherry_self_test(it.session, &it.error), WHERRY_OK);
  size_t section = file_section(it.model, WH_SECTION_TEST);
  wh_test_record record;
  memcpy(&record, it.model.bytes + section + 16 + 16, sizeof record);
  float *expected = (float *)(it.model.bytes + section + record.offset);
  expected[2] += 0.01f;
  CHECK_STATUS(wherry_self_test(it.session, &it.error), WHERRY_TEST_FAILED);
  CHECK(it.error.tensor == 2 && it.error.offset == section + record.offset + 8);
  CHECK(strncmp(it.error.text, "case 0, output 0, element 2: ", 29) == 0);
  expected[2] -= 0.01f;
  record.offset += 4;
  memcpy(it.model.bytes + section + 16 + 16, &record, sizeof record);
  CHECK_STATUS(wherry_self_test(it.session, &it.error), WHERRY_BAD_MODEL);
  CHECK(it.error.offset == section + 32);
  close_opened(&it);
  it = open_file(accumulator(), NULL);
  CHECK_STATUS(wherry_self_test(it.session, &it.error), WHERRY_NO_TEST);
  close_opened(&it);
}

/* A model that passes one tensor of each float type through, with NaN and a value within tolerance.
 */
static void selfTestComparesFloatsOfEveryWidth(void) {
  const int32_t three[] = {3, -1};
  const uint32_t types[] = {WH_FLOAT16, WH_FLOAT32, WH_FLOAT64};
  const uint16_t half[] = {0x3C00, 0x7E00, 0x0001}, half_near[] = {0x3C01, 0x7E01, 0x0002};
  const float single[] = {1, __builtin_nanf(""), 1e30f},
              single_near[] = {1.001f, -__builtin_nanf(""), 1.001e30f};
  const double wide[] = {1, __builtin_nan(""), -1e300},
               wide_near[] = {0.9995, __builtin_nan(""), -1.0005e300};
  const void *const data[3][2] = {{half, half_near}, {single, single_near}, {wide, wide_near}};
  for (int i = 0; i < 3; i++) {
    for (int close = 0; close < 2; close++) {
      builder b;
      builder_begin(&b);
      uint32_t t = builder_tensor(&b, WH_STORAGE_ARENA, types[i], "t", three);
      builder_input(&b, t);
      builder_output(&b, t);
      const float bound = close ? 0.002f : 0.0001f;
      builder_tests(&b, bound, close ? 1e-7f : 0, 1, data[i]);
      opened it = open_file(builder_finish(&b), NULL);
      CHECK_STATUS(wherry_self_test(it.session, &it.error), close ? WHERRY_OK : WHERRY_TEST_FAILED);
      close_opened(&it);
    }
  }
}

/* A model that passes one tensor of 99 elements through; its self test holds numbers instead of
 * data. */
static opened numbered(uint32_t element, uint64_t seed, uint64_t sum) {
  static const uint8_t zeros[400];
  const void *const data[] = {zeros, zeros};
  builder b;
  builder_begin(&b);
  uint32_t t = builder_tensor(&b, WH_STORAGE_ARENA, element, "t", (const int32_t[]){99, -1});
  builder_input(&b, t);
  builder_output(&b, t);
  builder_tests(&b, 0, 0, 1, data);
  wh_test_record records[] = {{seed, 0}, {sum, 0}};
  memcpy(b.tests + sizeof(wh_test_header), records, sizeof records);
  return open_file(builder_finish(&b), NULL);
}

static void selfTestNumbersStandForData(void) {
  const uint32_t types[] = {WH_UINT8, WH_FLOAT32};
  for (int i = 0; i < 2; i++) {
    uint8_t data[99 * 4];
    size_t bytes = types[i] == WH_UINT8 ? 99 : sizeof data;
    uint64_t state = 42, sum = 0xCBF29CE484222325;
    for (int e = 0; e < 99; e++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      int64_t top = (int64_t)(state >> 40);
      float value = (float)(top < 1 << 23 ? top : top - (1 << 24)) / 8388608;
      if (types[i] == WH_UINT8) data[e] = (uint8_t)(state >> 56);
      if (types[i] == WH_FLOAT32) memcpy(data + 4 * e, &value, 4);
      CHECK(value >= -1 && value < 1);
    }
    for (size_t at = 0; at < bytes; at++) sum = (sum ^ data[at]) * 0x100000001B3;
    for (int wrong = 0; wrong < 2; wrong++) {
      opened it = numbered(types[i], 42, sum + (uint64_t)wrong);
      CHECK_STATUS(wherry_self_test(it.session, &it.error), wrong ? WHERRY_TEST_FAILED : WHERRY_OK);
      size_t record = file_section(it.model, WH_SECTION_TEST) + sizeof(wh_test_header) + 16;
      CHECK(!wrong || (it.error.tensor == 0 && it.error.offset == record));
      close_opened(&it);
    }
  }
}

static void selfTestComparesSomeElementsOfALongOutput(void) {
  const int32_t seven[] = {7, -1};
  const float x[] = {0, 1, 2, 3, 4, 5, 6}, expected[] = {0, 3, 0, 0, 0, 0, 0};
  for (int stored = 2; stored <= 3; stored++) {
    builder b;
    builder_begin(&b);
    uint32_t t = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "t", seven);
    builder_input(&b, t);
    builder_output(&b, t);
    builder_tests(&b, 0, 0, 1, (const void *const[]){x, expected});
    wh_test_record *output = (wh_test_record *)(b.tests + sizeof(wh_test_header)) + 1;
    output->bytes = (uint64_t)stored * 4;
    opened it = open_file(builder_finish(&b), NULL);
    /* Of two, elements 0 and 3; of three, elements 0, 2 and 4. */
    CHECK_STATUS(wherry_self_test(it.session, &it.error),
                 stored == 2 ? WHERRY_OK : WHERRY_TEST_FAILED);
    CHECK(stored == 2 || strncmp(it.error.text, "case 0, output 0, element 2: ", 29) == 0);
    close_opened(&it);
  }
}

static void digestsAreRecomputed(void) {
  file f = two_operations();
  wherry_error error = {.size = sizeof error};
  CHECK_STATUS(wherry_verify(f.bytes, f.size, &error), WHERRY_OK);
  unsigned missed = 0;
  for (size_t i = 0; i < f.size; i++) {
    f.bytes[i] ^= 1;
    missed += wherry_verify(f.bytes, f.size, &error) == WHERRY_OK;
    f.bytes[i] ^= 1;
  }
  CHECK(missed == 0);
  f.bytes[file_section(f, WH_SECTION_WEIGHTS)] ^= 1;
  CHECK_STATUS(wherry_verify(f.bytes, f.size, &error), WHERRY_BAD_DIGEST);
  CHECK(error.offset == 128 + 2 * 64 + offsetof(wh_section_record, digest));
  wherry_options options = {.size = sizeof options, .check_digests = 1};
  wherry_info info = {.size = sizeof info};
  wherry_session *session;
  CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), WHERRY_OK);
  void *memory;
  if (posix_memalign(&memory, 64, info.session_bytes)) abort();
  CHECK_STATUS(wherry_open(f.bytes, f.size, memory, info.session_bytes, &options, &session, &error),
               WHERRY_BAD_DIGEST);
  CHECK(session == NULL);
  free(memory);
  free(f.bytes);
}

static void nothingAllocatesAfterCheck(void) {
  file f = two_operations();
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_session *session;
  float z[3];
  void *memory;
  CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), WHERRY_OK);
  if (posix_memalign(&memory, 64, info.session_bytes)) abort();
  unsigned long before = allocation_count();
  wherry_status status = wherry_check(f.bytes, f.size, &info, &error);
  status |= wherry_open(f.bytes, f.size, memory, info.session_bytes, NULL, &session, &error);
  for (int i = 0; i < 100; i++) {
    status |= wherry_set_input(session, 0, x, sizeof x) | wherry_invoke(session);
    status |= wherry_get_output(session, 0, z, sizeof z);
  }
  status |= wherry_self_test(session, &error) | wherry_verify(f.bytes, f.size, &error);
  wherry_close(session);
  CHECK(allocation_count() == before);
  CHECK_STATUS(status, WHERRY_OK);
  free(memory);
  free(f.bytes);
}

void running_tests(void) {
  twoOperationsRun();
  scalarKernelsAgree();
  tensorsAndLabelsAreDescribed();
  stateIsKeptAndReset();
  profileUsesTheCallersClock();
  selfTestPassesAndNamesAFailure();
  selfTestComparesFloatsOfEveryWidth();
  selfTestNumbersStandForData();
  selfTestComparesSomeElementsOfALongOutput();
  digestsAreRecomputed();
  nothingAllocatesAfterCheck();
}
