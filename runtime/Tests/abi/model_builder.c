#include "model_builder.h"

#include <stdlib.h>
#include <string.h>

#include "sha256_reference.h"

static uint64_t up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

static uint32_t element_bytes(uint32_t element) {
  switch (element) {
    case WH_UINT8:
    case WH_INT8:
    case WH_BOOL:
      return 1;
    case WH_UINT16:
    case WH_INT16:
    case WH_FLOAT16:
      return 2;
    case WH_FLOAT32:
    case WH_INT32:
    case WH_UINT32:
      return 4;
    default:
      return 8;
  }
}

static uint32_t add_text(builder *b, const char *text, uint32_t bytes) {
  uint32_t at = b->plan.text_bytes;
  memcpy(b->text + at, text, bytes);
  b->plan.text_bytes += bytes;
  return at;
}

void builder_begin(builder *b) {
  memset(b, 0, sizeof *b);
  b->plan.version = WH_PLAN_VERSION;
}

uint32_t builder_tensor(builder *b, uint32_t storage, uint32_t element, const char *name,
                        const int32_t *dims) {
  wh_tensor_record *t = &b->tensors[b->plan.tensor_count];
  t->bytes = element_bytes(element);
  while (dims[t->rank] >= 0) {
    t->dims[t->rank] = dims[t->rank];
    t->bytes *= (uint64_t)dims[t->rank++];
  }
  t->element = element;
  t->storage = storage;
  t->name = name ? add_text(b, name, (uint32_t)strlen(name) + 1) : WH_NONE;
  t->labels = WH_NONE;
  if (storage == WH_STORAGE_WEIGHTS) {
    t->offset = b->weight_bytes;
    b->weight_bytes += (uint32_t)up(t->bytes, WH_ALIGNMENT);
  } else {
    t->offset = b->plan.arena_bytes;
    b->plan.arena_bytes += up(t->bytes, WH_ALIGNMENT);
    if (storage == WH_STORAGE_STATE) b->plan.state_bytes = b->plan.arena_bytes;
  }
  return b->plan.tensor_count++;
}

uint32_t builder_weight(builder *b, uint32_t element, const int32_t *dims, const void *data) {
  uint32_t index = builder_tensor(b, WH_STORAGE_WEIGHTS, element, 0, dims);
  memcpy(b->weights + b->tensors[index].offset, data, b->tensors[index].bytes);
  return index;
}

void builder_input(builder *b, uint32_t tensor) { b->interface[b->plan.input_count++] = tensor; }

void builder_output(builder *b, uint32_t tensor) {
  b->interface[b->plan.input_count + b->plan.output_count++] = tensor;
}

void builder_labels(builder *b, uint32_t tensor, const char *labels, uint32_t count) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < count; i++) bytes += (uint32_t)strlen(labels + bytes) + 1;
  b->tensors[tensor].labels = add_text(b, labels, bytes);
  b->tensors[tensor].label_count = count;
}

void builder_operation(builder *b, uint32_t code, const char *name, const void *parameters,
                       uint32_t parameter_bytes, uint16_t inputs, uint16_t outputs,
                       const uint32_t *tensors) {
  wh_operation_record *o = &b->operations[b->plan.operation_count++];
  o->code = code;
  o->operands = b->plan.operand_count; /* moved behind the interface by builder_finish */
  o->input_count = inputs;
  o->output_count = outputs;
  o->parameters = b->plan.parameter_bytes;
  o->parameter_bytes = parameter_bytes;
  o->name = name ? add_text(b, name, (uint32_t)strlen(name) + 1) : WH_NONE;
  memcpy(b->operands + b->plan.operand_count, tensors, 4u * (inputs + outputs));
  b->plan.operand_count += inputs + outputs;
  if (parameter_bytes) memcpy(b->parameters + b->plan.parameter_bytes, parameters, parameter_bytes);
  b->plan.parameter_bytes += (uint32_t)up(parameter_bytes, 8);
}

void builder_tests(builder *b, float relative, float absolute, uint32_t cases,
                   const void *const *data) {
  uint32_t per_case = b->plan.input_count + b->plan.output_count;
  wh_test_header header = {cases, per_case, relative, absolute};
  memcpy(b->tests, &header, sizeof header);
  uint32_t end = (uint32_t)up(sizeof header + cases * per_case * sizeof(wh_test_record), 64);
  for (uint32_t i = 0; i < cases * per_case; i++) {
    wh_test_record record = {end, b->tensors[b->interface[i % per_case]].bytes};
    memcpy(b->tests + sizeof header + i * sizeof record, &record, sizeof record);
    memcpy(b->tests + end, data[i], record.bytes);
    end += (uint32_t)up(record.bytes, 64);
  }
  b->test_bytes = end;
}

