#include "harness.h"

/* Small valid calls of every operator, then one word of the parameters or one operand's size or
 * type changed. Whatever check accepts must run inside its operands, which the sanitizers watch. */

typedef struct operand {
  uint32_t element;
  int count; /* -1: absent */
} operand;

typedef struct sample {
  uint32_t code;
  union {
    wh_move move;
    wh_fill fill;
    wh_conv conv;
    wh_matmul matmul;
    wh_binary binary;
    wh_unary unary;
    wh_select select;
    wh_reduce reduce;
    wh_arg_reduce arg_reduce;
    wh_softmax softmax;
    wh_pool pool;
    wh_normalize normalize;
    wh_lrn lrn;
    wh_recurrent recurrent;
    wh_gather gather;
    wh_elements elements;
    wh_nd nd;
    wh_top_k top_k;
    wh_scan scan;
    wh_quantize quantize;
    wh_interpolate interpolate;
    wh_qbinary qbinary;
    wh_qsoftmax qsoftmax;
    wh_qrecurrent qrecurrent;
    wh_qresize qresize;
    wh_matmul_weights8 weights8;
    wh_qconv qconv;
    wh_qmatmul qmatmul;
    wh_qpool qpool;
    int32_t words[128];
  } p;
  int inputs, outputs, scratch;
  operand operands[12];
} sample;

#define F(n) \
  { WH_FLOAT32, n }
#define Q(n) \
  { WH_Q8, n }
#define I(n) \
  { WH_INT32, n }
#define ABSENT \
  { 0, -1 }
#define CONV_SHAPE                                                                         \
  .batch = 1, .in = {1, 5, 6}, .out = {1, 5, 6}, .kernel = {1, 3, 3}, .stride = {1, 1, 1}, \
  .dilation = {1, 1, 1}, .pad = {0, 1, 1}
#define Q(n) \
  { WH_Q8, n }
#define Q8_RESULT \
  .low = -128, .high = 127, .c_low = -128, .c_high = 127, .c_factor = 0.5f, .r_factor = 0.5f
#define RECURRENT_SHAPE                                                                  \
  .steps = 3, .batch = 2, .input = 3, .hidden = 4, .activation = {1, 2, 2}, .x_step = 6, \
  .x_batch = 3, .y_step = 8, .y_batch = 4, .h_batch = 4

