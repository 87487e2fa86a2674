#include "../../Kernels/int8_elementwise/bytes.h"
#include "harness.h"

/* Every variant of the spans of bytes against the scalar one, byte for byte: at every length up to
 * 200, every alignment and with nothing written beside. WHERRY_TEST_MILLIONS=n adds n million
 * values. */

enum { LONGEST = 200, GUARD = 64, SLACK = 63 };

static int rounds(int usual) {
  const char *millions = getenv("WHERRY_TEST_MILLIONS");
  return usual + (millions ? atoi(millions) * (1000000 / (LONGEST / 2)) : 0);
}

static uint8_t flip_of(uint32_t cpu) { return cpu & WH_CPU_UNSIGNED ? 0x80 : 0; }

static int random_byte(void) { return random_in(-128, 127); }

/* A buffer whose end is the end of an allocation, count bytes at some alignment. */
typedef struct span {
  uint8_t *block, *data;
} span;

static span random_span(int64_t bytes, int shift, int slack) {
  span s;
  s.block = malloc((size_t)(bytes + shift + slack + 1));
  s.data = s.block + shift;
  for (int64_t i = 0; i < bytes + slack; i++) s.data[i] = (uint8_t)random_bits();
  return s;
}

/* Expects y to begin with count bytes of e and to go on as it was. */
static void expect_span(const char *what, const uint8_t *y, const uint8_t *e, int64_t count) {
  int64_t at = 0;
  while (at < count && y[at] == e[at]) at++;
  EXPECT(at == count, "%s: byte %lld of %lld is %d, not %d", what, (long long)at, (long long)count,
         at < count ? y[at] : 0, at < count ? e[at] : 0);
  for (int i = 0; i < GUARD; i++)
    EXPECT(y[count + i] == 0xC3, "%s: wrote beside %lld", what, (long long)count);
}

static float random_factor(void) {
  switch (random_below(4)) {
    case 0:
      return ldexpf(1, random_in(-126, 24));
    case 1:
      return ldexpf((float)random_in(1, 63), -6);
    default:
      return ldexpf(random_real(0.5f, 1), random_in(-12, 2));
  }
}

static wh_qbinary random_binary(void) {
  wh_qbinary p = {.kind = random_in(WH_ADD, WH_MUL),
                  .a_zero = random_byte(),
                  .b_zero = random_byte(),
                  .y_zero = random_byte(),
                  .low = random_below(2) ? -128 : random_byte(),
                  .a_factor = random_factor()};
  p.high = random_below(2) ? 127 : random_in(p.low, 127);
  if (p.kind != WH_MUL) p.b_factor = random_below(3) ? random_factor() : p.a_factor;
  return p;
}

static void binaryVariantsAgree(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < rounds(4000); round++) {
    const uint32_t cpu = masks[round % cpus];
    const wh_qbinary p = random_binary();
    const int count = round < 4 * LONGEST ? round % (LONGEST + 1) : random_below(LONGEST + 1);
    const int a_step = random_below(4) != 0, b_step = random_below(4) != 0;
    const int in_place = random_below(3);
    uint8_t y[LONGEST + GUARD], e[LONGEST + GUARD], *to = y;
    const span a = random_span(count + GUARD, random_below(64), SLACK);
    const span b = random_span(count + GUARD, random_below(64), SLACK);
    memset(y, 0xC3, sizeof y);
    wh_bytes_binary_scalar(&p, flip_of(cpu), a.data, a_step, b.data, b_step, e, count);
    if (in_place == 1 && a_step) to = a.data;
    if (in_place == 2 && b_step) to = b.data;
    if (to != y) memset(to + count, 0xC3, GUARD);
    wh_bytes_binary(cpu, &p)(&p, flip_of(cpu), a.data, a_step, b.data, b_step, to, count);
    expect_span("binary", to, e, count);
    free(a.block);
    free(b.block);
  }
}

/* Factors of many kinds, every pair of bytes. */
static void everyPairOfBytesAgrees(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  uint8_t *a = malloc(65536 + SLACK), *b = malloc(65536 + SLACK), *y = malloc(65536),
          *e = malloc(65536);
  for (int i = 0; i < 65536; i++) {
    a[i] = (uint8_t)(i >> 8);
    b[i] = (uint8_t)i;
  }
  for (int round = 0; round < 30 + rounds(0) / 300; round++) {
    const uint32_t cpu = masks[round % cpus];
    const wh_qbinary p = random_binary();
    wh_bytes_binary_scalar(&p, flip_of(cpu), a, 1, b, 1, e, 65536);
    wh_bytes_binary(cpu, &p)(&p, flip_of(cpu), a, 1, b, 1, y, 65536);
    for (int i = 0; i < 65536; i++)
      EXPECT(y[i] == e[i], "kind %d cpu %x: %02x %02x give %02x, not %02x", p.kind, cpu, a[i], b[i],
             y[i], e[i]);
  }
  free(a);
  free(b);
  free(y);
  free(e);
}

