/* sensor_loop: the loop of a device. The model is linked into the program, the memory is static,
 * and after start nothing can fail but a sample that is out of range. Copy this file.
 *
 *   cc -DMODEL='"model.wherry"' sensor_loop.c model.S $(pkg-config --cflags --libs wherry)
 *
 * Samples are lines of numbers on standard input, as many a line as the model's input has. */
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <wherry.h>

extern const uint8_t model[], model_end[];

/* wherry inspect MODEL, and wherry_check below, say how much this model needs. */
enum { session_room = 256 * 1024 };
static alignas(64) uint8_t memory[session_room];

static wherry_error error = {.size = sizeof error};

/* Where a device would blink: what was wrong, and where in the file or plan. */
static int report(const char *step) {
  fprintf(stderr, "%s: %s: %s (byte %llu, operation %d, tensor %d)\n", step,
          wherry_status_text(error.status), error.text, (unsigned long long)error.offset,
          (int)error.operation, (int)error.tensor);
  return 1;
}

/* Fills the input with the next sample: 1, or 0 at the end, or -1 for one that makes no sense. */
static int read_sample(float *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int read = scanf("%f", &values[i]);
    if (read == EOF) return 0;
    if (read != 1) return scanf("%*[^\n]"), -1;
  }
  return 1;
}

static wherry_session *start(size_t *input_count, size_t *output_count) {
  wherry_info info = {.size = sizeof info};
  wherry_tensor input = {.size = sizeof input}, output = {.size = sizeof output};
  wherry_options options = {.size = sizeof options, .check_digests = 1};
  wherry_session *session;
  const size_t size = (size_t)(model_end - model);

  if (wherry_check(model, size, &info, &error)) return report("check"), NULL;
  if (info.session_bytes > sizeof memory) {
    fprintf(stderr, "session_room must be %llu\n", (unsigned long long)info.session_bytes);
    return NULL;
  }
  if (wherry_open(model, size, memory, sizeof memory, &options, &session, &error)) {
    return report("open"), NULL;
  }
  /* On a new board: does this processor compute what the file expects? */
  wherry_status status = wherry_self_test(session, &error);
  if (status != WHERRY_OK && status != WHERRY_NO_TEST) return report("self test"), NULL;
  wherry_reset(session);

  if (wherry_input(session, 0, &input) || wherry_output(session, 0, &output) ||
      info.input_count != 1 || input.element != WHERRY_FLOAT32 ||
      output.element != WHERRY_FLOAT32) {
    fprintf(stderr, "this loop is for one float input and float output 0\n");
    return NULL;
  }
  *input_count = input.bytes / sizeof(float);
  *output_count = output.bytes / sizeof(float);
  return session;
}

int main(void) {
  size_t input_count, output_count;
  wherry_session *session = start(&input_count, &output_count);
  if (!session) return 1;

  /* Both pointers are good until close; the input is filled anew before every invoke. */
  float *input = wherry_input_data(session, 0);
  const float *output = wherry_output_data(session, 0);
  int more;
  while ((more = read_sample(input, input_count)) != 0) {
    if (more < 0) {
      fprintf(stderr, "a sample was skipped\n");
      continue;
    }
    if (wherry_invoke(session)) {
      wherry_last_error(session, &error);
      report("invoke");
      wherry_reset(session);
      continue;
    }
    for (size_t i = 0; i < output_count; i++) {
      printf(i + 1 < output_count ? "%g " : "%g\n", (double)output[i]);
    }
  }
  wherry_close(session);
  return 0;
}
