// Made by oracle/operator_facts.py from onnx 1.23.2.
// One operator: its name; then a line for each run of versions with equal facts: versions
// (x = deprecated), inputs, outputs, their types as masks, attributes as name:kind, ! if
// required, =default. Bit n of a mask: tensors of element type n; 40 to 43: sequence, optional,
// map, sparse tensor.
extension OperatorFacts {
  static let newestVersions: [String: Int64] = [
    "": 28,
    "ai.onnx.ml": 5,
    "ai.onnx.preview": 1,
    "ai.onnx.preview.training": 1,
  ]
  /// The oldest IR version that goes with each operator set version, by first version.
  static let irVersions: [(operatorSet: Int64, ir: Int64)] = [
    (1, 3),
    (9, 4),
    (10, 5),
    (11, 6),
    (12, 7),
    (15, 8),
    (19, 9),
    (21, 10),
    (23, 11),
    (24, 12),
    (25, 13),
    (28, 14),
  ]
  static let source = """
    Abs
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 3cfe 3cfe
     13 1-1 1-1 13cfe 13cfe
    Acos
     7 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Acosh
     9 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Add
     1 2-2 1-1 c02/c02 c02 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 3cc2/3cc2 3cc2 axis:i broadcast:i=0
     7 2-2 1-1 3cc2/3cc2 3cc2
     13 2-2 1-1 13cc2/13cc2 13cc2
     14 2-2 1-1 13cfe/13cfe 13cfe
    AffineGrid
     20 2-2 1-1 10c02/80 10c02 align_corners:i=0
    And
     1 2-2 1-1 200/200 200 axis:i broadcast:i=0
     7 2-2 1-1 200/200 200
    ArgMax
     1,11 1-1 1-1 3cfe 80 axis:i=0 keepdims:i=1
     12 1-1 1-1 3cfe 80 axis:i=0 keepdims:i=1 select_last_index:i=0
     13 1-1 1-1 13cfe 80 axis:i=0 keepdims:i=1 select_last_index:i=0
    ArgMin
     1,11 1-1 1-1 3cfe 80 axis:i=0 keepdims:i=1
     12 1-1 1-1 3cfe 80 axis:i=0 keepdims:i=1 select_last_index:i=0
     13 1-1 1-1 13cfe 80 axis:i=0 keepdims:i=1 select_last_index:i=0
    Asin
     7 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Asinh
     9 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Atan
     7 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Atanh
     9 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Attention
     23 3-6 1-4 10c02/10c02/10c02/13efe/10c02/10c02 10c02/10c02/10c02/10c02 is_causal:i=0 kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i=0 scale:f softcap:f=0.0 softmax_precision:i
     24 3-7 1-4 10c02/10c02/10c02/13efe/10c02/10c02/80 10c02/10c02/10c02/10c02 is_causal:i=0 kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i=0 scale:f softcap:f=0.0 softmax_precision:i
     25 3-7 1-4 10c02/10c02/10c02/13efe/10c02/10c02/80 10c02/10c02/10c02/10c02 is_causal:i=0 kv_num_heads:i left_window_size:i=-1 q_num_heads:i qk_matmul_output_mode:i=0 right_window_size:i=-1 scale:f softcap:f=0.0 softmax_precision:i
    AveragePool
     1 1-1 1-1 c02 c02 auto_pad:s=NOTSET kernel_shape:I! pads:I strides:I
     7 1-1 1-1 c02 c02 auto_pad:s=NOTSET count_include_pad:i=0 kernel_shape:I! pads:I strides:I
     10,11 1-1 1-1 c02 c02 auto_pad:s=NOTSET ceil_mode:i=0 count_include_pad:i=0 kernel_shape:I! pads:I strides:I
     19 1-1 1-1 c02 c02 auto_pad:s=NOTSET ceil_mode:i=0 count_include_pad:i=0 dilations:I kernel_shape:I! pads:I strides:I
     22 1-1 1-1 10c02 10c02 auto_pad:s=NOTSET ceil_mode:i=0 count_include_pad:i=0 dilations:I kernel_shape:I! pads:I strides:I
    BatchNormalization
     1 5-5 1-5 c02/c02/c02/c02/c02 c02/c02/c02/c02/c02 consumed_inputs:I! epsilon:f=9.999999747378752e-06 is_test:i=0 momentum:f=0.8999999761581421 spatial:i=1
     6 5-5 1-5 c02/c02/c02/c02/c02 c02/c02/c02/c02/c02 epsilon:f=9.999999747378752e-06 is_test:i=0 momentum:f=0.8999999761581421 spatial:i=1
     7 5-5 1-5 c02/c02/c02/c02/c02 c02/c02/c02/c02/c02 epsilon:f=9.999999747378752e-06 momentum:f=0.8999999761581421 spatial:i=1
     9 5-5 1-5 c02/c02/c02/c02/c02 c02/c02/c02/c02/c02 epsilon:f=9.999999747378752e-06 momentum:f=0.8999999761581421
     14,15 5-5 1-3 10c02/10c02/10c02/10c02/10c02 10c02/10c02/10c02 epsilon:f=9.999999747378752e-06 momentum:f=0.8999999761581421 training_mode:i=0
    Bernoulli
     15 1-1 1-1 c02 13efe dtype:i seed:f
     22 1-1 1-1 10c02 13efe dtype:i seed:f
    BitCast
     26 1-1 1-1 7fffefe 7fffefe to:i!
    BitShift
     11 2-2 1-1 3014/3014 3014 direction:s!
     28 2-2 1-1 30fc/30fc 30fc direction:s!
    BitwiseAnd
     18 2-2 1-1 30fc/30fc 30fc
    BitwiseNot
     18 1-1 1-1 30fc 30fc
    BitwiseOr
     18 2-2 1-1 30fc/30fc 30fc
    BitwiseXor
     18 2-2 1-1 30fc/30fc 30fc
    BlackmanWindow
     17 1-1 1-1 c0 13cfe output_datatype:i=1 periodic:i=1
    Cast
     1 1-1 1-1 3efe 3efe to:s!
     6 1-1 1-1 3efe 3efe to:i!
     9 1-1 1-1 3ffe 3ffe to:i!
     13 1-1 1-1 13ffe 13ffe to:i!
     19 1-1 1-1 1f3ffe 1f3ffe saturate:i=1 to:i!
     21 1-1 1-1 7f3ffe 7f3ffe saturate:i=1 to:i!
     23 1-1 1-1 ff3ffe ff3ffe saturate:i=1 to:i!
     24 1-1 1-1 1ff3ffe 1ff3ffe round_mode:s=up saturate:i=1 to:i!
     25 1-1 1-1 7ff3ffe 7ff3ffe round_mode:s=up saturate:i=1 to:i!
     28 1-1 1-1 1fff3ffe 1fff3ffe round_mode:s=up saturate:i=1 to:i!
    CastLike
     15 2-2 1-1 13ffe/13ffe 13ffe
     19 2-2 1-1 1f3ffe/1f3ffe 1f3ffe saturate:i=1
     21 2-2 1-1 7f3ffe/7f3ffe 7f3ffe saturate:i=1
     23 2-2 1-1 ff3ffe/ff3ffe ff3ffe saturate:i=1
     24 2-2 1-1 1ff3ffe/1ff3ffe 1ff3ffe round_mode:s=up saturate:i=1
     25 2-2 1-1 7ff3ffe/7ff3ffe 7ff3ffe round_mode:s=up saturate:i=1
    CausalConvWithState
     27 2-4 2-2 10402/10402/10402/10402 10402/10402 activation:s=none
    Ceil
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    Celu
     12 1-1 1-1 2 2 alpha:f=1.0
     28 1-1 1-1 10c02 10c02 alpha:f=1.0
    CenterCropPad
     18 2-2 1-1 1fffe/c0 1fffe axes:I
    Clip
     1 1-1 1-1 c02 c02 consumed_inputs:I max:f min:f
     6 1-1 1-1 c02 c02 max:f=3.4028234663852886e+38 min:f=-3.4028234663852886e+38
     11 1-3 1-1 c02/c02/c02 c02
     12 1-3 1-1 3cfe/3cfe/3cfe 3cfe
     13 1-3 1-1 13cfe/13cfe/13cfe 13cfe
    Col2Im
     18 3-3 1-1 1fffe/80/80 1fffe dilations:I pads:I strides:I
    Compress
     9,11 2-2 1-1 fffe/200 fffe axis:i
     28 2-2 1-1 1fffe/200 1fffe axis:i
    Concat
     1 1-* 1-1 c02 c02 axis:i
     4,11 1-* 1-1 fffe fffe axis:i!
     13 1-* 1-1 1fffe 1fffe axis:i!
    ConcatFromSequence
     11 1-1 1-1 10000000000 fffe axis:i! new_axis:i=0
    Constant
     1 0-0 1-1 - c02 value:t!
     9 0-0 1-1 - fffe value:t!
     11 0-0 1-1 - fffe sparse_value:p value:t
     12 0-0 1-1 - fffe sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
     13 0-0 1-1 - 1fffe sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
     19 0-0 1-1 - 1ffffe sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
     21 0-0 1-1 - 7ffffe sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
     23 0-0 1-1 - fffffe sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
     24 0-0 1-1 - 1fffffe sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
     25 0-0 1-1 - 7fffffe sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
    ConstantOfShape
     9 1-1 1-1 80 3efe value:t
     20 1-1 1-1 80 1f3efe value:t
     21 1-1 1-1 80 7f3efe value:t
     23 1-1 1-1 80 ff3efe value:t
     24 1-1 1-1 80 1ff3efe value:t
     25 1-1 1-1 80 7ff3efe value:t
    Conv
     1,11 2-3 1-1 c02/c02/c02 c02 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I pads:I strides:I
     22 2-3 1-1 10c02/10c02/10c02 10c02 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I pads:I strides:I
    ConvInteger
     10 2-4 1-1 c/c/c/c 40 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I pads:I strides:I
    ConvTranspose
     1,11 2-3 1-1 c02/c02/c02 c02 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I output_padding:I output_shape:I pads:I strides:I
     22 2-3 1-1 10c02/10c02/10c02 10c02 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I output_padding:I output_shape:I pads:I strides:I
    Cos
     7 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Cosh
     9 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    CumProd
     26 2-2 1-1 13cc2/c0 13cc2 exclusive:i=0 reverse:i=0
    CumSum
     11 2-2 1-1 38c2/c0 38c2 exclusive:i=0 reverse:i=0
     14 2-2 1-1 13cc2/c0 13cc2 exclusive:i=0 reverse:i=0
    DFT
     17 1-2 1-1 10c02/c0 10c02 axis:i=1 inverse:i=0 onesided:i=0
     20 1-3 1-1 10c02/c0/80 10c02 inverse:i=0 onesided:i=0
    DeformConv
     19 3-5 1-1 c02/c02/c02/c02/c02 c02 dilations:I group:i=1 kernel_shape:I offset_group:i=1 pads:I strides:I
     22 3-5 1-1 10c02/10c02/10c02/10c02/10c02 10c02 dilations:I group:i=1 kernel_shape:I offset_group:i=1 pads:I strides:I
    DepthToSpace
     1 1-1 1-1 fffe fffe blocksize:i!
     11 1-1 1-1 fffe fffe blocksize:i! mode:s=DCR
     13,28 1-1 1-1 1fffe 1fffe blocksize:i! mode:s=DCR
    DequantizeLinear
     10 2-3 1-1 4c/2/4c 2
     13 2-3 1-1 4c/2/4c 2 axis:i=1
     19 2-3 1-1 1e004c/10402/1e004c 10402 axis:i=1
     21 2-3 1-1 7e007c/10402/7e007c 10402 axis:i=1 block_size:i=0
     23 2-3 1-1 fe007c/10402/fe007c 10402 axis:i=1 block_size:i=0 output_dtype:i=0
     24 2-3 1-1 fe007c/1010402/fe007c 10402 axis:i=1 block_size:i=0 output_dtype:i=0
     25 2-3 1-1 6fe007c/1010402/6fe007c 10402 axis:i=1 block_size:i=0 output_dtype:i=0
     28 2-3 1-1 1efe007c/1010402/1efe007c 10402 axis:i=1 block_size:i=0 output_dtype:i=0
    Det
     11 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Div
     1 2-2 1-1 c02/c02 c02 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 3cc2/3cc2 3cc2 axis:i broadcast:i=0
     7 2-2 1-1 3cc2/3cc2 3cc2
     13 2-2 1-1 13cc2/13cc2 13cc2
     14 2-2 1-1 13cfe/13cfe 13cfe
    Dropout
     1 1-1 1-2 c02 c02/c02 consumed_inputs:I is_test:i=0 ratio:f=0.5
     6 1-1 1-2 c02 c02/c02 is_test:i=0 ratio:f=0.5
     7 1-1 1-2 c02 c02/c02 ratio:f=0.5
     10 1-1 1-2 c02 c02/200 ratio:f=0.5
     12 1-3 1-2 c02/c02/200 c02/200 seed:i
     13 1-3 1-2 10c02/c02/200 10c02/200 seed:i
     22 1-3 1-2 1f0c02/1f0c02/200 1f0c02/200 seed:i
    DynamicQuantizeLinear
     11 1-1 3-3 2 4/2/4
    Einsum
     12 1-* 1-1 3cfe 3cfe equation:s!
     28 1-* 1-1 13cfe 13cfe equation:s!
    Elu
     1 1-1 1-1 c02 c02 alpha:f=1.0 consumed_inputs:I
     6 1-1 1-1 c02 c02 alpha:f=1.0
     22 1-1 1-1 10c02 10c02 alpha:f=1.0
    Equal
     1 2-2 1-1 2c0/2c0 200 axis:i broadcast:i=0
     7 2-2 1-1 2c0/2c0 200
     11 2-2 1-1 3efe/3efe 200
     13 2-2 1-1 13efe/13efe 200
     19 2-2 1-1 13ffe/13ffe 200
    Erf
     9 1-1 1-1 3cfe 3cfe
     13 1-1 1-1 10c02 10c02
    Exp
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    Expand
     8 2-2 1-1 fffe/80 fffe
     13 2-2 1-1 1fffe/80 1fffe
    EyeLike
     9 1-1 1-1 3efe 3efe dtype:i k:i=0
     22 1-1 1-1 13efe 13efe dtype:i k:i=0
    Flatten
     1 1-1 1-1 c02 c02 axis:i=1
     9,11 1-1 1-1 fffe fffe axis:i=1
     13 1-1 1-1 1fffe 1fffe axis:i=1
     21 1-1 1-1 7ffffe 7ffffe axis:i=1
     23 1-1 1-1 fffffe fffffe axis:i=1
     24 1-1 1-1 1fffffe 1fffffe axis:i=1
     25 1-1 1-1 7fffffe 7fffffe axis:i=1
    Floor
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    GRU
     1 3-6 2-2 c02/c02/c02/c02/40/c02 c02/c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=foward hidden_size:i output_sequence:i=0
     3 3-6 0-2 c02/c02/c02/c02/40/c02 c02/c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i linear_before_reset:i=0 output_sequence:i=0
     7 3-6 0-2 c02/c02/c02/c02/40/c02 c02/c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i linear_before_reset:i=0
     14 3-6 0-2 c02/c02/c02/c02/40/c02 c02/c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i layout:i=0 linear_before_reset:i=0
     22 3-6 0-2 10c02/10c02/10c02/10c02/40/10c02 10c02/10c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i layout:i=0 linear_before_reset:i=0
    Gather
     1,11 2-2 1-1 fffe/c0 fffe axis:i=0
     13 2-2 1-1 1fffe/c0 1fffe axis:i=0
    GatherElements
     11 2-2 1-1 fffe/c0 fffe axis:i=0
     13 2-2 1-1 1fffe/c0 1fffe axis:i=0
    GatherND
     11 2-2 1-1 fffe/80 fffe
     12 2-2 1-1 fffe/80 fffe batch_dims:i=0
     13 2-2 1-1 1fffe/80 1fffe batch_dims:i=0
    Gelu
     20 1-1 1-1 10c02 10c02 approximate:s=none
    Gemm
     1,6 3-3 1-1 c02/c02/c02 c02 alpha:f=1.0 beta:f=1.0 broadcast:i=0 transA:i=0 transB:i=0
     7 3-3 1-1 c02/c02/c02 c02 alpha:f=1.0 beta:f=1.0 transA:i=0 transB:i=0
     9 3-3 1-1 3cc2/3cc2/3cc2 3cc2 alpha:f=1.0 beta:f=1.0 transA:i=0 transB:i=0
     11 2-3 1-1 3cc2/3cc2/3cc2 3cc2 alpha:f=1.0 beta:f=1.0 transA:i=0 transB:i=0
     13 2-3 1-1 13cc2/13cc2/13cc2 13cc2 alpha:f=1.0 beta:f=1.0 transA:i=0 transB:i=0
    GlobalAveragePool
     1 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    GlobalLpPool
     1 1-1 1-1 c02 c02 p:f=2.0
     2 1-1 1-1 c02 c02 p:i=2
     22 1-1 1-1 10c02 10c02 p:i=2
    GlobalMaxPool
     1 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Greater
     1 2-2 1-1 c02/c02 200 axis:i broadcast:i=0
     7 2-2 1-1 c02/c02 200
     9 2-2 1-1 3cfe/3cfe 200
     13 2-2 1-1 13cfe/13cfe 200
    GreaterOrEqual
     12 2-2 1-1 3cfe/3cfe 200
     16 2-2 1-1 13cfe/13cfe 200
    GridSample
     16 2-2 1-1 fffe/c02 fffe align_corners:i=0 mode:s=bilinear padding_mode:s=zeros
     20 2-2 1-1 fffe/c02 fffe align_corners:i=0 mode:s=linear padding_mode:s=zeros
     22 2-2 1-1 1fffe/10c02 1fffe align_corners:i=0 mode:s=linear padding_mode:s=zeros
    GroupNormalization
     18x 3-3 1-1 10c02/10c02/10c02 10c02 epsilon:f=9.999999747378752e-06 num_groups:i!
     21 3-3 1-1 10c02/10c02/10c02 10c02 epsilon:f=9.999999747378752e-06 num_groups:i! stash_type:i=1
    HammingWindow
     17 1-1 1-1 c0 13cfe output_datatype:i=1 periodic:i=1
    HannWindow
     17 1-1 1-1 c0 13cfe output_datatype:i=1 periodic:i=1
    HardSigmoid
     1 1-1 1-1 c02 c02 alpha:f=0.20000000298023224 beta:f=0.5 consumed_inputs:I
     6 1-1 1-1 c02 c02 alpha:f=0.20000000298023224 beta:f=0.5
     22 1-1 1-1 10c02 10c02 alpha:f=0.20000000298023224 beta:f=0.5
    HardSwish
     14 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Hardmax
     1,11 1-1 1-1 c02 c02 axis:i=1
     13 1-1 1-1 10c02 10c02 axis:i=-1
    Identity
     1 1-1 1-1 fffe fffe
     13 1-1 1-1 1fffe 1fffe
     14 1-1 1-1 1000001fffe 1000001fffe
     16 1-1 1-1 3000001fffe 3000001fffe
     19 1-1 1-1 300001ffffe 300001ffffe
     21 1-1 1-1 300007ffffe 300007ffffe
     23 1-1 1-1 30000fffffe 30000fffffe
     24 1-1 1-1 30001fffffe 30001fffffe
     25 1-1 1-1 30007fffffe 30007fffffe
    If
     1,11 1-1 1-* 200 fffe else_branch:g! then_branch:g!
     13 1-1 1-* 200 1000000fffe else_branch:g! then_branch:g!
     16 1-1 1-* 200 3000001fffe else_branch:g! then_branch:g!
     19 1-1 1-* 200 300001ffffe else_branch:g! then_branch:g!
     21 1-1 1-* 200 300007ffffe else_branch:g! then_branch:g!
     23 1-1 1-* 200 30000fffffe else_branch:g! then_branch:g!
     24 1-1 1-* 200 30001fffffe else_branch:g! then_branch:g!
     25 1-1 1-* 200 30007fffffe else_branch:g! then_branch:g!
    ImageDecoder
     20 1-1 1-1 4 4 pixel_format:s=RGB
    InstanceNormalization
     1 3-3 1-1 c02/c02/c02 c02 consumed_inputs:I epsilon:f=9.999999747378752e-06
     6 3-3 1-1 c02/c02/c02 c02 epsilon:f=9.999999747378752e-06
     22 3-3 1-1 10c02/10c02/10c02 10c02 epsilon:f=9.999999747378752e-06
    IsInf
     10 1-1 1-1 802 200 detect_negative:i=1 detect_positive:i=1
     20 1-1 1-1 1f0c02 200 detect_negative:i=1 detect_positive:i=1
    IsNaN
     9 1-1 1-1 c02 200
     13 1-1 1-1 10c02 200
     20 1-1 1-1 1f0c02 200
    LRN
     1 1-1 1-1 c02 c02 alpha:f=9.999999747378752e-05 beta:f=0.75 bias:f=1.0 size:i!
     13 1-1 1-1 10c02 10c02 alpha:f=9.999999747378752e-05 beta:f=0.75 bias:f=1.0 size:i!
    LSTM
     1 3-8 0-3 c02/c02/c02/c02/40/c02/c02/c02 c02/c02/c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i input_forget:i=0 output_sequence:i=0
     7 3-8 0-3 c02/c02/c02/c02/40/c02/c02/c02 c02/c02/c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i input_forget:i=0
     14 3-8 0-3 c02/c02/c02/c02/40/c02/c02/c02 c02/c02/c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i input_forget:i=0 layout:i=0
     22 3-8 0-3 10c02/10c02/10c02/10c02/40/10c02/10c02/10c02 10c02/10c02/10c02 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i input_forget:i=0 layout:i=0
    LayerNormalization
     17 2-3 1-3 10c02/10c02/10c02 10c02/10002/10002 axis:i=-1 epsilon:f=9.999999747378752e-06 stash_type:i=1
    LeakyRelu
     1 1-1 1-1 c02 c02 alpha:f=0.009999999776482582 consumed_inputs:I
     6 1-1 1-1 c02 c02 alpha:f=0.009999999776482582
     16 1-1 1-1 10c02 10c02 alpha:f=0.009999999776482582
    Less
     1 2-2 1-1 c02/c02 200 axis:i broadcast:i=0
     7 2-2 1-1 c02/c02 200
     9 2-2 1-1 3cfe/3cfe 200
     13 2-2 1-1 13cfe/13cfe 200
    LessOrEqual
     12 2-2 1-1 3cfe/3cfe 200
     16 2-2 1-1 13cfe/13cfe 200
    LinearAttention
     27 3-6 2-2 10402/10402/10402/10402/10402/10402 10402/10402 chunk_size:i=64 kv_num_heads:i! q_num_heads:i! scale:f=0.0 update_rule:s=gated_delta
    Log
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    LogSoftmax
     1,11 1-1 1-1 c02 c02 axis:i=1
     13 1-1 1-1 10c02 10c02 axis:i=-1
    Loop
     1 3-* 1-* 80/200/fffe fffe body:g!
     11 2-* 1-* 80/200/fffe fffe body:g!
     13 2-* 1-* 80/200/1000000fffe 1000000fffe body:g!
     16 2-* 1-* 80/200/3000001fffe 3000001fffe body:g!
     19 2-* 1-* 80/200/300001ffffe 300001ffffe body:g!
     21 2-* 1-* 80/200/300007ffffe 300007ffffe body:g!
     23 2-* 1-* 80/200/30000fffffe 30000fffffe body:g!
     24 2-* 1-* 80/200/30001fffffe 30001fffffe body:g!
     25 2-* 1-* 80/200/30007fffffe 30007fffffe body:g!
    LpNormalization
     1 1-1 1-1 c02 c02 axis:i=-1 p:i=2
     22 1-1 1-1 10c02 10c02 axis:i=-1 p:i=2
    LpPool
     1 1-1 1-1 c02 c02 auto_pad:s=NOTSET kernel_shape:I p:f=2.0 pads:I strides:I
     2,11 1-1 1-1 c02 c02 auto_pad:s=NOTSET kernel_shape:I! p:i=2 pads:I strides:I
     18 1-1 1-1 c02 c02 auto_pad:s=NOTSET ceil_mode:i=0 dilations:I kernel_shape:I! p:i=2 pads:I strides:I
     22 1-1 1-1 10c02 10c02 auto_pad:s=NOTSET ceil_mode:i=0 dilations:I kernel_shape:I! p:i=2 pads:I strides:I
    MatMul
     1 2-2 1-1 c02/c02 c02
     9 2-2 1-1 3cc2/3cc2 3cc2
     13 2-2 1-1 13cc2/13cc2 13cc2
    MatMulInteger
     10 2-4 1-1 c/c/c/c 40
    Max
     1 1-* 1-1 c02 c02 consumed_inputs:I
     6,8 1-* 1-1 c02 c02
     12 1-* 1-1 3cfe 3cfe
     13 1-* 1-1 13cfe 13cfe
    MaxPool
     1 1-1 1-1 c02 c02 auto_pad:s=NOTSET kernel_shape:I! pads:I strides:I
     8 1-1 1-2 c02 c02/80 auto_pad:s=NOTSET kernel_shape:I! pads:I storage_order:i=0 strides:I
     10,11 1-1 1-2 c02 c02/80 auto_pad:s=NOTSET ceil_mode:i=0 dilations:I kernel_shape:I! pads:I storage_order:i=0 strides:I
     12 1-1 1-2 c0e c0e/80 auto_pad:s=NOTSET ceil_mode:i=0 dilations:I kernel_shape:I! pads:I storage_order:i=0 strides:I
     22 1-1 1-2 10c0e 10c0e/80 auto_pad:s=NOTSET ceil_mode:i=0 dilations:I kernel_shape:I! pads:I storage_order:i=0 strides:I
    MaxRoiPool
     1 2-2 1-1 c02/c02 c02 pooled_shape:I! spatial_scale:f=1.0
     22 2-2 1-1 10c02/10c02 10c02 pooled_shape:I! spatial_scale:f=1.0
    MaxUnpool
     9,11 2-3 1-1 c02/80/80 c02 kernel_shape:I! pads:I strides:I
     22 2-3 1-1 10c02/80/80 10c02 kernel_shape:I! pads:I strides:I
    Mean
     1 1-* 1-1 c02 c02 consumed_inputs:I
     6,8 1-* 1-1 c02 c02
     13 1-* 1-1 10c02 10c02
    MeanVarianceNormalization
     9 1-1 1-1 c02 c02 axes:I=0,2,3
     13 1-1 1-1 10c02 10c02 axes:I=0,2,3
    MelWeightMatrix
     17 5-5 1-1 c0/c0/c0/10c02/10c02 13cfe output_datatype:i=1
    Min
     1 1-* 1-1 c02 c02 consumed_inputs:I
     6,8 1-* 1-1 c02 c02
     12 1-* 1-1 3cfe 3cfe
     13 1-* 1-1 13cfe 13cfe
    Mish
     18 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Mod
     10 2-2 1-1 3cfe/3cfe 3cfe fmod:i=0
     13,28 2-2 1-1 13cfe/13cfe 13cfe fmod:i=0
    Mul
     1 2-2 1-1 c02/c02 c02 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 3cc2/3cc2 3cc2 axis:i broadcast:i=0
     7 2-2 1-1 3cc2/3cc2 3cc2
     13 2-2 1-1 13cc2/13cc2 13cc2
     14 2-2 1-1 13cfe/13cfe 13cfe
    Multinomial
     7 1-1 1-1 c02 c0 dtype:i=6 sample_size:i=1 seed:f
     22 1-1 1-1 10c02 c0 dtype:i=6 sample_size:i=1 seed:f
    Neg
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 cea cea
     13 1-1 1-1 10cea 10cea
    NegativeLogLikelihoodLoss
     12,13 2-3 1-1 c02/c0/c02 c02 ignore_index:i reduction:s=mean
     22 2-3 1-1 10c02/c0/10c02 10c02 ignore_index:i reduction:s=mean
    NonMaxSuppression
     10,11 2-5 1-1 2/2/80/2/2 80 center_point_box:i=0
    NonZero
     9 1-1 1-1 fffe 80
     13 1-1 1-1 1fffe 80
    Not
     1 1-1 1-1 200 200
    OneHot
     9,11 3-3 1-1 3cfe/3cfe/fffe fffe axis:i=-1
     28 3-3 1-1 3cfe/3cfe/1fffe 1fffe axis:i=-1
    Optional
     15 0-1 1-1 1000000fffe 20000000000 type:y
     28 0-1 1-1 1001ffffffe 20000000000 type:y
    OptionalGetElement
     15 1-1 1-1 20000000000 1000000fffe
     18 1-1 1-1 3000000fffe 1000000fffe
     28 1-1 1-1 3001ffffffe 1001ffffffe
    OptionalHasElement
     15 1-1 1-1 20000000000 200
     18 0-1 1-1 3000000fffe 200
     28 0-1 1-1 3001ffffffe 200
    Or
     1 2-2 1-1 200/200 200 axis:i broadcast:i=0
     7 2-2 1-1 200/200 200
    PRelu
     1 2-2 1-1 c02/c02 c02 consumed_inputs:I
     6,7 2-2 1-1 c02/c02 c02
     9 2-2 1-1 3cc2/3cc2 3cc2
     16 2-2 1-1 13cc2/13cc2 13cc2
    Pad
     1 1-1 1-1 c02 c02 mode:s=constant paddings:I! value:f=0.0
     2 1-1 1-1 c02 c02 mode:s=constant pads:I! value:f=0.0
     11 2-3 1-1 3cfe/80/3cfe 3cfe mode:s=constant
     13 2-3 1-1 1fffe/80/1fffe 1fffe mode:s=constant
     18,19 2-4 1-1 1fffe/80/1fffe/c0 1fffe mode:s=constant
     21 2-4 1-1 7ffffe/80/7ffffe/c0 7ffffe mode:s=constant
     23 2-4 1-1 fffffe/80/fffffe/c0 fffffe mode:s=constant
     24 2-4 1-1 1fffffe/80/1fffffe/c0 1fffffe mode:s=constant
     25 2-4 1-1 7fffffe/80/7fffffe/c0 7fffffe mode:s=constant
    Pow
     1 2-2 1-1 c02/c02 c02 axis:i broadcast:i=0
     7 2-2 1-1 c02/c02 c02
     12 2-2 1-1 cc2/3cfe cc2
     13 2-2 1-1 10cc2/3cfe 10cc2
     15 2-2 1-1 10cc2/13cfe 10cc2
    QLinearConv
     10 8-9 1-1 c/2/c/c/2/c/2/c/40 c auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I pads:I strides:I
    QLinearMatMul
     10 8-8 1-1 c/2/c/c/2/c/2/c c
     21 8-8 1-1 1e000c/10402/1e000c/1e000c/10402/1e000c/10402/1e000c 1e000c
    QuantizeLinear
     10 2-3 1-1 42/2/c c
     13 2-3 1-1 42/2/c c axis:i=1
     19 2-3 1-1 10442/10442/1e000c 1e000c axis:i=1 saturate:i=1
     21 2-3 1-1 10442/10442/7e003c 7e003c axis:i=1 block_size:i=0 output_dtype:i=0 saturate:i=1
     23 2-3 1-1 10442/10442/fe003c fe003c axis:i=1 block_size:i=0 output_dtype:i=0 precision:i=0 saturate:i=1
     24 2-3 1-1 10442/1010442/fe003c fe003c axis:i=1 block_size:i=0 output_dtype:i=0 precision:i=0 saturate:i=1
     25 2-3 1-1 10442/1010442/6fe003c 6fe003c axis:i=1 block_size:i=0 output_dtype:i=0 precision:i=0 saturate:i=1
     28 2-3 1-1 10442/1010442/1efe003c 1efe003c axis:i=1 block_size:i=0 output_dtype:i=0 precision:i=0 saturate:i=1
    RMSNormalization
     23 2-2 1-1 10c02/10c02 10c02 axis:i=-1 epsilon:f=9.999999747378752e-06 stash_type:i=1
    RNN
     1 3-6 0-2 c02/c02/c02/c02/40/c02 c02/c02 activation_alpha:F activation_beta:F activations:S=Tanh,Tanh clip:f direction:s=forward hidden_size:i output_sequence:i=0
     7 3-6 0-2 c02/c02/c02/c02/40/c02 c02/c02 activation_alpha:F activation_beta:F activations:S=Tanh,Tanh clip:f direction:s=forward hidden_size:i
     14 3-6 0-2 c02/c02/c02/c02/40/c02 c02/c02 activation_alpha:F activation_beta:F activations:S=Tanh,Tanh clip:f direction:s=forward hidden_size:i layout:i=0
     22 3-6 0-2 10c02/10c02/10c02/10c02/40/10c02 10c02/10c02 activation_alpha:F activation_beta:F activations:S=Tanh,Tanh clip:f direction:s=forward hidden_size:i layout:i=0
    RandomNormal
     1 0-0 1-1 - c02 dtype:i=1 mean:f=0.0 scale:f=1.0 seed:f shape:I!
     22 0-0 1-1 - 10c02 dtype:i=1 mean:f=0.0 scale:f=1.0 seed:f shape:I!
    RandomNormalLike
     1 1-1 1-1 fffe c02 dtype:i mean:f=0.0 scale:f=1.0 seed:f
     22 1-1 1-1 1fffe 10c02 dtype:i mean:f=0.0 scale:f=1.0 seed:f
    RandomUniform
     1 0-0 1-1 - c02 dtype:i=1 high:f=1.0 low:f=0.0 seed:f shape:I!
     22 0-0 1-1 - 10c02 dtype:i=1 high:f=1.0 low:f=0.0 seed:f shape:I!
    RandomUniformLike
     1 1-1 1-1 fffe c02 dtype:i high:f=1.0 low:f=0.0 seed:f
     22 1-1 1-1 1fffe 10c02 dtype:i high:f=1.0 low:f=0.0 seed:f
    Range
     11 3-3 1-1 8e2/8e2/8e2 8e2
     27 3-3 1-1 10ce2/10ce2/10ce2 10ce2 stash_type:i=1
    Reciprocal
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    ReduceL1
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-1 1-1 13cc2 13cc2 axes:I keepdims:i=1
     18 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceL2
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-1 1-1 13cc2 13cc2 axes:I keepdims:i=1
     18 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceLogSum
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-1 1-1 13cc2 13cc2 axes:I keepdims:i=1
     18 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
     28 1-2 1-1 10c02/80 10c02 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceLogSumExp
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-1 1-1 13cc2 13cc2 axes:I keepdims:i=1
     18 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
     28 1-2 1-1 10c02/80 10c02 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceMax
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     12 1-1 1-1 3cce 3cce axes:I keepdims:i=1
     13 1-1 1-1 13cce 13cce axes:I keepdims:i=1
     18 1-2 1-1 13cce/80 13cce keepdims:i=1 noop_with_empty_axes:i=0
     20 1-2 1-1 13ece/80 13ece keepdims:i=1 noop_with_empty_axes:i=0
    ReduceMean
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-1 1-1 13cc2 13cc2 axes:I keepdims:i=1
     18 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceMin
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     12 1-1 1-1 3cce 3cce axes:I keepdims:i=1
     13 1-1 1-1 13cce 13cce axes:I keepdims:i=1
     18 1-2 1-1 13cce/80 13cce keepdims:i=1 noop_with_empty_axes:i=0
     20 1-2 1-1 13ece/80 13ece keepdims:i=1 noop_with_empty_axes:i=0
    ReduceProd
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-1 1-1 13cc2 13cc2 axes:I keepdims:i=1
     18 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceSum
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceSumSquare
     1,11 1-1 1-1 3cc2 3cc2 axes:I keepdims:i=1
     13 1-1 1-1 13cc2 13cc2 axes:I keepdims:i=1
     18 1-2 1-1 13cc2/80 13cc2 keepdims:i=1 noop_with_empty_axes:i=0
    RegexFullMatch
     20 1-1 1-1 100 200 pattern:s
    Relu
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
     14 1-1 1-1 10cea 10cea
    Reshape
     1 1-1 1-1 c02 c02 consumed_inputs:I shape:I
     5 2-2 1-1 fffe/80 fffe
     13 2-2 1-1 1fffe/80 1fffe
     14 2-2 1-1 1fffe/80 1fffe allowzero:i=0
     19 2-2 1-1 1ffffe/80 1ffffe allowzero:i=0
     21 2-2 1-1 7ffffe/80 7ffffe allowzero:i=0
     23 2-2 1-1 fffffe/80 fffffe allowzero:i=0
     24 2-2 1-1 1fffffe/80 1fffffe allowzero:i=0
     25 2-2 1-1 7fffffe/80 7fffffe allowzero:i=0
    Resize
     10 2-2 1-1 fffe/2 fffe mode:s=nearest
     11 3-4 1-1 fffe/c02/2/80 fffe coordinate_transformation_mode:s=half_pixel cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 mode:s=nearest nearest_mode:s=round_prefer_floor
     13 1-4 1-1 1fffe/c02/2/80 1fffe coordinate_transformation_mode:s=half_pixel cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 mode:s=nearest nearest_mode:s=round_prefer_floor
     18,19 1-4 1-1 1fffe/c02/2/80 1fffe antialias:i=0 axes:I coordinate_transformation_mode:s=half_pixel cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 keep_aspect_ratio_policy:s=stretch mode:s=nearest nearest_mode:s=round_prefer_floor
    ReverseSequence
     10 2-2 1-1 fffe/80 fffe batch_axis:i=1 time_axis:i=0
     28 2-2 1-1 1fffe/80 1fffe batch_axis:i=1 time_axis:i=0
    RoiAlign
     10 3-3 1-1 c02/c02/80 c02 mode:s=avg output_height:i=1 output_width:i=1 sampling_ratio:i=0 spatial_scale:f=1.0
     16 3-3 1-1 c02/c02/80 c02 coordinate_transformation_mode:s=half_pixel mode:s=avg output_height:i=1 output_width:i=1 sampling_ratio:i=0 spatial_scale:f=1.0
     22 3-3 1-1 10c02/10c02/80 10c02 coordinate_transformation_mode:s=half_pixel mode:s=avg output_height:i=1 output_width:i=1 sampling_ratio:i=0 spatial_scale:f=1.0
    RotaryEmbedding
     23 3-4 1-1 10402/10402/10402/80 10402 interleaved:i=0 num_heads:i rotary_embedding_dim:i=0
    Round
     11 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    STFT
     17 2-4 1-1 10c02/c0/10c02/c0 10c02 onesided:i=1
    Scan
     8 2-* 1-* 80/fffe fffe body:g! directions:I num_scan_inputs:i!
     9,11 1-* 1-* fffe fffe body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
     16 1-* 1-* 1fffe 1fffe body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
     19 1-* 1-* 1ffffe 1ffffe body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
     21 1-* 1-* 7ffffe 7ffffe body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
     23 1-* 1-* fffffe fffffe body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
     24 1-* 1-* 1fffffe 1fffffe body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
     25 1-* 1-* 7fffffe 7fffffe body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
    Scatter
     9,11x 3-3 1-1 fffe/c0/fffe fffe axis:i=0
    ScatterElements
     11 3-3 1-1 fffe/c0/fffe fffe axis:i=0
     13 3-3 1-1 1fffe/c0/1fffe 1fffe axis:i=0
     16,18 3-3 1-1 1fffe/c0/1fffe 1fffe axis:i=0 reduction:s=none
    ScatterND
     11 3-3 1-1 fffe/80/fffe fffe
     13 3-3 1-1 1fffe/80/1fffe 1fffe
     16,18 3-3 1-1 1fffe/80/1fffe 1fffe reduction:s=none
    Selu
     1 1-1 1-1 c02 c02 alpha:f=1.673200011253357 consumed_inputs:I gamma:f=1.0506999492645264
     6 1-1 1-1 c02 c02 alpha:f=1.6732631921768188 gamma:f=1.0507010221481323
     22 1-1 1-1 10c02 10c02 alpha:f=1.6732631921768188 gamma:f=1.0507010221481323
    SequenceAt
     11 2-2 1-1 10000000000/c0 fffe
    SequenceConstruct
     11 1-* 1-1 fffe 10000000000
    SequenceEmpty
     11 0-0 1-1 - 10000000000 dtype:i
    SequenceErase
     11 1-2 1-1 10000000000/c0 10000000000
    SequenceInsert
     11 2-3 1-1 10000000000/fffe/c0 10000000000
    SequenceLength
     11 1-1 1-1 10000000000 80
    SequenceMap
     17 1-* 1-* 10000000000/1000000fffe 10000000000 body:g!
    Shape
     1 1-1 1-1 fffe 80
     13 1-1 1-1 1fffe 80
     15 1-1 1-1 1fffe 80 end:i start:i=0
     19 1-1 1-1 1ffffe 80 end:i start:i=0
     21 1-1 1-1 7ffffe 80 end:i start:i=0
     23 1-1 1-1 fffffe 80 end:i start:i=0
     24 1-1 1-1 1fffffe 80 end:i start:i=0
     25 1-1 1-1 7fffffe 80 end:i start:i=0
    Shrink
     9 1-1 1-1 3cfe 3cfe bias:f=0.0 lambd:f=0.5
    Sigmoid
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    Sign
     9 1-1 1-1 3cfe 3cfe
     13 1-1 1-1 13cfe 13cfe
    Sin
     7 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Sinh
     9 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Size
     1 1-1 1-1 fffe 80
     13 1-1 1-1 1fffe 80
     19 1-1 1-1 1ffffe 80
     21 1-1 1-1 7ffffe 80
     23 1-1 1-1 fffffe 80
     24 1-1 1-1 1fffffe 80
     25 1-1 1-1 7fffffe 80
    Slice
     1 1-1 1-1 fffe fffe axes:I ends:I! starts:I!
     10,11 3-5 1-1 fffe/c0/c0/c0/c0 fffe
     13 3-5 1-1 1fffe/c0/c0/c0/c0 1fffe
    Softmax
     1,11 1-1 1-1 c02 c02 axis:i=1
     13 1-1 1-1 10c02 10c02 axis:i=-1
    SoftmaxCrossEntropyLoss
     12 2-3 1-2 c02/c0/c02 c02/c02 ignore_index:i reduction:s=mean
     13 2-3 1-2 10c02/c0/10c02 10c02/10c02 ignore_index:i reduction:s=mean
    Softplus
     1 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Softsign
     1 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    SpaceToDepth
     1 1-1 1-1 fffe fffe blocksize:i!
     13 1-1 1-1 1fffe 1fffe blocksize:i!
     28 1-1 1-1 1fffe 1fffe blocksize:i! mode:s=DCR
    Split
     1 1-2 1-* c02/c02 c02 axis:i split:I
     2,11 1-1 1-* fffe fffe axis:i=0 split:I
     13 1-2 1-* 1fffe/80 1fffe axis:i=0
     18 1-2 1-* 1fffe/80 1fffe axis:i=0 num_outputs:i
    SplitToSequence
     11 1-2 1-1 fffe/c0 10000000000 axis:i=0 keepdims:i=1
     24 1-2 1-1 1fffe/c0 10000000000 axis:i=0 keepdims:i=1
    Sqrt
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    Squeeze
     1,11 1-1 1-1 fffe fffe axes:I
     13 1-2 1-1 1fffe/80 1fffe
     21 1-2 1-1 7ffffe/80 7ffffe
     23 1-2 1-1 fffffe/80 fffffe
     24 1-2 1-1 1fffffe/80 1fffffe
     25 1-2 1-1 7fffffe/80 7fffffe
    StringConcat
     20 2-2 1-1 100/100 100
    StringNormalizer
     10 1-1 1-1 100 100 case_change_action:s=NONE is_case_sensitive:i=0 locale:s stopwords:S
    StringSplit
     20 1-1 2-2 100 100/80 delimiter:s maxsplit:i
    Sub
     1 2-2 1-1 c02/c02 c02 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 3cc2/3cc2 3cc2 axis:i broadcast:i=0
     7 2-2 1-1 3cc2/3cc2 3cc2
     13 2-2 1-1 13cc2/13cc2 13cc2
     14 2-2 1-1 13cfe/13cfe 13cfe
    Sum
     1 1-* 1-1 c02 c02 consumed_inputs:I
     6,8 1-* 1-1 c02 c02
     13 1-* 1-1 10c02 10c02
    SwiGLU
     28 2-2 1-1 10c02/10c02 10c02 alpha:f=1.0
    Swish
     24 1-1 1-1 10c02 10c02 alpha:f=1.0
    Tan
     7 1-1 1-1 c02 c02
     22 1-1 1-1 10c02 10c02
    Tanh
     1 1-1 1-1 c02 c02 consumed_inputs:I
     6 1-1 1-1 c02 c02
     13 1-1 1-1 10c02 10c02
    TensorScatter
     24 2-3 1-1 1fffffe/1fffffe/80 1fffffe axis:i=-2 mode:s=linear
    TfIdfVectorizer
     9 1-1 1-1 1c0 2 max_gram_length:i! max_skip_count:i! min_gram_length:i! mode:s! ngram_counts:I! ngram_indexes:I! pool_int64s:I pool_strings:S weights:F
    ThresholdedRelu
     10 1-1 1-1 c02 c02 alpha:f=1.0
     22 1-1 1-1 10c02 10c02 alpha:f=1.0
    Tile
     1 3-3 1-1 c02/c02/c02 c02
     6 2-2 1-1 fffe/80 fffe
     13 2-2 1-1 1fffe/80 1fffe
    TopK
     1 1-1 2-2 c02 c02/80 axis:i=-1 k:i!
     10 2-2 2-2 c02/80 c02/80 axis:i=-1
     11 2-2 2-2 3cfe/80 3cfe/80 axis:i=-1 largest:i=1 sorted:i=1
     24 2-2 2-2 13cfe/80 13cfe/80 axis:i=-1 largest:i=1 sorted:i=1
    Transpose
     1 1-1 1-1 fffe fffe perm:I
     13 1-1 1-1 1fffe 1fffe perm:I
     21 1-1 1-1 7ffffe 7ffffe perm:I
     23 1-1 1-1 fffffe fffffe perm:I
     24 1-1 1-1 1fffffe 1fffffe perm:I
     25 1-1 1-1 7fffffe 7fffffe perm:I
    Trilu
     14 1-2 1-1 1fffe/80 1fffe upper:i=1
    Unique
     11 1-1 1-4 fffe fffe/80/80/80 axis:i sorted:i=1
     28 1-1 1-4 1fffe 1fffe/80/80/80 axis:i sorted:i=1
    Unsqueeze
     1,11 1-1 1-1 fffe fffe axes:I!
     13 2-2 1-1 1fffe/80 1fffe
     21 2-2 1-1 7ffffe/80 7ffffe
     23 2-2 1-1 fffffe/80 fffffe
     24 2-2 1-1 1fffffe/80 1fffffe
     25 2-2 1-1 7fffffe/80 7fffffe
    Upsample
     1 1-1 1-1 ec2 ec2 height_scale:f! mode:s=nearest width_scale:f!
     7 1-1 1-1 fffe fffe mode:s=nearest scales:F!
     9,10x 2-2 1-1 fffe/2 fffe mode:s=nearest
    Where
     9 3-3 1-1 200/fffe/fffe fffe
     16 3-3 1-1 200/1fffe/1fffe 1fffe
    Xor
     1 2-2 1-1 200/200 200 axis:i broadcast:i=0
     7 2-2 1-1 200/200 200
    ai.onnx.ml:ArrayFeatureExtractor
     1 2-2 1-1 9c2/80 9c2
    ai.onnx.ml:Binarizer
     1 1-1 1-1 8c2 8c2 threshold:f=0.0
    ai.onnx.ml:CastMap
     1 1-1 1-1 40000000000 182 cast_to:s=TO_FLOAT map_form:s=DENSE max_map:i=1
    ai.onnx.ml:CategoryMapper
     1 1-1 1-1 180 180 cats_int64s:I cats_strings:S default_int64:i=-1 default_string:s=_Unused
    ai.onnx.ml:DictVectorizer
     1 1-1 1-1 40000000000 982 int64_vocabulary:I string_vocabulary:S
    ai.onnx.ml:FeatureVectorizer
     1 1-* 1-1 8c2 2 inputdimensions:I
    ai.onnx.ml:Imputer
     1 1-1 1-1 8c2 8c2 imputed_value_floats:F imputed_value_int64s:I replaced_value_float:f=0.0 replaced_value_int64:i=0
    ai.onnx.ml:LabelEncoder
     1 1-1 1-1 180 180 classes_strings:S default_int64:i=-1 default_string:s=_Unused
     2 1-1 1-1 182 182 default_float:f=-0.0 default_int64:i=-1 default_string:s=_Unused keys_floats:F keys_int64s:I keys_strings:S values_floats:F values_int64s:I values_strings:S
     4 1-1 1-1 9e2 9e2 default_float:f=-0.0 default_int64:i=-1 default_string:s=_Unused default_tensor:t keys_floats:F keys_int64s:I keys_strings:S keys_tensor:t values_floats:F values_int64s:I values_strings:S values_tensor:t
    ai.onnx.ml:LinearClassifier
     1 1-1 2-2 8c2 180/2 classlabels_ints:I classlabels_strings:S coefficients:F! intercepts:F multi_class:i=0 post_transform:s=NONE
    ai.onnx.ml:LinearRegressor
     1 1-1 1-1 8c2 2 coefficients:F intercepts:F post_transform:s=NONE targets:i=1
    ai.onnx.ml:Normalizer
     1 1-1 1-1 8c2 2 norm:s=MAX
    ai.onnx.ml:OneHotEncoder
     1 1-1 1-1 9c2 2 cats_int64s:I cats_strings:S zeros:i=1
    ai.onnx.ml:SVMClassifier
     1 1-1 2-2 8c2 180/2 classlabels_ints:I classlabels_strings:S coefficients:F kernel_params:F kernel_type:s=LINEAR post_transform:s=NONE prob_a:F prob_b:F rho:F support_vectors:F vectors_per_class:I
    ai.onnx.ml:SVMRegressor
     1 1-1 1-1 8c2 2 coefficients:F kernel_params:F kernel_type:s=LINEAR n_supports:i=0 one_class:i=0 post_transform:s=NONE rho:F support_vectors:F
    ai.onnx.ml:Scaler
     1 1-1 1-1 8c2 2 offset:F scale:F
    ai.onnx.ml:TreeEnsemble
     5 1-1 1-1 c02 c02 aggregate_function:i=1 leaf_targetids:I! leaf_weights:t! membership_values:t n_targets:i nodes_falseleafs:I! nodes_falsenodeids:I! nodes_featureids:I! nodes_hitrates:t nodes_missing_value_tracks_true:I nodes_modes:t! nodes_splits:t! nodes_trueleafs:I! nodes_truenodeids:I! post_transform:i=0 tree_roots:I!
    ai.onnx.ml:TreeEnsembleClassifier
     1 1-1 2-2 8c2 180/2 base_values:F class_ids:I class_nodeids:I class_treeids:I class_weights:F classlabels_int64s:I classlabels_strings:S nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F post_transform:s=NONE
     3,5x 1-1 2-2 8c2 180/2 base_values:F base_values_as_tensor:t class_ids:I class_nodeids:I class_treeids:I class_weights:F class_weights_as_tensor:t classlabels_int64s:I classlabels_strings:S nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_hitrates_as_tensor:t nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F nodes_values_as_tensor:t post_transform:s=NONE
    ai.onnx.ml:TreeEnsembleRegressor
     1 1-1 1-1 8c2 2 aggregate_function:s=SUM base_values:F n_targets:i nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F post_transform:s=NONE target_ids:I target_nodeids:I target_treeids:I target_weights:F
     3,5x 1-1 1-1 8c2 2 aggregate_function:s=SUM base_values:F base_values_as_tensor:t n_targets:i nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_hitrates_as_tensor:t nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F nodes_values_as_tensor:t post_transform:s=NONE target_ids:I target_nodeids:I target_treeids:I target_weights:F target_weights_as_tensor:t
    ai.onnx.ml:ZipMap
     1 1-1 1-1 2 10000000000 classlabels_int64s:I classlabels_strings:S
    ai.onnx.preview:FlexAttention
     1 3-3 1-1 10c02/10c02/10c02 10c02 prob_mod:g scale:f score_mod:g softmax_precision:i
    ai.onnx.preview.training:Adagrad
     1 3-* 1-* 802/80/802 802 decay_factor:f=0.0 epsilon:f=9.999999974752427e-07 norm_coefficient:f=0.0
    ai.onnx.preview.training:Adam
     1 3-* 1-* 802/80/802 802 alpha:f=0.8999999761581421 beta:f=0.9990000128746033 epsilon:f=9.999999974752427e-07 norm_coefficient:f=0.0 norm_coefficient_post:f=0.0
    ai.onnx.preview.training:Gradient
     1 1-* 1-* fffe c02 xs:S! y:s! zs:S
    ai.onnx.preview.training:Momentum
     1 3-* 1-* 802/80/802 802 alpha:f! beta:f! mode:s! norm_coefficient:f!
    """
}