static void lookupVariantsAgree(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < rounds(2000); round++) {
    const uint32_t cpu = masks[round % cpus];
    const int count = round < 4 * LONGEST ? round % (LONGEST + 1) : random_below(LONGEST + 1);
    const bool in_place = random_below(2);
    uint8_t y[LONGEST + GUARD], e[LONGEST];
    memset(y, 0xC3, sizeof y);
    const span table = random_span(256, random_below(64), 0),
               x = random_span(count, random_below(64), 0);
    wh_bytes_lookup_scalar(table.data, x.data, e, count);
    if (in_place) memcpy(y, x.data, (size_t)count);
    wh_bytes_lookup(cpu, count)(table.data, in_place ? y : x.data, y, count);
    expect_span("lookup", y, e, count);
    free(table.block);
    free(x.block);
  }
}

/* A value on, beside or near a tie of the scale; or any float. */
static float awkward(float scale) {
  float v = (float)random_in(-520, 520) * 0.5f * scale;
  uint32_t bits;
  switch (random_below(5)) {
    case 0:
      bits = (uint32_t)random_bits();
      memcpy(&v, &bits, 4);
      return v;
    case 1:
      return random_real(-300, 300) * scale;
    case 2:
      return (v + random_real(-1e-4f, 1e-4f) * scale);
    default:
      memcpy(&bits, &v, 4);
      bits += (uint32_t)random_in(-3, 3);
      memcpy(&v, &bits, 4);
      return v;
  }
}

static float random_scale(void) {
  uint32_t bits = (uint32_t)random_bits();
  float any;
  memcpy(&any, &bits, 4);
  return random_below(8)   ? random_real(1e-4f, 2)
         : random_below(2) ? any
                           : ldexpf(1, random_in(-110, 110));
}

static void quantizeVariantsAgree(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < rounds(6000); round++) {
    const uint32_t cpu = masks[round % cpus];
    const int count = round < 4 * LONGEST ? round % (LONGEST + 1) : random_below(LONGEST + 1);
    const int shift = random_below(64), zero = random_byte();
    const uint8_t flip = random_below(2) ? 0x80 : 0;
    const float scale = random_scale();
    const bool smooth = random_below(2); /* blocks without ties and NaN */
    uint8_t y[LONGEST + GUARD + 64], e[LONGEST];
    float *x = malloc((size_t)count * 4 + 1);
    for (int i = 0; i < count; i++) x[i] = smooth ? random_real(-140, 140) * scale : awkward(scale);
    memset(y, 0xC3, sizeof y);
    wh_bytes_quantize_scalar(x, scale, zero, flip, e, count);
    wh_bytes_quantize(cpu)(x, scale, zero, flip, y + shift, count);
    expect_span("quantize", y + shift, e, count);
    free(x);
  }
}

static void dequantizeVariantsAgree(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < rounds(3000); round++) {
    const uint32_t cpu = masks[round % cpus];
    const int count = round < 4 * LONGEST ? round % (LONGEST + 1) : random_below(LONGEST + 1);
    const int zero = random_byte();
    const uint8_t flip = random_below(2) ? 0x80 : 0;
    const float scale = random_scale();
    float e[LONGEST], *y = malloc((size_t)count * 4 + 1);
    const span x = random_span(count, random_below(64), 0);
    wh_bytes_dequantize_scalar(x.data, flip, zero, scale, e, count);
    wh_bytes_dequantize(cpu, scale)(x.data, flip, zero, scale, y, count);
    EXPECT(scale != scale || !memcmp(y, e, (size_t)count * 4), "dequantize by %g", (double)scale);
    free(x.block);
    free(y);
  }
}

static void rangeVariantsAgree(void) {
  uint32_t masks[MAX_STORAGES];
  const int cpus = storage_masks(masks);
  for (int round = 0; round < rounds(3000); round++) {
    const uint32_t cpu = masks[round % cpus];
    const int count = round < 4 * LONGEST ? round % (LONGEST + 1) : random_below(LONGEST + 1);
    const int kind = random_below(4);
    float *x = malloc((size_t)count * 4 + 1);
    for (int i = 0; i < count; i++) {
      x[i] = kind == 0 ? awkward(1) : random_real(kind == 1 ? 0.5f : -2, kind == 2 ? -0.5f : 2);
      if (kind == 3) x[i] *= 1e-39f;
    }
    const wh_range e = wh_range_scalar(x, count), r = wh_range_of(cpu)(x, count);
    EXPECT(r.least == e.least && r.most == e.most, "cpu %x: %g ... %g, not %g ... %g", cpu,
           (double)r.least, (double)r.most, (double)e.least, (double)e.most);
    free(x);
  }
}

const test int8_spans_tests[] = {{"binaryVariantsAgree", binaryVariantsAgree},
                                 {"everyPairOfBytesAgrees", everyPairOfBytesAgrees},
                                 {"lookupVariantsAgree", lookupVariantsAgree},
                                 {"quantizeVariantsAgree", quantizeVariantsAgree},
                                 {"dequantizeVariantsAgree", dequantizeVariantsAgree},
                                 {"rangeVariantsAgree", rangeVariantsAgree},
                                 {NULL, NULL}};
