/* What the tests of 8-bit windows share: random windows, bytes and bounds, the truth of rounding.
 */
#ifndef KERNEL_TEST_WINDOW8_H
#define KERNEL_TEST_WINDOW8_H

#include "harness.h"

enum { MAX_CPUS8 = 12 };

/* Instruction sets with the storage each prefers, the definition in both storages first. */
int cpu_masks8(uint32_t masks[MAX_CPUS8]);

/* rounds, times WHERRY_TEST_ROUNDS where that is set. */
int rounds8(int rounds);

void random_bytes8(uint8_t *p, int64_t count);
void flip_bytes(uint8_t *p, int64_t count);
void random_bounds(int32_t *zero, int32_t *low, int32_t *high);
void random_window8(int32_t in[3], int32_t out[3], int32_t kernel[3], int32_t stride[3],
                    int32_t dilation[3], int32_t pad[3], int32_t pad_end[3], int largest_kernel,
                    int largest_extent);

/* clamp(round half to even(t) + zero, low, high). */
int8_t rounded(float t, int32_t zero, int32_t low, int32_t high);

/* An output pixel's position along each axis; what remains of pixel is its image. */
void split(int64_t o[3], int64_t *pixel, const int32_t out[3]);

/* The input pixel under tap k of output o in an image, or -1 for padding. */
int64_t position(const int32_t in[3], const int64_t o[3], const int64_t k[3],
                 const int32_t stride[3], const int32_t dilation[3], const int32_t pad[3],
                 int64_t image);

#endif