static size_t put(uint8_t *to, size_t at, const void *bytes, size_t size) {
  if (size) memcpy(to + at, bytes, size);
  return at + size;
}

/* Writes the plan and returns its size. */
static size_t write_plan(builder *b, uint8_t *to) {
  wh_plan_header plan = b->plan;
  uint32_t interface = plan.input_count + plan.output_count;
  plan.operand_count += interface;
  plan.live_bytes = plan.arena_bytes;
  for (uint32_t i = 0; i < plan.operation_count; i++) b->operations[i].operands += interface;
  size_t at = put(to, 0, &plan, sizeof plan);
  at = put(to, at, b->tensors, plan.tensor_count * sizeof b->tensors[0]);
  at = put(to, at, b->operations, plan.operation_count * sizeof b->operations[0]);
  at = put(to, at, b->interface, interface * 4u);
  at = put(to, at, b->operands, b->plan.operand_count * 4u);
  at = put(to, up(at, 8), b->parameters, plan.parameter_bytes);
  return put(to, up(at, 8), b->text, plan.text_bytes);
}

static void add_section(file *f, wh_file_header *header, uint32_t kind, const void *bytes,
                        size_t size) {
  wh_section_record *records = (wh_section_record *)(f->bytes + sizeof *header);
  size_t offset = up(f->size, kind == WH_SECTION_WEIGHTS ? WH_PAGE : WH_ALIGNMENT);
  memcpy(f->bytes + offset, bytes, size);
  records[header->section_count++] =
      (wh_section_record){.kind = kind, .version = 1, .offset = offset, .bytes = size};
  f->size = offset + size;
}

file builder_finish(builder *b) {
  enum { room = 32768, table = 128 + 3 * 64 };
  static uint8_t plan[8192];
  file f = {0, table};
  if (posix_memalign((void **)&f.bytes, 64, room)) abort();
  memset(f.bytes, 0, room);
  memset(plan, 0, sizeof plan);
  wh_file_header header = {.magic = WH_FILE_MAGIC, .major = WH_FILE_MAJOR, .minor = WH_FILE_MINOR};
  add_section(&f, &header, WH_SECTION_PLAN, plan, write_plan(b, plan));
  if (b->test_bytes) add_section(&f, &header, WH_SECTION_TEST, b->tests, b->test_bytes);
  if (b->weight_bytes) add_section(&f, &header, WH_SECTION_WEIGHTS, b->weights, b->weight_bytes);
  header.file_bytes = f.size;
  header.arena_bytes = header.live_bytes = b->plan.arena_bytes;
  header.state_bytes = b->plan.state_bytes;
  header.macs = b->plan.macs;
  memcpy(f.bytes, &header, sizeof header);
  file_seal(f);
  file exact = file_copy(f); /* of exactly its size, so that a sanitizer sees a read past its end */
  free(f.bytes);
  return exact;
}

void file_seal(file f) {
  wh_file_header *header = (wh_file_header *)f.bytes;
  wh_section_record *records = (wh_section_record *)(header + 1);
  for (uint32_t i = 0; i < header->section_count; i++) {
    sha256_reference(f.bytes + records[i].offset, records[i].bytes, records[i].digest);
  }
  uint8_t digest[32];
  memset(header->digest, 0, sizeof header->digest);
  sha256_reference(f.bytes, sizeof *header + header->section_count * sizeof *records, digest);
  memcpy(header->digest, digest, sizeof digest);
}

file file_copy(file f) {
  file copy = {0, f.size};
  if (posix_memalign((void **)&copy.bytes, 64, f.size ? f.size : 1)) abort();
  memcpy(copy.bytes, f.bytes, f.size);
  return copy;
}

size_t file_section(file f, uint32_t kind) {
  const wh_file_header *header = (const wh_file_header *)f.bytes;
  const wh_section_record *records = (const wh_section_record *)(header + 1);
  for (uint32_t i = 0; i < header->section_count; i++) {
    if (records[i].kind == kind) return (size_t)records[i].offset;
  }
  abort();
}
