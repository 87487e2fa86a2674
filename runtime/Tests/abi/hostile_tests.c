/* Bytes of any kind: refused with a place, or run without touching memory that is not theirs. Worth
 * most in a sanitized build, where file and session are blocks of exactly their size. */
#include "abi_test.h"

/* Checks and, when accepted, runs; returns the status of the check. */
static wherry_status try_file(file f) {
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error, .offset = 1};
  wherry_status status = wherry_check(f.bytes, f.size, &info, &error);
  if (status) {
    int placed = error.status == status && error.text[0] && error.offset != UINT64_MAX;
    if (!placed) CHECK(placed);
    return status;
  }
  if (info.session_bytes > 1u << 20) return status;
  void *memory;
  wherry_session *session;
  if (posix_memalign(&memory, 64, (size_t)info.session_bytes)) abort();
  if (wherry_open(f.bytes, f.size, memory, (size_t)info.session_bytes, NULL, &session, &error)) {
    CHECK(!"what check accepts, open accepts");
  } else {
    wherry_invoke(session);
    wherry_self_test(session, &error);
    wherry_close(session);
  }
  free(memory);
  return status;
}

static void everyPrefixIsTruncated(file whole) {
  unsigned wrong = 0;
  for (size_t size = 0; size < whole.size; size++) {
    file f = file_copy((file){whole.bytes, size});
    wrong += try_file(f) != WHERRY_TRUNCATED;
    free(f.bytes);
  }
  CHECK(wrong == 0);
}

static void everyFlippedByteIsSafe(file whole) {
  static const uint8_t masks[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
  unsigned refused = 0;
  for (size_t i = 0; i < whole.size; i++) {
    for (unsigned m = 0; m < sizeof masks; m++) {
      whole.bytes[i] ^= masks[m];
      refused += try_file(whole) != WHERRY_OK;
      whole.bytes[i] ^= masks[m];
    }
  }
  CHECK(refused > 0);
  CHECK(try_file(whole) == WHERRY_OK);
}

static uint64_t next(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

/* Overwrites a few fields of header, table and plan with values that tend to hurt. */
static void seededMutationsAreSafe(file whole, uint64_t seed, unsigned count) {
  static const uint64_t nasty[] = {
      0,          1,          2,          63,          64,         65,
      127,        128,        255,        0x7FFF,      0x8000,     0xFFFF,
      0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, UINT64_MAX, UINT64_MAX - 63,
      1ull << 62};
  size_t plan = file_section(whole, WH_SECTION_PLAN);
  size_t all = whole.size;
  uint64_t random = seed;
  unsigned accepted = 0;
  for (unsigned i = 0; i < count; i++) {
    file f = file_copy(whole);
    unsigned edits = 1 + next(&random) % 4;
    for (unsigned e = 0; e < edits; e++) {
      size_t range = next(&random) % 8 ? 1600 : all;
      size_t start = next(&random) % 4 ? plan : 0;
      size_t at = (start + next(&random) % range) & ~(size_t)3;
      unsigned width = 1u << next(&random) % 4;
      uint64_t value =
          next(&random) % 2 ? nasty[next(&random) % (sizeof nasty / 8)] : next(&random) % 100;
      if (at + width <= f.size) memcpy(f.bytes + at, &value, width);
    }
    accepted += try_file(f) == WHERRY_OK;
    free(f.bytes);
  }
  CHECK(accepted > 0 && accepted < count);
}

void hostile_tests(unsigned mutations) {
  const uint64_t seed = 20240117;
  fprintf(stderr, "mutations: %u, seed %llu\n", mutations, (unsigned long long)seed);
  file f = two_operations();
  everyPrefixIsTruncated(f);
  everyFlippedByteIsSafe(f);
  seededMutationsAreSafe(f, seed, mutations);
  free(f.bytes);
}
