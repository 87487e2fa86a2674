/* write_seeds FOLDER: writes the hand-built models of the ABI tests as files. */
#include <stdio.h>
#include <stdlib.h>

#include "sample_models.h"

static void save(const char *folder, const char *name, file f) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.wherry", folder, name);
  FILE *out = fopen(path, "wb");
  if (!out || fwrite(f.bytes, 1, f.size, out) != f.size || fclose(out)) {
    perror(path);
    exit(1);
  }
  free(f.bytes);
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  save(argv[1], "two_operations", two_operations());
  save(argv[1], "accumulator", accumulator());
  return 0;
}
