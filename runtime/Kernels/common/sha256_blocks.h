#ifndef WHERRY_SHA256_BLOCKS_H
#define WHERRY_SHA256_BLOCKS_H

#include "../include/kernels.h"

extern const uint32_t wh_sha256_constants[64];

/* Compresses count blocks of 64 bytes into state. */
void wh_sha256_blocks(uint32_t state[8], const uint8_t *bytes, size_t count);
int wh_sha256_has_x86(void);
void wh_sha256_blocks_x86(uint32_t state[8], const uint8_t *bytes, size_t count);

#endif
