/* libFuzzer target: check, open, invoke and self test on arbitrary bytes. runtime/Tests/fuzz/run.sh
 * builds and runs it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wherry.h"

enum { largest_session = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  void *bytes, *memory;
  wherry_info info = {.size = sizeof info};
  wherry_error error = {.size = sizeof error};
  wherry_session *session;
  if (posix_memalign(&bytes, 64, size ? size : 1)) return 0;
  memcpy(bytes, data, size);
  wherry_verify(bytes, size, &error);
  if (wherry_check(bytes, size, &info, &error) == WHERRY_OK &&
      info.session_bytes <= largest_session &&
      posix_memalign(&memory, 64, (size_t)info.session_bytes) == 0) {
    if (wherry_open(bytes, size, memory, (size_t)info.session_bytes, NULL, &session, &error)) {
      abort(); /* what check accepts, open must accept */
    }
    wherry_invoke(session);
    wherry_self_test(session, &error);
    for (uint32_t i = 0; i < info.output_count && i < 16; i++) {
      wherry_tensor tensor = {.size = sizeof tensor};
      if (wherry_output(session, i, &tensor)) abort();
      if (tensor.label_count) (void)strlen(wherry_label(session, i, tensor.label_count - 1));
    }
    wherry_close(session);
    free(memory);
  }
  free(bytes);
  return 0;
}