static const sample samples[] = {
    {1, {.move = {4, 3, 1, 2, {2, 3, 4}, {12, 4, 1}, {1, 2, 6}}}, 1, 1, 0, {F(25), F(26)}},
    {2, {.fill = {4, 0, 7}}, 0, 1, 0, {F(9)}},
    {3,
     {.conv = {CONV_SHAPE, .groups = 1, .channels = 3, .filters = 5}},
     4,
     1,
     0,
     {F(90), F(27 * 16), F(5), F(150), F(150)}},
    {3,
     {.conv = {CONV_SHAPE, .groups = 2, .channels = 300, .filters = 5}},
     4,
     1,
     0,
     {F(18000), F(2 * 2700 * 16), ABSENT, ABSENT, F(300)}},
    {4,
     {.conv = {CONV_SHAPE, .groups = 7, .channels = 1, .filters = 1}},
     4,
     1,
     0,
     {F(210), F(63), F(7), F(210), F(210)}},
    {5,
     {.matmul = {3, 4, 21, 1, {2, 1, 1}, 0, {12}, {0}, 4, 16, -1, 1}},
     4,
     1,
     0,
     {F(24), F(128), F(21), F(126), F(126)}},
    {5,
     {.matmul = {3, 4, 21, 0, {2, 1, 1}, 0, {12}, {84}, 4, 21, -1, 1}},
     4,
     1,
     0,
     {F(24), F(168), ABSENT, ABSENT, F(126)}},
    {6,
     {.binary = {WH_ADD, WH_FLOAT32, 2, 0, {3, 70}, {70, 1}, {0, 1}, -1, 1}},
     2,
     1,
     0,
     {F(210), F(70), F(210)}},
    {6,
     {.binary = {WH_MOD, WH_INT32, 2, 0, {3, 7}, {7, 1}, {1, 0}, -1, 1}},
     2,
     1,
     0,
     {{WH_INT32, 21}, {WH_INT32, 3}, {WH_INT32, 21}}},
    {7, {.unary = {WH_TANH, WH_FLOAT32, 1, 1, 1, 0}}, 1, 1, 0, {F(21), F(21)}},
    {8, {.words = {0}}, 1, 1, 0, {F(21), {WH_INT8, 21}}},
    {9,
     {.select = {4, 2, {3, 7}, {7, 1}, {0, 1}, {1, 0}}},
     3,
     1,
     0,
     {{WH_BOOL, 21}, F(7), F(3), F(21)}},
    {10, {.reduce = {WH_REDUCE_SUM, WH_FLOAT32, 2, 70, 3, 0}}, 1, 1, 0, {F(420), F(6)}},
    {10,
     {.reduce = {WH_REDUCE_MAX, WH_INT32, 2, 7, 3, 0}},
     1,
     1,
     0,
     {{WH_INT32, 42}, {WH_INT32, 6}}},
    {11, {.arg_reduce = {0, WH_FLOAT32, 2, 7, 3, 0}}, 1, 1, 0, {F(42), {WH_INT64, 6}}},
    {12, {.softmax = {0, 2, 7, 3}}, 1, 1, 0, {F(42), F(42)}},
    {13,
     {.pool = {0,
               1,
               3,
               2,
               {1, 5, 6},
               {1, 5, 6},
               {1, 3, 3},
               {1, 1, 1},
               {1, 1, 1},
               {0, 1, 1},
               {0, 1, 1},
               1}},
     1,
     1,
     0,
     {F(90), F(90)}},
    {14, {.normalize = {0, 4, 6, 2, 3, 2, 1e-5f, 0}}, 3, 1, 0, {F(24), F(6), F(6), F(24)}},
    {15, {.lrn = {4, 5, 3, 1, 0.75f, 1}}, 1, 1, 0, {F(20), F(20)}},
    {16,
     {.recurrent = {RECURRENT_SHAPE}},
     8,
     3,
     1,
     {F(18),
      F(48),
      F(64),
      F(16),
      F(8),
      F(8),
      F(12),
      {WH_INT32, 2},
      F(24),
      F(8),
      F(8),
      {WH_UINT8, 384}}},
    {17,
     {.recurrent = {RECURRENT_SHAPE}},
     8,
     2,
     1,
     {F(18),
      F(48),
      F(128),
      F(16),
      F(8),
      ABSENT,
      ABSENT,
      {WH_INT32, 2},
      F(24),
      F(8),
      {WH_UINT8, 320}}},
    {18,
     {.recurrent = {RECURRENT_SHAPE}},
     8,
     2,
     1,
     {F(18),
      F(48),
      F(64),
      F(4),
      F(8),
      ABSENT,
      ABSENT,
      {WH_INT32, 2},
      F(24),
      F(8),
      {WH_UINT8, 192}}},
    {19, {.gather = {4, 2, 5, 3, 4, 0}}, 2, 1, 0, {F(30), {WH_INT64, 4}, F(24)}},
    {20,
     {.elements = {WH_FLOAT32, 1, 2, 0, {3, 4}, {2, 5}}},
     2,
     1,
     0,
     {F(12), {WH_INT64, 10}, F(10)}},
    {21,
     {.elements = {WH_FLOAT32, 1, 2, 1, {3, 4}, {2, 5}}},
     3,
     1,
     0,
     {F(12), {WH_INT64, 10}, F(10), F(12)}},
    {22, {.nd = {WH_FLOAT32, 2, 3, 2, 5, 0, {2, 2}}}, 2, 1, 0, {F(40), {WH_INT64, 12}, F(30)}},
    {23,
     {.nd = {WH_FLOAT32, 2, 3, 2, 5, 1, {2, 2}}},
     3,
     1,
     0,
     {F(40), {WH_INT64, 12}, F(30), F(40)}},
    {24,
     {.top_k = {WH_FLOAT32, 2, 7, 3, 4, 1}},
     1,
     2,
     1,
     {F(42), F(24), {WH_INT64, 24}, {WH_UINT8, 64}}},
    {25, {.scan = {0, WH_FLOAT32, 2, 7, 3, 1, 1, 0}}, 1, 1, 0, {F(42), F(42)}},
    {26, {.quantize = {2, 3, 7, 0}}, 3, 1, 0, {F(42), F(3), {WH_INT8, 3}, {WH_INT8, 42}}},
    {27, {.quantize = {2, 3, 7, 0}}, 3, 1, 0, {{WH_INT8, 42}, F(3), {WH_INT8, 3}, F(42)}},
    {28, {.interpolate = {2, 5, 3, 4, 2, 0}}, 3, 1, 0, {F(30), {WH_INT32, 8}, F(8), F(24)}},
    {26, {.quantize = {2, 3, 7, 0}}, 3, 1, 0, {F(42), F(3), {WH_UINT8, 3}, Q(42)}},
    {27, {.quantize = {2, 3, 7, 0}}, 3, 1, 0, {Q(42), F(3), {WH_INT8, 3}, F(42)}},
    {31,
     {.qbinary = {WH_SUB, 2, {3, 70}, {70, 1}, {0, 1}, 3, -7, 1, -128, 127, 0.5f, 0.25f, 0}},
     2,
     1,
     0,
     {Q(210), Q(70), Q(210)}},
    {32, {.words = {0}}, 2, 1, 0, {Q(21), {WH_INT8, 256}, Q(21)}},
    {32, {.words = {0}}, 2, 1, 0, {{WH_UINT8, 21}, F(256), F(21)}},
    {34, {.qsoftmax = {2, 7, 3, -128, 256}}, 2, 1, 0, {Q(42), {WH_UINT32, 256}, Q(42)}},
    {36,
     {.qresize = {2, {3, 4}, {5, 6}, 3, {2, 1}, 1, 2, 0.5f, 0}},
     5,
     1,
     0,
     {Q(72), I(10), I(10), I(6), I(6), Q(180)}},
    {37, {.words = {0}}, 1, 3, 0, {F(21), Q(21), F(1), {WH_UINT8, 1}}},
    {38,
     {.qrecurrent = {3, 2, 5, 7, 0, 0, 0, 0.01f, 100, 0, 10, 5, 14, 7, 0, 7, 0}},
     7,
     3,
     1,
     {Q(30),
      {WH_INT8, 2 * (192 + 128)},
      {WH_INT8, 2 * (192 + 128)},
      F(28),
      F(28),
      F(14),
      F(14),
      Q(42),
      F(14),
      F(14),
      {WH_UINT8, 4 * (4 * 2 * 28 + 64) + 6 * 2 * 32 + 64}}},
    {39,
     {.qrecurrent = {3, 2, 5, 7, 1, 0, 0, 0.01f, 100, 0, 10, 5, 14, 7, 0, 7, 0}},
     6,
     2,
     1,
     {Q(30),
      {WH_INT8, 2 * (192 + 128)},
      {WH_INT8, 2 * (192 + 128)},
      F(21),
      F(21),
      F(14),
      Q(42),
      F(14),
      {WH_UINT8, 4 * (4 * 2 * 21 + 64) + 6 * 2 * 32 + 64}}},
    {40,
     {.weights8 = {3, 5, 20, 0, -1, 1}},
     3,
     1,
     0,
     {F(15), {WH_INT8, 2 * (64 + 80)}, F(20), F(60)}},
    {29,
     {.qconv = {CONV_SHAPE, Q8_RESULT, .groups = 1, .channels = 3, .filters = 17, .y_row = 17}},
     3,
     1,
     0,
     {Q(90), {WH_INT8, 2 * (192 + 36 * 16)}, Q(510), Q(510)}},
    {29,
     {.qconv = {CONV_SHAPE, .groups = 2, .channels = 70, .filters = 5, .y_row = 11, .y_offset = 1,
                .result = WH_RESULT_DYNAMIC}},
     6,
     1,
     0,
     {Q(4200), {WH_INT8, 2 * (192 + 648 * 16)}, ABSENT, F(1), {WH_UINT8, 1}, F(10), F(330)}},
    {35,
     {.qmatmul = {3, 6, 21, 0, {2, 1, 1}, 0, {18}, {126}, 6, 21, 1, 3, 4, 5, -128, 127, 0.5f}},
     2,
     1,
     1,
     {Q(36), Q(252), Q(126), {WH_UINT8, 2 * (64 * 2 + 192) + 64}}},
    {30,
     {.qconv = {CONV_SHAPE, .groups = 39, .channels = 1, .filters = 1, .low = -128, .high = 127,
                .y_row = 39}},
     3,
     1,
     0,
     {Q(1170), {WH_INT8, 3 * 272}, ABSENT, Q(1170)}},
    {30,
     {.qconv = {CONV_SHAPE, .groups = 8, .channels = 1, .filters = 1, .low = -128, .high = 127,
                .c_low = -128, .c_high = 127, .c_factor = 0.5f, .r_factor = 0.75f, .y_row = 9,
                .y_offset = 3}},
     3,
     1,
     0,
     {Q(240), {WH_INT8, 272}, Q(240), Q(272)}},
    {33,
     {.qpool =
          {1,
           1,
           35,
           {1, 5, 6},
           {1, 5, 6},
           {1, 3, 3},
           {1, 1, 1},
           {1, 1, 1},
           {0, 1, 1},
           {0, 1, 1},
           1,
           5,
           6,
           -128,
           127,
           0.5}},
     1,
     1,
     0,
     {Q(1050), Q(1050)}},
};

