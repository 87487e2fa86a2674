// Made by oracle/operator_facts.py from onnx 1.23.2.
// One operator: its name; then a line for each run of versions with equal facts: versions
// (x = deprecated), inputs, outputs, attributes as name:kind, ! if required, =default.
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
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    Acos
     7,22 1-1 1-1
    Acosh
     9,22 1-1 1-1
    Add
     1 2-2 1-1 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 axis:i broadcast:i=0
     7,13,14 2-2 1-1
    AffineGrid
     20 2-2 1-1 align_corners:i=0
    And
     1 2-2 1-1 axis:i broadcast:i=0
     7 2-2 1-1
    ArgMax
     1,11 1-1 1-1 axis:i=0 keepdims:i=1
     12,13 1-1 1-1 axis:i=0 keepdims:i=1 select_last_index:i=0
    ArgMin
     1,11 1-1 1-1 axis:i=0 keepdims:i=1
     12,13 1-1 1-1 axis:i=0 keepdims:i=1 select_last_index:i=0
    Asin
     7,22 1-1 1-1
    Asinh
     9,22 1-1 1-1
    Atan
     7,22 1-1 1-1
    Atanh
     9,22 1-1 1-1
    Attention
     23 3-6 1-4 is_causal:i=0 kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i=0 scale:f softcap:f=0.0 softmax_precision:i
     24 3-7 1-4 is_causal:i=0 kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i=0 scale:f softcap:f=0.0 softmax_precision:i
     25 3-7 1-4 is_causal:i=0 kv_num_heads:i left_window_size:i=-1 q_num_heads:i qk_matmul_output_mode:i=0 right_window_size:i=-1 scale:f softcap:f=0.0 softmax_precision:i
    AveragePool
     1 1-1 1-1 auto_pad:s=NOTSET kernel_shape:I! pads:I strides:I
     7 1-1 1-1 auto_pad:s=NOTSET count_include_pad:i=0 kernel_shape:I! pads:I strides:I
     10,11 1-1 1-1 auto_pad:s=NOTSET ceil_mode:i=0 count_include_pad:i=0 kernel_shape:I! pads:I strides:I
     19,22 1-1 1-1 auto_pad:s=NOTSET ceil_mode:i=0 count_include_pad:i=0 dilations:I kernel_shape:I! pads:I strides:I
    BatchNormalization
     1 5-5 1-5 consumed_inputs:I! epsilon:f=9.999999747378752e-06 is_test:i=0 momentum:f=0.8999999761581421 spatial:i=1
     6 5-5 1-5 epsilon:f=9.999999747378752e-06 is_test:i=0 momentum:f=0.8999999761581421 spatial:i=1
     7 5-5 1-5 epsilon:f=9.999999747378752e-06 momentum:f=0.8999999761581421 spatial:i=1
     9 5-5 1-5 epsilon:f=9.999999747378752e-06 momentum:f=0.8999999761581421
     14,15 5-5 1-3 epsilon:f=9.999999747378752e-06 momentum:f=0.8999999761581421 training_mode:i=0
    Bernoulli
     15,22 1-1 1-1 dtype:i seed:f
    BitCast
     26 1-1 1-1 to:i!
    BitShift
     11,28 2-2 1-1 direction:s!
    BitwiseAnd
     18 2-2 1-1
    BitwiseNot
     18 1-1 1-1
    BitwiseOr
     18 2-2 1-1
    BitwiseXor
     18 2-2 1-1
    BlackmanWindow
     17 1-1 1-1 output_datatype:i=1 periodic:i=1
    Cast
     1 1-1 1-1 to:s!
     6,9,13 1-1 1-1 to:i!
     19,21,23 1-1 1-1 saturate:i=1 to:i!
     24,25,28 1-1 1-1 round_mode:s=up saturate:i=1 to:i!
    CastLike
     15 2-2 1-1
     19,21,23 2-2 1-1 saturate:i=1
     24,25 2-2 1-1 round_mode:s=up saturate:i=1
    CausalConvWithState
     27 2-4 2-2 activation:s=none
    Ceil
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    Celu
     12,28 1-1 1-1 alpha:f=1.0
    CenterCropPad
     18 2-2 1-1 axes:I
    Clip
     1 1-1 1-1 consumed_inputs:I max:f min:f
     6 1-1 1-1 max:f=3.4028234663852886e+38 min:f=-3.4028234663852886e+38
     11,12,13 1-3 1-1
    Col2Im
     18 3-3 1-1 dilations:I pads:I strides:I
    Compress
     9,11,28 2-2 1-1 axis:i
    Concat
     1 1-* 1-1 axis:i
     4,11,13 1-* 1-1 axis:i!
    ConcatFromSequence
     11 1-1 1-1 axis:i! new_axis:i=0
    Constant
     1,9 0-0 1-1 value:t!
     11 0-0 1-1 sparse_value:p value:t
     12,13,19,21,23,24,25 0-0 1-1 sparse_value:p value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
    ConstantOfShape
     9,20,21,23,24,25 1-1 1-1 value:t
    Conv
     1,11,22 2-3 1-1 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I pads:I strides:I
    ConvInteger
     10 2-4 1-1 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I pads:I strides:I
    ConvTranspose
     1,11,22 2-3 1-1 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I output_padding:I output_shape:I pads:I strides:I
    Cos
     7,22 1-1 1-1
    Cosh
     9,22 1-1 1-1
    CumProd
     26 2-2 1-1 exclusive:i=0 reverse:i=0
    CumSum
     11,14 2-2 1-1 exclusive:i=0 reverse:i=0
    DFT
     17 1-2 1-1 axis:i=1 inverse:i=0 onesided:i=0
     20 1-3 1-1 inverse:i=0 onesided:i=0
    DeformConv
     19,22 3-5 1-1 dilations:I group:i=1 kernel_shape:I offset_group:i=1 pads:I strides:I
    DepthToSpace
     1 1-1 1-1 blocksize:i!
     11,13,28 1-1 1-1 blocksize:i! mode:s=DCR
    DequantizeLinear
     10 2-3 1-1
     13,19 2-3 1-1 axis:i=1
     21 2-3 1-1 axis:i=1 block_size:i=0
     23,24,25,28 2-3 1-1 axis:i=1 block_size:i=0 output_dtype:i=0
    Det
     11,22 1-1 1-1
    Div
     1 2-2 1-1 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 axis:i broadcast:i=0
     7,13,14 2-2 1-1
    Dropout
     1 1-1 1-2 consumed_inputs:I is_test:i=0 ratio:f=0.5
     6 1-1 1-2 is_test:i=0 ratio:f=0.5
     7,10 1-1 1-2 ratio:f=0.5
     12,13,22 1-3 1-2 seed:i
    DynamicQuantizeLinear
     11 1-1 3-3
    Einsum
     12,28 1-* 1-1 equation:s!
    Elu
     1 1-1 1-1 alpha:f=1.0 consumed_inputs:I
     6,22 1-1 1-1 alpha:f=1.0
    Equal
     1 2-2 1-1 axis:i broadcast:i=0
     7,11,13,19 2-2 1-1
    Erf
     9,13 1-1 1-1
    Exp
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    Expand
     8,13 2-2 1-1
    EyeLike
     9,22 1-1 1-1 dtype:i k:i=0
    Flatten
     1,9,11,13,21,23,24,25 1-1 1-1 axis:i=1
    Floor
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    GRU
     1 3-6 2-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s=foward hidden_size:i output_sequence:i=0
     3 3-6 0-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i linear_before_reset:i=0 output_sequence:i=0
     7 3-6 0-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i linear_before_reset:i=0
     14,22 3-6 0-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i layout:i=0 linear_before_reset:i=0
    Gather
     1,11,13 2-2 1-1 axis:i=0
    GatherElements
     11,13 2-2 1-1 axis:i=0
    GatherND
     11 2-2 1-1
     12,13 2-2 1-1 batch_dims:i=0
    Gelu
     20 1-1 1-1 approximate:s=none
    Gemm
     1,6 3-3 1-1 alpha:f=1.0 beta:f=1.0 broadcast:i=0 transA:i=0 transB:i=0
     7,9 3-3 1-1 alpha:f=1.0 beta:f=1.0 transA:i=0 transB:i=0
     11,13 2-3 1-1 alpha:f=1.0 beta:f=1.0 transA:i=0 transB:i=0
    GlobalAveragePool
     1,22 1-1 1-1
    GlobalLpPool
     1 1-1 1-1 p:f=2.0
     2,22 1-1 1-1 p:i=2
    GlobalMaxPool
     1,22 1-1 1-1
    Greater
     1 2-2 1-1 axis:i broadcast:i=0
     7,9,13 2-2 1-1
    GreaterOrEqual
     12,16 2-2 1-1
    GridSample
     16 2-2 1-1 align_corners:i=0 mode:s=bilinear padding_mode:s=zeros
     20,22 2-2 1-1 align_corners:i=0 mode:s=linear padding_mode:s=zeros
    GroupNormalization
     18x 3-3 1-1 epsilon:f=9.999999747378752e-06 num_groups:i!
     21 3-3 1-1 epsilon:f=9.999999747378752e-06 num_groups:i! stash_type:i=1
    HammingWindow
     17 1-1 1-1 output_datatype:i=1 periodic:i=1
    HannWindow
     17 1-1 1-1 output_datatype:i=1 periodic:i=1
    HardSigmoid
     1 1-1 1-1 alpha:f=0.20000000298023224 beta:f=0.5 consumed_inputs:I
     6,22 1-1 1-1 alpha:f=0.20000000298023224 beta:f=0.5
    HardSwish
     14,22 1-1 1-1
    Hardmax
     1,11 1-1 1-1 axis:i=1
     13 1-1 1-1 axis:i=-1
    Identity
     1,13,14,16,19,21,23,24,25 1-1 1-1
    If
     1,11,13,16,19,21,23,24,25 1-1 1-* else_branch:g! then_branch:g!
    ImageDecoder
     20 1-1 1-1 pixel_format:s=RGB
    InstanceNormalization
     1 3-3 1-1 consumed_inputs:I epsilon:f=9.999999747378752e-06
     6,22 3-3 1-1 epsilon:f=9.999999747378752e-06
    IsInf
     10,20 1-1 1-1 detect_negative:i=1 detect_positive:i=1
    IsNaN
     9,13,20 1-1 1-1
    LRN
     1,13 1-1 1-1 alpha:f=9.999999747378752e-05 beta:f=0.75 bias:f=1.0 size:i!
    LSTM
     1 3-8 0-3 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i input_forget:i=0 output_sequence:i=0
     7 3-8 0-3 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i input_forget:i=0
     14,22 3-8 0-3 activation_alpha:F activation_beta:F activations:S clip:f direction:s=forward hidden_size:i input_forget:i=0 layout:i=0
    LayerNormalization
     17 2-3 1-3 axis:i=-1 epsilon:f=9.999999747378752e-06 stash_type:i=1
    LeakyRelu
     1 1-1 1-1 alpha:f=0.009999999776482582 consumed_inputs:I
     6,16 1-1 1-1 alpha:f=0.009999999776482582
    Less
     1 2-2 1-1 axis:i broadcast:i=0
     7,9,13 2-2 1-1
    LessOrEqual
     12,16 2-2 1-1
    LinearAttention
     27 3-6 2-2 chunk_size:i=64 kv_num_heads:i! q_num_heads:i! scale:f=0.0 update_rule:s=gated_delta
    Log
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    LogSoftmax
     1,11 1-1 1-1 axis:i=1
     13 1-1 1-1 axis:i=-1
    Loop
     1 3-* 1-* body:g!
     11,13,16,19,21,23,24,25 2-* 1-* body:g!
    LpNormalization
     1,22 1-1 1-1 axis:i=-1 p:i=2
    LpPool
     1 1-1 1-1 auto_pad:s=NOTSET kernel_shape:I p:f=2.0 pads:I strides:I
     2,11 1-1 1-1 auto_pad:s=NOTSET kernel_shape:I! p:i=2 pads:I strides:I
     18,22 1-1 1-1 auto_pad:s=NOTSET ceil_mode:i=0 dilations:I kernel_shape:I! p:i=2 pads:I strides:I
    MatMul
     1,9,13 2-2 1-1
    MatMulInteger
     10 2-4 1-1
    Max
     1 1-* 1-1 consumed_inputs:I
     6,8,12,13 1-* 1-1
    MaxPool
     1 1-1 1-1 auto_pad:s=NOTSET kernel_shape:I! pads:I strides:I
     8 1-1 1-2 auto_pad:s=NOTSET kernel_shape:I! pads:I storage_order:i=0 strides:I
     10,11,12,22 1-1 1-2 auto_pad:s=NOTSET ceil_mode:i=0 dilations:I kernel_shape:I! pads:I storage_order:i=0 strides:I
    MaxRoiPool
     1,22 2-2 1-1 pooled_shape:I! spatial_scale:f=1.0
    MaxUnpool
     9,11,22 2-3 1-1 kernel_shape:I! pads:I strides:I
    Mean
     1 1-* 1-1 consumed_inputs:I
     6,8,13 1-* 1-1
    MeanVarianceNormalization
     9,13 1-1 1-1 axes:I=0,2,3
    MelWeightMatrix
     17 5-5 1-1 output_datatype:i=1
    Min
     1 1-* 1-1 consumed_inputs:I
     6,8,12,13 1-* 1-1
    Mish
     18,22 1-1 1-1
    Mod
     10,13,28 2-2 1-1 fmod:i=0
    Mul
     1 2-2 1-1 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 axis:i broadcast:i=0
     7,13,14 2-2 1-1
    Multinomial
     7,22 1-1 1-1 dtype:i=6 sample_size:i=1 seed:f
    Neg
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    NegativeLogLikelihoodLoss
     12,13,22 2-3 1-1 ignore_index:i reduction:s=mean
    NonMaxSuppression
     10,11 2-5 1-1 center_point_box:i=0
    NonZero
     9,13 1-1 1-1
    Not
     1 1-1 1-1
    OneHot
     9,11,28 3-3 1-1 axis:i=-1
    Optional
     15,28 0-1 1-1 type:y
    OptionalGetElement
     15,18,28 1-1 1-1
    OptionalHasElement
     15 1-1 1-1
     18,28 0-1 1-1
    Or
     1 2-2 1-1 axis:i broadcast:i=0
     7 2-2 1-1
    PRelu
     1 2-2 1-1 consumed_inputs:I
     6,7,9,16 2-2 1-1
    Pad
     1 1-1 1-1 mode:s=constant paddings:I! value:f=0.0
     2 1-1 1-1 mode:s=constant pads:I! value:f=0.0
     11,13 2-3 1-1 mode:s=constant
     18,19,21,23,24,25 2-4 1-1 mode:s=constant
    Pow
     1 2-2 1-1 axis:i broadcast:i=0
     7,12,13,15 2-2 1-1
    QLinearConv
     10 8-9 1-1 auto_pad:s=NOTSET dilations:I group:i=1 kernel_shape:I pads:I strides:I
    QLinearMatMul
     10,21 8-8 1-1
    QuantizeLinear
     10 2-3 1-1
     13 2-3 1-1 axis:i=1
     19 2-3 1-1 axis:i=1 saturate:i=1
     21 2-3 1-1 axis:i=1 block_size:i=0 output_dtype:i=0 saturate:i=1
     23,24,25,28 2-3 1-1 axis:i=1 block_size:i=0 output_dtype:i=0 precision:i=0 saturate:i=1
    RMSNormalization
     23 2-2 1-1 axis:i=-1 epsilon:f=9.999999747378752e-06 stash_type:i=1
    RNN
     1 3-6 0-2 activation_alpha:F activation_beta:F activations:S=Tanh,Tanh clip:f direction:s=forward hidden_size:i output_sequence:i=0
     7 3-6 0-2 activation_alpha:F activation_beta:F activations:S=Tanh,Tanh clip:f direction:s=forward hidden_size:i
     14,22 3-6 0-2 activation_alpha:F activation_beta:F activations:S=Tanh,Tanh clip:f direction:s=forward hidden_size:i layout:i=0
    RandomNormal
     1,22 0-0 1-1 dtype:i=1 mean:f=0.0 scale:f=1.0 seed:f shape:I!
    RandomNormalLike
     1,22 1-1 1-1 dtype:i mean:f=0.0 scale:f=1.0 seed:f
    RandomUniform
     1,22 0-0 1-1 dtype:i=1 high:f=1.0 low:f=0.0 seed:f shape:I!
    RandomUniformLike
     1,22 1-1 1-1 dtype:i high:f=1.0 low:f=0.0 seed:f
    Range
     11 3-3 1-1
     27 3-3 1-1 stash_type:i=1
    Reciprocal
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    ReduceL1
     1,11,13 1-1 1-1 axes:I keepdims:i=1
     18 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceL2
     1,11,13 1-1 1-1 axes:I keepdims:i=1
     18 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceLogSum
     1,11,13 1-1 1-1 axes:I keepdims:i=1
     18,28 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceLogSumExp
     1,11,13 1-1 1-1 axes:I keepdims:i=1
     18,28 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceMax
     1,11,12,13 1-1 1-1 axes:I keepdims:i=1
     18,20 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceMean
     1,11,13 1-1 1-1 axes:I keepdims:i=1
     18 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceMin
     1,11,12,13 1-1 1-1 axes:I keepdims:i=1
     18,20 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceProd
     1,11,13 1-1 1-1 axes:I keepdims:i=1
     18 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceSum
     1,11 1-1 1-1 axes:I keepdims:i=1
     13 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    ReduceSumSquare
     1,11,13 1-1 1-1 axes:I keepdims:i=1
     18 1-2 1-1 keepdims:i=1 noop_with_empty_axes:i=0
    RegexFullMatch
     20 1-1 1-1 pattern:s
    Relu
     1 1-1 1-1 consumed_inputs:I
     6,13,14 1-1 1-1
    Reshape
     1 1-1 1-1 consumed_inputs:I shape:I
     5,13 2-2 1-1
     14,19,21,23,24,25 2-2 1-1 allowzero:i=0
    Resize
     10 2-2 1-1 mode:s=nearest
     11 3-4 1-1 coordinate_transformation_mode:s=half_pixel cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 mode:s=nearest nearest_mode:s=round_prefer_floor
     13 1-4 1-1 coordinate_transformation_mode:s=half_pixel cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 mode:s=nearest nearest_mode:s=round_prefer_floor
     18,19 1-4 1-1 antialias:i=0 axes:I coordinate_transformation_mode:s=half_pixel cubic_coeff_a:f=-0.75 exclude_outside:i=0 extrapolation_value:f=0.0 keep_aspect_ratio_policy:s=stretch mode:s=nearest nearest_mode:s=round_prefer_floor
    ReverseSequence
     10,28 2-2 1-1 batch_axis:i=1 time_axis:i=0
    RoiAlign
     10 3-3 1-1 mode:s=avg output_height:i=1 output_width:i=1 sampling_ratio:i=0 spatial_scale:f=1.0
     16,22 3-3 1-1 coordinate_transformation_mode:s=half_pixel mode:s=avg output_height:i=1 output_width:i=1 sampling_ratio:i=0 spatial_scale:f=1.0
    RotaryEmbedding
     23 3-4 1-1 interleaved:i=0 num_heads:i rotary_embedding_dim:i=0
    Round
     11,22 1-1 1-1
    STFT
     17 2-4 1-1 onesided:i=1
    Scan
     8 2-* 1-* body:g! directions:I num_scan_inputs:i!
     9,11,16,19,21,23,24,25 1-* 1-* body:g! num_scan_inputs:i! scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
    Scatter
     9,11x 3-3 1-1 axis:i=0
    ScatterElements
     11,13 3-3 1-1 axis:i=0
     16,18 3-3 1-1 axis:i=0 reduction:s=none
    ScatterND
     11,13 3-3 1-1
     16,18 3-3 1-1 reduction:s=none
    Selu
     1 1-1 1-1 alpha:f=1.673200011253357 consumed_inputs:I gamma:f=1.0506999492645264
     6,22 1-1 1-1 alpha:f=1.6732631921768188 gamma:f=1.0507010221481323
    SequenceAt
     11 2-2 1-1
    SequenceConstruct
     11 1-* 1-1
    SequenceEmpty
     11 0-0 1-1 dtype:i
    SequenceErase
     11 1-2 1-1
    SequenceInsert
     11 2-3 1-1
    SequenceLength
     11 1-1 1-1
    SequenceMap
     17 1-* 1-* body:g!
    Shape
     1,13 1-1 1-1
     15,19,21,23,24,25 1-1 1-1 end:i start:i=0
    Shrink
     9 1-1 1-1 bias:f=0.0 lambd:f=0.5
    Sigmoid
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    Sign
     9,13 1-1 1-1
    Sin
     7,22 1-1 1-1
    Sinh
     9,22 1-1 1-1
    Size
     1,13,19,21,23,24,25 1-1 1-1
    Slice
     1 1-1 1-1 axes:I ends:I! starts:I!
     10,11,13 3-5 1-1
    Softmax
     1,11 1-1 1-1 axis:i=1
     13 1-1 1-1 axis:i=-1
    SoftmaxCrossEntropyLoss
     12,13 2-3 1-2 ignore_index:i reduction:s=mean
    Softplus
     1,22 1-1 1-1
    Softsign
     1,22 1-1 1-1
    SpaceToDepth
     1,13 1-1 1-1 blocksize:i!
     28 1-1 1-1 blocksize:i! mode:s=DCR
    Split
     1 1-2 1-* axis:i split:I
     2,11 1-1 1-* axis:i=0 split:I
     13 1-2 1-* axis:i=0
     18 1-2 1-* axis:i=0 num_outputs:i
    SplitToSequence
     11,24 1-2 1-1 axis:i=0 keepdims:i=1
    Sqrt
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    Squeeze
     1,11 1-1 1-1 axes:I
     13,21,23,24,25 1-2 1-1
    StringConcat
     20 2-2 1-1
    StringNormalizer
     10 1-1 1-1 case_change_action:s=NONE is_case_sensitive:i=0 locale:s stopwords:S
    StringSplit
     20 1-1 2-2 delimiter:s maxsplit:i
    Sub
     1 2-2 1-1 axis:i broadcast:i=0 consumed_inputs:I
     6 2-2 1-1 axis:i broadcast:i=0
     7,13,14 2-2 1-1
    Sum
     1 1-* 1-1 consumed_inputs:I
     6,8,13 1-* 1-1
    SwiGLU
     28 2-2 1-1 alpha:f=1.0
    Swish
     24 1-1 1-1 alpha:f=1.0
    Tan
     7,22 1-1 1-1
    Tanh
     1 1-1 1-1 consumed_inputs:I
     6,13 1-1 1-1
    TensorScatter
     24 2-3 1-1 axis:i=-2 mode:s=linear
    TfIdfVectorizer
     9 1-1 1-1 max_gram_length:i! max_skip_count:i! min_gram_length:i! mode:s! ngram_counts:I! ngram_indexes:I! pool_int64s:I pool_strings:S weights:F
    ThresholdedRelu
     10,22 1-1 1-1 alpha:f=1.0
    Tile
     1 3-3 1-1
     6,13 2-2 1-1
    TopK
     1 1-1 2-2 axis:i=-1 k:i!
     10 2-2 2-2 axis:i=-1
     11,24 2-2 2-2 axis:i=-1 largest:i=1 sorted:i=1
    Transpose
     1,13,21,23,24,25 1-1 1-1 perm:I
    Trilu
     14 1-2 1-1 upper:i=1
    Unique
     11,28 1-1 1-4 axis:i sorted:i=1
    Unsqueeze
     1,11 1-1 1-1 axes:I!
     13,21,23,24,25 2-2 1-1
    Upsample
     1 1-1 1-1 height_scale:f! mode:s=nearest width_scale:f!
     7 1-1 1-1 mode:s=nearest scales:F!
     9,10x 2-2 1-1 mode:s=nearest
    Where
     9,16 3-3 1-1
    Xor
     1 2-2 1-1 axis:i broadcast:i=0
     7 2-2 1-1
    ai.onnx.ml:ArrayFeatureExtractor
     1 2-2 1-1
    ai.onnx.ml:Binarizer
     1 1-1 1-1 threshold:f=0.0
    ai.onnx.ml:CastMap
     1 1-1 1-1 cast_to:s=TO_FLOAT map_form:s=DENSE max_map:i=1
    ai.onnx.ml:CategoryMapper
     1 1-1 1-1 cats_int64s:I cats_strings:S default_int64:i=-1 default_string:s=_Unused
    ai.onnx.ml:DictVectorizer
     1 1-1 1-1 int64_vocabulary:I string_vocabulary:S
    ai.onnx.ml:FeatureVectorizer
     1 1-* 1-1 inputdimensions:I
    ai.onnx.ml:Imputer
     1 1-1 1-1 imputed_value_floats:F imputed_value_int64s:I replaced_value_float:f=0.0 replaced_value_int64:i=0
    ai.onnx.ml:LabelEncoder
     1 1-1 1-1 classes_strings:S default_int64:i=-1 default_string:s=_Unused
     2 1-1 1-1 default_float:f=-0.0 default_int64:i=-1 default_string:s=_Unused keys_floats:F keys_int64s:I keys_strings:S values_floats:F values_int64s:I values_strings:S
     4 1-1 1-1 default_float:f=-0.0 default_int64:i=-1 default_string:s=_Unused default_tensor:t keys_floats:F keys_int64s:I keys_strings:S keys_tensor:t values_floats:F values_int64s:I values_strings:S values_tensor:t
    ai.onnx.ml:LinearClassifier
     1 1-1 2-2 classlabels_ints:I classlabels_strings:S coefficients:F! intercepts:F multi_class:i=0 post_transform:s=NONE
    ai.onnx.ml:LinearRegressor
     1 1-1 1-1 coefficients:F intercepts:F post_transform:s=NONE targets:i=1
    ai.onnx.ml:Normalizer
     1 1-1 1-1 norm:s=MAX
    ai.onnx.ml:OneHotEncoder
     1 1-1 1-1 cats_int64s:I cats_strings:S zeros:i=1
    ai.onnx.ml:SVMClassifier
     1 1-1 2-2 classlabels_ints:I classlabels_strings:S coefficients:F kernel_params:F kernel_type:s=LINEAR post_transform:s=NONE prob_a:F prob_b:F rho:F support_vectors:F vectors_per_class:I
    ai.onnx.ml:SVMRegressor
     1 1-1 1-1 coefficients:F kernel_params:F kernel_type:s=LINEAR n_supports:i=0 one_class:i=0 post_transform:s=NONE rho:F support_vectors:F
    ai.onnx.ml:Scaler
     1 1-1 1-1 offset:F scale:F
    ai.onnx.ml:TreeEnsemble
     5 1-1 1-1 aggregate_function:i=1 leaf_targetids:I! leaf_weights:t! membership_values:t n_targets:i nodes_falseleafs:I! nodes_falsenodeids:I! nodes_featureids:I! nodes_hitrates:t nodes_missing_value_tracks_true:I nodes_modes:t! nodes_splits:t! nodes_trueleafs:I! nodes_truenodeids:I! post_transform:i=0 tree_roots:I!
    ai.onnx.ml:TreeEnsembleClassifier
     1 1-1 2-2 base_values:F class_ids:I class_nodeids:I class_treeids:I class_weights:F classlabels_int64s:I classlabels_strings:S nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F post_transform:s=NONE
     3,5x 1-1 2-2 base_values:F base_values_as_tensor:t class_ids:I class_nodeids:I class_treeids:I class_weights:F class_weights_as_tensor:t classlabels_int64s:I classlabels_strings:S nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_hitrates_as_tensor:t nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F nodes_values_as_tensor:t post_transform:s=NONE
    ai.onnx.ml:TreeEnsembleRegressor
     1 1-1 1-1 aggregate_function:s=SUM base_values:F n_targets:i nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F post_transform:s=NONE target_ids:I target_nodeids:I target_treeids:I target_weights:F
     3,5x 1-1 1-1 aggregate_function:s=SUM base_values:F base_values_as_tensor:t n_targets:i nodes_falsenodeids:I nodes_featureids:I nodes_hitrates:F nodes_hitrates_as_tensor:t nodes_missing_value_tracks_true:I nodes_modes:S nodes_nodeids:I nodes_treeids:I nodes_truenodeids:I nodes_values:F nodes_values_as_tensor:t post_transform:s=NONE target_ids:I target_nodeids:I target_treeids:I target_weights:F target_weights_as_tensor:t
    ai.onnx.ml:ZipMap
     1 1-1 1-1 classlabels_int64s:I classlabels_strings:S
    ai.onnx.preview:FlexAttention
     1 3-3 1-1 prob_mod:g scale:f score_mod:g softmax_precision:i
    ai.onnx.preview.training:Adagrad
     1 3-* 1-* decay_factor:f=0.0 epsilon:f=9.999999974752427e-07 norm_coefficient:f=0.0
    ai.onnx.preview.training:Adam
     1 3-* 1-* alpha:f=0.8999999761581421 beta:f=0.9990000128746033 epsilon:f=9.999999974752427e-07 norm_coefficient:f=0.0 norm_coefficient_post:f=0.0
    ai.onnx.preview.training:Gradient
     1 1-* 1-* xs:S! y:s! zs:S
    ai.onnx.preview.training:Momentum
     1 3-* 1-* alpha:f! beta:f! mode:s! norm_coefficient:f!
    """
}
