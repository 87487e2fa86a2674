/* digits MODEL IMAGES LABELS [--expect FILE]: classifies every row of raw float32 images, a row being
 * the bytes of the model's input, and compares with one byte of label a row. Prints the accuracy
 * and the time an image takes; --expect compares output 0 of all images with raw float32 scores and
 * exits with 1 if any is more than 1e-5 away. */
#include <math.h>
#include <string.h>
#include <time.h>
#include <wherry.h>

#include "mapped_file.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int fail(const char *what, const wherry_error *error) {
  fprintf(stderr, "%s: %s: %s\n", what, wherry_status_text(error->status), error->text);
  return 65;
}

static size_t largest(const float *values, size_t count) {
  size_t top = 0;
  for (size_t i = 1; i < count; i++) {
    if (values[i] > values[top]) top = i;
  }
  return top;
}

int main(int argc, char **argv) {
  if (argc != 4 && !(argc == 6 && strcmp(argv[4], "--expect") == 0)) {
    fprintf(stderr, "usage: digits MODEL IMAGES LABELS [--expect FILE]\n");
    return 64;
  }
  mapped_file model = map_file(argv[1]), images = map_file(argv[2]), labels = map_file(argv[3]);
  mapped_file expected = {0};
  if (argc == 6) expected = map_file(argv[5]);

  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_tensor input = {.size = sizeof input}, output = {.size = sizeof output};
  wherry_session *session;
  if (wherry_check(model.bytes, model.size, &info, &error)) return fail(argv[1], &error);
  void *memory = aligned_alloc(64, info.session_bytes);
  if (!memory) return perror("session"), 70;
  if (wherry_open(model.bytes, model.size, memory, info.session_bytes, NULL, &session, &error)) {
    return fail(argv[1], &error);
  }
  if (wherry_input(session, 0, &input) || wherry_output(session, 0, &output) ||
      info.input_count != 1 || input.bytes == 0 || output.element != WHERRY_FLOAT32 ||
      images.size % input.bytes || labels.size != images.size / input.bytes ||
      (expected.size && expected.size != labels.size * output.bytes)) {
    fprintf(stderr, "%s, %s, %s: these do not belong together\n", argv[1], argv[2], argv[3]);
    return 65;
  }

  const float *scores = wherry_output_data(session, 0);
  size_t right = 0;
  float worst = 0;
  double start = seconds();
  for (size_t i = 0; i < labels.size; i++) {
    if (wherry_set_input(session, 0, images.bytes + i * input.bytes, input.bytes) ||
        wherry_invoke(session)) {
      wherry_last_error(session, &error);
      return fail(argv[2], &error);
    }
    right += largest(scores, output.bytes / sizeof(float)) == labels.bytes[i];
    for (size_t j = 0; expected.size && j < output.bytes / sizeof(float); j++) {
      float wanted;
      memcpy(&wanted, expected.bytes + i * output.bytes + j * sizeof wanted, sizeof wanted);
      float gap = fabsf(scores[j] - wanted);
      if (!(gap <= worst)) worst = gap;
    }
  }
  double each = (seconds() - start) / (double)(labels.size ? labels.size : 1);
  printf("%zu of %zu right (%.2f %%), %.1f us an image, arena %llu bytes, session %llu bytes\n",
         right, labels.size, labels.size ? 100.0 * (double)right / (double)labels.size : 0,
         each * 1e6, (unsigned long long)info.arena_bytes, (unsigned long long)info.session_bytes);
  if (expected.size) printf("largest difference from the expected scores: %.3g\n", worst);
  wherry_close(session);
  free(memory);
  return worst <= 1e-5f ? 0 : 1;
}