enum { SAMPLES = sizeof samples / sizeof *samples };

static void build(test_case *c, const sample *s) {
  begin(c, &s->p);
  for (int i = 0; i < s->inputs + s->outputs + s->scratch; i++) {
    const operand *o = &s->operands[i];
    if (o->count < 0) {
      i < s->inputs ? absent_input(c) : absent_output(c);
      continue;
    }
    uint8_t *data = i < s->inputs                ? input(c, o->element, o->count)
                    : i < s->inputs + s->outputs ? output(c, o->element, o->count)
                                                 : scratch(c, o->count);
    if (o->element == WH_FLOAT32) random_floats((float *)data, o->count, -1, 1);
    if (o->element == WH_INT32 || o->element == WH_INT64) {
      for (int j = 0; j < o->count; j++) { /* mostly valid indices */
        const int v = random_below(20) ? random_below(2) : random_in(-99, 99);
        if (o->element == WH_INT32)
          ((int32_t *)data)[j] = v;
        else
          ((int64_t *)data)[j] = v;
      }
    }
  }
}

static int32_t odd_value(int32_t now) {
  static const int32_t values[] = {0,       1,         2,     3,         4,
                                   7,       8,         15,    16,        17,
                                   64,      1000,      65536, INT32_MAX, INT32_MAX / 2,
                                   1 << 30, INT32_MIN, -1,    -2,        0x10001};
  switch (random_below(4)) {
    case 0:
      return (int32_t)((uint32_t)now + 1);
    case 1:
      return (int32_t)((uint32_t)now - 1);
    case 2:
      return (int32_t)random_bits();
    default:
      return values[random_below(sizeof values / sizeof *values)];
  }
}

