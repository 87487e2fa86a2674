/* minimal MODEL: maps a model, feeds input 0 from standard input (zeros if it ends early), runs it
 * once and prints the largest value of output 0 with its label, or the first values.
 *
 *   cc minimal.c $(pkg-config --cflags --libs wherry) -o minimal
 *   ./minimal digits.wherry < image.f32 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wherry.h>

static int fail(const char *what, const wherry_error *error) {
  fprintf(stderr, "%s: %s: %s\n", what, wherry_status_text(error->status), error->text);
  return 1;
}

static void print_top(const wherry_session *session, const float *values, uint32_t count) {
  uint32_t top = 0;
  for (uint32_t i = 1; i < count; i++) {
    if (values[i] > values[top]) top = i;
  }
  const char *label = wherry_label(session, 0, top);
  printf("%u %s %g\n", top, label ? label : "", (double)values[top]);
}

int main(int argc, char **argv) {
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_tensor input = {.size = sizeof input}, output = {.size = sizeof output};
  wherry_session *session;
  struct stat file;

  if (argc != 2) return fprintf(stderr, "usage: minimal MODEL < INPUT\n"), 64;
  int descriptor = open(argv[1], O_RDONLY);
  if (descriptor < 0 || fstat(descriptor, &file)) return perror(argv[1]), 66;
  size_t size = (size_t)file.st_size;
  void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (bytes == MAP_FAILED) return perror(argv[1]), 66;

  if (wherry_check(bytes, size, &info, &error)) return fail(argv[1], &error);
  void *memory = aligned_alloc(64, info.session_bytes);
  if (!memory) return perror("session"), 1;
  if (wherry_open(bytes, size, memory, info.session_bytes, NULL, &session, &error)) {
    return fail(argv[1], &error);
  }
  if (info.input_count != 1 || info.output_count < 1) {
    return fprintf(stderr, "%s: needs one input and an output\n", argv[1]), 65;
  }
  wherry_input(session, 0, &input);
  wherry_output(session, 0, &output);
  void *data = wherry_input_data(session, 0);
  memset(data, 0, input.bytes);
  size_t got = fread(data, 1, input.bytes, stdin);
  fprintf(stderr, "%s: %zu of %llu bytes\n", input.name, got, (unsigned long long)input.bytes);

  if (wherry_invoke(session)) {
    wherry_last_error(session, &error);
    return fail(argv[1], &error);
  }
  if (output.element == WHERRY_FLOAT32 && output.bytes > 0) {
    print_top(session, wherry_output_data(session, 0), (uint32_t)(output.bytes / sizeof(float)));
  }
  wherry_close(session);
  free(memory);
  return munmap(bytes, size);
}
