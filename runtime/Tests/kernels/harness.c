#include "harness.h"

#include <stdarg.h>

static uint64_t seed = 1, state = 1;
static int failures;

static void *allocate(int64_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, bytes > 0 ? (size_t)bytes : 1)) abort();
  memset(p, 0xA5, (size_t)bytes);
  return p;
}

void begin(test_case *c, const void *parameters) {
  memset(c, 0, sizeof *c);
  c->call.parameters = parameters;
  c->call.tensors = c->tensors;
  c->call.operands = c->operands;
}

static int add(test_case *c, uint32_t element, int64_t count) {
  static const int sizes[32] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, [WH_Q8] = 1};
  const int i = c->count++;
  wh_tensor_record *r = &c->records[i];
  r->element = element;
  r->bytes = (uint64_t)count * (uint64_t)sizes[element];
  r->offset = c->next_offset;
  c->next_offset += (r->bytes + 127) / 64 * 64;
  const int64_t slack = element == WH_Q8 ? 63 : 0; /* that kernels may read */
  c->tensors[i] = (wh_tensor){allocate((int64_t)r->bytes + slack), r};
  c->owned[i] = true;
  c->operands[i] = (uint32_t)i;
  return i;
}

void *input(test_case *c, uint32_t element, int64_t count) {
  c->call.input_count++;
  return c->tensors[add(c, element, count)].data;
}

void *output(test_case *c, uint32_t element, int64_t count) {
  c->call.output_count++;
  return c->tensors[add(c, element, count)].data;
}

void *scratch(test_case *c, int64_t bytes) {
  c->call.scratch_count = 1;
  return c->tensors[add(c, WH_UINT8, (bytes + 63) / 64 * 64)].data;
}

void absent_input(test_case *c) {
  c->call.input_count++;
  c->operands[c->count++] = WH_NONE;
}

void absent_output(test_case *c) {
  c->call.output_count++;
  c->operands[c->count++] = WH_NONE;
}

void *output_in_place(test_case *c, int i) {
  c->call.output_count++;
  c->operands[c->count++] = (uint32_t)i;
  return c->tensors[i].data;
}

void end(test_case *c) {
  for (int i = 0; i < c->count; i++) {
    if (c->owned[i]) free(c->tensors[i].data);
  }
}

const char *refusal(test_case *c, uint32_t code) { return wh_find_kernel(code)->check(&c->call); }

int32_t run(test_case *c, uint32_t code, uint32_t cpu) {
  const wh_kernel *kernel = wh_find_kernel(code);
  const char *reason = kernel->check(&c->call);
  EXPECT(!reason, "%s refused: %s", kernel->name, reason);
  if (reason) return -1;
  c->call.cpu = cpu;
  return kernel->run(&c->call);
}

int cpu_masks(uint32_t masks[MAX_CPUS]) {
  const uint32_t all = wh_detect_cpu();
  const uint32_t wide = WHERRY_CPU_AVX512 | WHERRY_CPU_AVX512_VNNI;
  int count = 0;
  masks[count++] = 0;
  /* Ascending: without dot products, with them, with matrix products. */
  if (all & WHERRY_CPU_AVX2) masks[count++] = WHERRY_CPU_AVX2;
  if (all & WHERRY_CPU_NEON) masks[count++] = WHERRY_CPU_NEON;
  if (all & (WHERRY_CPU_AVX512 | WHERRY_CPU_I8MM))
    masks[count++] = all & ~(uint32_t)(WHERRY_CPU_AVX512_VNNI | WHERRY_CPU_I8MM);
#if defined(WH_EVEX_VNNI)
  if (!(~all & wide)) masks[count++] = WHERRY_CPU_AVX2 | WHERRY_CPU_AVX_VNNI;
#else
  if (all & WHERRY_CPU_AVX_VNNI && all & wide) masks[count++] = all & ~wide;
#endif
  if (all != masks[count - 1]) masks[count++] = all;
  for (int i = 0; i < count; i++) masks[i] = wh_with_storage(masks[i]);
  return count;
}

int storage_masks(uint32_t masks[MAX_STORAGES]) {
  uint32_t cpus[MAX_CPUS];
  int count = 0;
  for (int i = cpu_masks(cpus) - 1; i >= 0; i--) {
#if defined(__x86_64__) /* elsewhere sessions know one signedness */
    const uint32_t session = wh_with_storage(cpus[i]), natural = cpus[i] | WH_CPU_UNSIGNED;
    if (session != cpus[i] && session != natural) masks[count++] = session;
    masks[count++] = natural;
#endif
    masks[count++] = cpus[i];
  }
  return count;
}

uint64_t random_bits(void) {
  state += 0x9E3779B97F4A7C15ull;
  uint64_t z = state;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}

int random_below(int limit) { return (int)(random_bits() % (uint64_t)limit); }
int random_in(int low, int high) { return low + random_below(high - low + 1); }

float random_real(float low, float high) {
  return low + (high - low) * ((float)(random_bits() >> 40) * 0x1p-24f);
}

void random_floats(float *p, int64_t count, float low, float high) {
  for (int64_t i = 0; i < count; i++) p[i] = random_real(low, high);
}

void expect(bool condition, const char *file, int line, const char *format, ...) {
  if (condition) return;
  if (failures++ >= 3) return;
  va_list arguments;
  va_start(arguments, format);
  printf("%s:%d: ", file, line);
  vprintf(format, arguments);
  printf(" (seed %llu)\n", (unsigned long long)seed);
  va_end(arguments);
}

bool near(double value, double expected, double relative, double absolute) {
  if (value == expected || (value != value && expected != expected)) return true;
  return fabs(value - expected) <= absolute + relative * fabs(expected);
}

int main(int count, char **arguments) {
  const test *const suites[] = {gemm_tests,
                                conv_tests,
                                elementwise_tests,
                                axis_tests,
                                index_tests,
                                recurrent_tests,
                                other_tests,
                                refusal_tests,
                                depthwise8_tests,
                                int8_boundary_tests,
                                int8_elementwise_tests,
                                int8_recurrent_tests,
                                int8_spans_tests,
                                pool8_tests,
                                qconv_tests,
                                qmatmul_tests,
                                requantize_tests};
  int passed = 0, failed = 0;
  if (count > 1) seed = strtoull(arguments[1], NULL, 10);
  for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) {
    for (const test *t = suites[s]; t->name; t++) {
      failures = 0;
      state = seed;
      t->body();
      failures ? failed++ : passed++;
      if (failures) printf("FAILED %s: %d\n", t->name, failures);
    }
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