static void samplesAreAccepted(void) {
  for (int i = 0; i < SAMPLES; i++) {
    test_case c;
    build(&c, &samples[i]);
    EXPECT(!refusal(&c, samples[i].code), "%u: %s", samples[i].code, refusal(&c, samples[i].code));
    end(&c);
  }
}

static void smallerOperandsAreRefused(void) {
  for (int i = 0; i < SAMPLES; i++) {
    const sample *s = &samples[i];
    test_case c;
    build(&c, s);
    for (int j = 0; j < c.count; j++) {
      if (s->operands[j].count < 0) continue;
      const uint64_t bytes = c.records[j].bytes;
      const bool free_size =
          s->code == 2 ||
          (j == 0 && (s->code == 7 || s->code == 8 || s->code == 32 || s->code == 37));
      c.records[j].bytes = bytes - (j < s->inputs + s->outputs ? 1 : 64);
      /* Fill's output and the input of Unary and Cast set the count themselves. */
      EXPECT(free_size || refusal(&c, s->code), "code %u operand %d", s->code, j);
      c.records[j].bytes = bytes;
      const uint32_t element = c.records[j].element;
      if (element == WH_FLOAT32 && s->code != 8) {
        c.records[j].element = WH_FLOAT16;
        EXPECT(refusal(&c, s->code), "code %u operand %d of another type", s->code, j);
        c.records[j].element = element;
      }
      if (j < s->inputs) continue;
      c.records[j].storage = WH_STORAGE_WEIGHTS;
      EXPECT(refusal(&c, s->code), "code %u writes weights", s->code);
      c.records[j].storage = WH_STORAGE_ARENA;
      if (!s->inputs || j >= s->inputs + s->outputs) continue;
      const uint64_t offset = c.records[j].offset;
      c.records[j].offset = c.records[0].offset + 4;
      EXPECT(refusal(&c, s->code), "code %u overlaps its input", s->code);
      c.records[j].offset = offset;
    }
    for (int j = 0; j < c.count; j++) { /* nothing at all */
      const uint32_t held = c.operands[j];
      c.operands[j] = WH_NONE;
      (void)refusal(&c, s->code);
      c.operands[j] = held;
    }
    c.call.input_count = c.call.output_count = c.call.scratch_count = 0;
    EXPECT(refusal(&c, s->code), "code %u without operands", s->code);
    end(&c);
  }
}

