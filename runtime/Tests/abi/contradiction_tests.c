/* Each contradiction a file can hold is refused with its status and the offset of its field. */
#include "abi_test.h"

enum place { HEADER, TABLE, PLAN, TENSOR, OPERATION, OPERAND, TEXT_END, TEST };

typedef struct refusal {
  const char *what;
  enum place place;
  uint32_t index; /* of the record */
  size_t field;   /* in the record */
  unsigned width; /* bytes of the field */
  uint64_t value;
  wherry_status status;
  int32_t operation, tensor;
} refusal;

#define FIELD(type, name) offsetof(type, name), sizeof(((type *)0)->name)
#define H(name) HEADER, 0, FIELD(wh_file_header, name)
#define S(index, name) TABLE, index, FIELD(wh_section_record, name)
#define P(name) PLAN, 0, FIELD(wh_plan_header, name)
#define T(index, name) TENSOR, index, FIELD(wh_tensor_record, name)
#define DIM(index, axis) TENSOR, index, offsetof(wh_tensor_record, dims) + 4 * (axis), 4
#define O(index, name) OPERATION, index, FIELD(wh_operation_record, name)
#define BAD WHERRY_BAD_MODEL

/* two_operations has tensors 0 features, 1 hidden, 2 scores, 3 weights, 4 bias; operands 0 to 2 are
 * the interface, 3 and 4 the relu's, 5 to 9 the dense layer's. Sections: plan, test, weights. */
static const refusal refusals[] = {
    {"magic", H(magic), 0x1122, WHERRY_NOT_A_MODEL, -1, -1},
    {"major", H(major), 2, WHERRY_BAD_VERSION, -1, -1},
    {"no sections", H(section_count), 0, BAD, -1, -1},
    {"65 sections", H(section_count), 65, BAD, -1, -1},
    {"bytes after the end", H(file_bytes), 4096, BAD, -1, -1},
    {"header arena", H(arena_bytes), 256, BAD, -1, -1},
    {"header state", H(state_bytes), 64, BAD, -1, -1},
    {"header macs", H(macs), 16, BAD, -1, -1},
    {"header live", H(live_bytes), 0, BAD, -1, -1},
    {"reserved", HEADER, 0, 56, 8, 1, BAD, -1, -1},
    {"no plan", S(0, kind), 0x58585858, WHERRY_NO_PLAN, -1, -1},
    {"plan section version", S(0, version), 2, WHERRY_BAD_VERSION, -1, -1},
    {"weights section version", S(2, version), 2, WHERRY_BAD_VERSION, -1, -1},
    {"misaligned section", S(0, offset), 352, BAD, -1, -1},
    {"misaligned weights", S(2, offset), 4096 + 32, BAD, -1, -1},
    {"section in the table", S(0, offset), 256, BAD, -1, -1},
    {"section past the end", S(2, bytes), 1 << 20, BAD, -1, -1},
    {"section that wraps", S(2, bytes), UINT64_MAX - 64, BAD, -1, -1},
    {"section reserved", S(1, reserved), 1, BAD, -1, -1},
    {"two plans", TABLE, 1, 0, 4, WH_SECTION_PLAN, BAD, -1, -1},
    {"plan without header", S(0, bytes), 63, BAD, -1, -1},
    {"plan version", P(version), 2, WHERRY_BAD_VERSION, -1, -1},
    {"tensor count", P(tensor_count), 0xFFFFFFFF, BAD, -1, -1},
    {"interface beyond operands", P(input_count), 40, BAD, -1, -1},
    {"text without NUL", TEXT_END, 0, 0, 1, 'x', BAD, -1, -1},
    {"text not UTF-8", TEXT_END, 0, -1, 1, 0xFF, BAD, -1, -1},
    {"element", T(1, element), 8, BAD, -1, 1},
    {"storage", T(1, storage), 3, BAD, -1, 1},
    {"rank", T(1, rank), 9, BAD, -1, 1},
    {"negative extent", DIM(1, 1), 0xFFFFFFFF, BAD, -1, 1},
    {"extent beyond rank", DIM(1, 7), 1, BAD, -1, 1},
    {"tensor bytes", T(1, bytes), 24, BAD, -1, 1},
    {"misaligned tensor", T(1, offset), 32, BAD, -1, 1},
    {"tensor outside the arena", T(1, offset), 192, BAD, -1, 1},
    {"tensor that wraps", T(1, offset), UINT64_MAX - 63, BAD, -1, 1},
    {"weights outside their section", T(4, offset), 384, BAD, -1, 4},
    {"scale", T(0, scale), 0xBF800000, BAD, -1, 0},
    {"scale NaN", T(0, scale), 0x7FC00000, BAD, -1, 0},
    {"name", T(0, name), 4096, BAD, -1, 0},
    {"labels", T(2, labels), 4096, BAD, -1, 2},
    {"label count", T(2, label_count), 4096, BAD, -1, 2},
    {"labels absent", T(0, label_count), 1, BAD, -1, 0},
    {"input is no tensor", OPERAND, 0, 0, 4, 5, BAD, -1, -1},
    {"input in the weights", OPERAND, 0, 0, 4, 3, BAD, -1, 3},
    {"operator code", O(1, code), 9999, WHERRY_UNSUPPORTED, 1, -1},
    {"parameter size", O(1, parameter_bytes), 8, BAD, 1, -1},
    {"parameters misaligned", O(1, parameters), 4, BAD, 1, -1},
    {"parameters outside", O(1, parameters), 64, BAD, 1, -1},
    {"operation name", O(0, name), 4096, BAD, 0, -1},
    {"operation reserved", O(0, reserved), 1, BAD, 0, -1},
    {"operation reserved2", O(0, reserved2), 1, BAD, 0, -1},
    {"two scratch tensors", O(0, scratch_count), 2, BAD, 0, -1},
    {"many operands", O(0, input_count), 32, BAD, 0, -1},
    {"operands outside", O(1, operands), 6, BAD, 1, -1},
    {"operand is no tensor", OPERAND, 4, 0, 4, 5, BAD, 0, 5},
    {"output in the weights", OPERAND, 4, 0, 4, 4, BAD, 0, 4},
    {"tests of another shape", TEST, 0, 4, 4, 2, BAD, -1, -1},
    {"too many tests", TEST, 0, 0, 4, 1000000, BAD, -1, -1},
    {"tolerance", TEST, 0, 8, 4, 0x7F800000, BAD, -1, -1},
};

