/* mapped_file.h: a whole file as read-only memory, for the examples that read several. */
#ifndef MAPPED_FILE_H
#define MAPPED_FILE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct mapped_file {
  const unsigned char *bytes;
  size_t size;
} mapped_file;

/* Ends the program with code 66 if the file can't be read. */
static inline mapped_file map_file(const char *path) {
  struct stat status;
  int descriptor = open(path, O_RDONLY);
  if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
    mapped_file file = {(const unsigned char *)"", (size_t)status.st_size};
    void *bytes = file.size ? mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, descriptor, 0) : NULL;
    close(descriptor);
    if (bytes) file.bytes = bytes;
    if (bytes != MAP_FAILED) return file;
  }
  perror(path);
  exit(66);
}

#endif
