/* file.h: the container of a native file as bytes. Little-endian, naturally aligned, no padding.
 * The normative description is formats/Native/README.md; this header is its C form. */
#ifndef WHERRY_FILE_H
#define WHERRY_FILE_H

#include <stdint.h>

#define WH_FILE_MAGIC 0x0A59525245485789ull /* bytes 89 'W' 'H' 'E' 'R' 'R' 'Y' 0A */
#define WH_FILE_MAJOR 1u /* readers refuse another major version */
#define WH_FILE_MINOR 1u /* newer minor versions only add: 1 brought 8-bit operators, streams, numbers in self tests */
#define WH_PAGE 4096 /* gaps between sections are shorter; large weights begin at a multiple */
#define WH_MAX_SECTIONS 64

typedef struct wh_file_header { /* 128 bytes at offset 0 */
  uint64_t magic;
  uint16_t major, minor;
  uint32_t section_count;     /* 1 to WH_MAX_SECTIONS; the table follows the header */
  uint64_t file_bytes;
  uint64_t arena_bytes;       /* exact need of one session's tensors; 0 without a plan */
  uint64_t state_bytes;       /* persistent head of the arena */
  uint64_t macs;              /* multiply-accumulates of one invocation */
  uint64_t live_bytes;        /* lower bound of arena_bytes: the largest live set */
  uint64_t reserved[5];       /* zero */
  uint8_t digest[32];         /* SHA-256 of header and section table with this field zero */
} wh_file_header;

typedef struct wh_section_record { /* 64 bytes */
  uint32_t kind;              /* WH_SECTION_… */
  uint32_t version;           /* of the section's content; 1, or 2 for a graph with repetitions */
  uint64_t offset;            /* from the start of the file, multiple of 64 */
  uint64_t bytes;
  uint64_t reserved;          /* zero */
  uint8_t digest[32];         /* SHA-256 of the section's bytes */
} wh_section_record;

/* Sections are in ascending offset order, do not overlap, each kind occurs once, and the gaps between
 * them and after the last are zero. Readers ignore kinds they do not know. */
#define WH_SECTION(a, b, c, d) \
  ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
enum {
  WH_SECTION_GRAPH = 0x48505247,   /* "GRPH": the portable graph, lossless */
  WH_SECTION_PLAN = 0x4E414C50,    /* "PLAN": plan.h */
  WH_SECTION_WEIGHTS = 0x54484757, /* "WGHT": tensor bytes of plan and graph, each at a multiple of 64 */
  WH_SECTION_TEST = 0x54534554,    /* "TEST": self-test vectors */
  WH_SECTION_CALIBRATION = 0x424C4143, /* "CALB": calibration histograms */
  WH_SECTION_SIGNATURE = 0x4E474953    /* "SIGN": signature over digest */
};

/* The self-test section: a header, then case_count cases, each an array of records (all model inputs
 * in order, then all outputs); data offsets from the start of the section, multiples of 64. */
typedef struct wh_test_header { /* 16 bytes */
  uint32_t case_count;
  uint32_t tensors_per_case;  /* input_count + output_count of the plan */
  float relative, absolute;   /* float outputs: |y - expected| <= absolute + relative * |expected|; others equal */
} wh_test_header;
/* A record of 0 bytes for a tensor that has some: offset is a number that stands for the data. Of an input it is
 * the seed s of s = s * 6364136223846793005 + 1442695040888963407 (mod 2^64, stepped before every use): float32
 * elements are ((int32_t)(s >> 32) >> 8) * 2^-23, bytes of other elements s >> 56. Of an output it is FNV-1a,
 * 64 bits, of its bytes. A record of n elements for an output of more, m: those at multiples of floor(m / n). */
typedef struct wh_test_record { /* 16 bytes */
  uint64_t offset, bytes;
} wh_test_record;

#endif