static size_t offset_of(file f, const refusal *r) {
  size_t plan = file_section(f, WH_SECTION_PLAN);
  wh_plan_header header;
  memcpy(&header, f.bytes + plan, sizeof header);
  size_t tensors = plan + sizeof header;
  size_t operations = tensors + header.tensor_count * sizeof(wh_tensor_record);
  size_t operands = operations + header.operation_count * sizeof(wh_operation_record);
  const wh_section_record *table = (const wh_section_record *)(f.bytes + sizeof(wh_file_header));
  switch (r->place) {
    case HEADER:
      return r->field;
    case TABLE:
      return sizeof(wh_file_header) + r->index * sizeof *table + r->field;
    case PLAN:
      return plan + r->field;
    case TENSOR:
      return tensors + r->index * sizeof(wh_tensor_record) + r->field;
    case OPERATION:
      return operations + r->index * sizeof(wh_operation_record) + r->field;
    case OPERAND:
      return operands + r->index * 4;
    case TEXT_END:
      return plan + table[0].bytes - 1 + r->field;
    case TEST:
      return file_section(f, WH_SECTION_TEST) + r->field;
  }
  return 0;
}

static void everyContradictionNamesItsField(void) {
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    const refusal *r = &refusals[i];
    file f = two_operations();
    size_t offset = offset_of(f, r);
    memcpy(f.bytes + offset, &r->value, r->width);
    if (r->status == WHERRY_NO_PLAN) offset = offsetof(wh_file_header, section_count);
    wherry_info info = {.size = sizeof info};
    wherry_error error = {.size = sizeof error};
    wherry_status status = wherry_check(f.bytes, f.size, &info, &error);
    int right = status == r->status && error.status == status && error.offset == offset &&
                error.operation == r->operation && error.tensor == r->tensor && error.text[0] != 0;
    if (!right) {
      fprintf(stderr, "%s: %s at %llu, not %s at %llu, operation %d tensor %d: %s\n", r->what,
              wherry_status_text(status), (unsigned long long)error.offset,
              wherry_status_text(r->status), (unsigned long long)offset, error.operation,
              error.tensor, error.text);
    }
    CHECK(right);
    free(f.bytes);
  }
}

