/* sha256_reference.h: FIPS 180-4 written independently of the runtime's, to check it. */
#ifndef SHA256_REFERENCE_H
#define SHA256_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

void sha256_reference(const void *bytes, size_t size, uint8_t digest[32]);

#endif