static void acceptedMutationsStayInside(void) {
  uint32_t masks[MAX_CPUS];
  const int cpus = cpu_masks(masks);
  long accepted = 0;
  for (int round = 0; round < 60000; round++) {
    sample s = samples[round % SAMPLES];
    const uint32_t words = wh_find_kernel(s.code)->parameter_bytes / 4;
    for (int i = random_in(1, 2); i > 0 && words; i--) {
      const uint32_t at = (uint32_t)random_below((int)words);
      s.p.words[at] = odd_value(s.p.words[at]);
    }
    test_case c;
    if (random_below(8) == 0) {
      operand *o = &s.operands[random_below(s.inputs + s.outputs)];
      if (o->count > 0) o->count = random_below(o->count + 1);
    }
    build(&c, &s);
    if (!refusal(&c, s.code)) {
      accepted++;
      c.call.cpu = masks[random_below(cpus)] | (random_below(2) ? WH_CPU_UNSIGNED : 0);
      const int32_t status = wh_find_kernel(s.code)->run(&c.call);
      EXPECT(status == WHERRY_OK || status == WHERRY_BAD_VALUE, "status %d", status);
    }
    end(&c);
  }
  EXPECT(accepted > 1000, "only %ld accepted", accepted);
}

const test refusal_tests[] = {{"samplesAreAccepted", samplesAreAccepted},
                              {"smallerOperandsAreRefused", smallerOperandsAreRefused},
                              {"acceptedMutationsStayInside", acceptedMutationsStayInside},
                              {NULL, NULL}};