/* A plan's own figures, changed in header and plan alike. */
static void figuresAreRecomputed(void) {
  file f = two_operations();
  size_t plan = file_section(f, WH_SECTION_PLAN);
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  const uint64_t arenas[] = {128, 256, UINT64_MAX & ~63ull};
  for (int i = 0; i < 3; i++) {
    memcpy(f.bytes + offsetof(wh_file_header, arena_bytes), &arenas[i], 8);
    memcpy(f.bytes + plan + offsetof(wh_plan_header, arena_bytes), &arenas[i], 8);
    CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), WHERRY_BAD_MODEL);
  }
  free(f.bytes);
}

static file one_operation(uint64_t input_offset, uint64_t output_offset) {
  const int32_t many[] = {32, -1};
  builder b;
  builder_begin(&b);
  uint32_t x = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "x", many);
  uint32_t y = builder_tensor(&b, WH_STORAGE_ARENA, WH_FLOAT32, "y", many);
  b.tensors[x].offset = input_offset;
  b.tensors[y].offset = output_offset;
  b.plan.arena_bytes = (input_offset > output_offset ? input_offset : output_offset) + 128;
  builder_input(&b, x);
  builder_output(&b, y);
  wh_unary relu = {.kind = WH_ABS, .element = WH_FLOAT32};
  builder_operation(&b, 7, NULL, &relu, sizeof relu, 1, 1, (uint32_t[]){x, y});
  return builder_finish(&b);
}

static void onlyInPlaceMayOverlap(void) {
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  const struct {
    uint64_t x, y;
    wherry_status status;
  } cases[] = {
      {0, 128, WHERRY_OK}, {0, 0, WHERRY_OK}, {0, 64, WHERRY_BAD_MODEL}, {64, 0, WHERRY_BAD_MODEL}};
  for (int i = 0; i < 4; i++) {
    file f = one_operation(cases[i].x, cases[i].y);
    CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), cases[i].status);
    CHECK(cases[i].status == WHERRY_OK || (error.operation == 0 && error.tensor == 1));
    free(f.bytes);
  }
}

static void aKernelsComplaintNamesItsOperation(void) {
  file f = two_operations();
  size_t plan = file_section(f, WH_SECTION_PLAN);
  const wh_plan_header *header = (const wh_plan_header *)(f.bytes + plan);
  size_t operations = plan + sizeof *header + header->tensor_count * sizeof(wh_tensor_record);
  size_t parameters = (operations + 2 * sizeof(wh_operation_record) + 10 * 4 + 7) / 8 * 8;
  int32_t k = 5000;
  memcpy(f.bytes + parameters + sizeof(wh_unary) + offsetof(wh_matmul, k), &k, sizeof k);
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  CHECK_STATUS(wherry_check(f.bytes, f.size, &info, &error), WHERRY_BAD_MODEL);
  CHECK(error.operation == 1 && error.offset == operations + sizeof(wh_operation_record));
  CHECK(strncmp(error.text, "MatMul: ", 8) == 0 && strlen(error.text) > 10);
  free(f.bytes);
}

void contradiction_tests(void) {
  everyContradictionNamesItsField();
  figuresAreRecomputed();
  onlyInPlaceMayOverlap();
  aKernelsComplaintNamesItsOperation();
}
