import CWherryABI
import WherryBytes
import WherryGraph

/// What the runtime executes: kernel calls over tensors whose places in memory are settled.
///
/// The form in memory of the PLAN section of a native file; `plan.h` states what each part means.
public struct Plan: Sendable {
  public var tensors: [PlanTensor]
  public var operations: [PlanOperation]
  /// Tensors by position of the graph's inputs and outputs.
  public var inputs: [Int]
  public var outputs: [Int]
  /// Constants; `PlanTensor.Place.weights` counts in this list.
  public var weights: [Weight]
  /// Bytes of one session's tensors; a multiple of `WH_ALIGNMENT`.
  public var arenaBytes: Int
  /// The largest sum of sizes of tensors that are needed at one time: no arena is smaller.
  public var liveBytes: Int
  /// Multiply-accumulates of one invocation.
  public var macs: Int
  /// Places that each pass over the plan changed.
  public var changes: [PlanPass: Int] = [:]
}

/// A tensor as kernels see it.
public struct PlanTensor: Sendable, Hashable {
  public enum Place: Sendable, Hashable {
    /// Distance from the start of the arena.
    case arena(Int)
    /// Position in the plan's list of weights.
    case weights(Int)
  }
  public var element: ElementType
  /// Extents in memory order; a packed weight has one.
  public var dims: [Int]
  public var place: Place
  /// The graph's name of an input or output; nil inside.
  public var name: String?
  /// Class labels of an output.
  public var labels: [String]
  /// Whether the bytes are of `WH_Q8`: int8 values in the signedness the processor prefers.
  public var isQ8 = false
  /// What the 8-bit values stand for; nil when they are not quantized.
  public var quantization: TensorQuantization?

  /// The element code of `plan.h`.
  public var code: UInt32 { isQ8 ? WH_Q8 : UInt32(bitPattern: element.rawValue) }

  /// Bytes of the contents.
  public var byteCount: Int { element.byteCount(of: Checked.product(dims) ?? 0) ?? 0 }
}

/// real = scale * (value - zero point); the zero point is of the tensor's own element type.
public struct TensorQuantization: Sendable, Hashable {
  public var scale: Float
  public var zeroPoint: Int32

  public init(scale: Float, zeroPoint: Int32) { (self.scale, self.zeroPoint) = (scale, zeroPoint) }
}

/// One kernel call.
public struct PlanOperation: Sendable {
  public var step: PlanStep
  /// Tensors; nil for an optional operand left out.
  public var inputs: [Int?]
  public var outputs: [Int?]
  /// A tensor the kernel may overwrite.
  public var scratch: Int?
  /// Name of the node it comes from.
  public var name: String
}

/// A kernel and its parameters, in the C form of `plan.h`.
public enum PlanStep: Sendable {
  case move(wh_move)
  case fill(wh_fill)
  case conv(wh_conv)
  case depthwise(wh_conv)
  case matmul(wh_matmul)
  case binary(wh_binary)
  case unary(wh_unary)
  case cast
  case select(wh_select)
  case reduce(wh_reduce)
  case argReduce(wh_arg_reduce)
  case softmax(wh_softmax)
  case pool(wh_pool)
  case normalize(wh_normalize)
  case lrn(wh_lrn)
  case lstm(wh_recurrent)
  case gru(wh_recurrent)
  case rnn(wh_recurrent)
  case gather(wh_gather)
  case gatherElements(wh_elements)
  case scatterElements(wh_elements)
  case gatherND(wh_nd)
  case scatterND(wh_nd)
  case topK(wh_top_k)
  case scan(wh_scan)
  case quantize(wh_quantize)
  case dequantize(wh_quantize)
  case interpolate(wh_interpolate)
  case qConv(wh_qconv)
  case qDepthwise(wh_qconv)
  case qBinary(wh_qbinary)
  case qLookup
  case qPool(wh_qpool)
  case qSoftmax(wh_qsoftmax)
  case qMatMul(wh_qmatmul)
  case qResize(wh_qresize)
  case dynamicQuantize
  case qLSTM(wh_qrecurrent)
  case qGRU(wh_qrecurrent)
  case matMulWeights8(wh_matmul_weights8)

  /// The kernel's name in `operators.def`.
  public var kernel: String { described.name }

  /// The memory of the parameters.
  public var parameters: [UInt8] { described.bytes }

  private var described: (name: String, bytes: [UInt8]) {
    func of<T: BitwiseCopyable>(_ name: String, _ value: T) -> (String, [UInt8]) {
      (name, withUnsafeBytes(of: value) { Array($0) })
    }
    return switch self {
    case .move(let value): of("Move", value)
    case .fill(let value): of("Fill", value)
    case .conv(let value): of("Conv", value)
    case .depthwise(let value): of("DepthwiseConv", value)
    case .matmul(let value): of("MatMul", value)
    case .binary(let value): of("Binary", value)
    case .unary(let value): of("Unary", value)
    case .cast: ("Cast", [])
    case .select(let value): of("Select", value)
    case .reduce(let value): of("Reduce", value)
    case .argReduce(let value): of("ArgReduce", value)
    case .softmax(let value): of("Softmax", value)
    case .pool(let value): of("Pool", value)
    case .normalize(let value): of("Normalize", value)
    case .lrn(let value): of("LRN", value)
    case .lstm(let value): of("LSTM", value)
    case .gru(let value): of("GRU", value)
    case .rnn(let value): of("RNN", value)
    case .gather(let value): of("Gather", value)
    case .gatherElements(let value): of("GatherElements", value)
    case .scatterElements(let value): of("ScatterElements", value)
    case .gatherND(let value): of("GatherND", value)
    case .scatterND(let value): of("ScatterND", value)
    case .topK(let value): of("TopK", value)
    case .scan(let value): of("Scan", value)
    case .quantize(let value): of("Quantize", value)
    case .dequantize(let value): of("Dequantize", value)
    case .interpolate(let value): of("Interpolate", value)
    case .qConv(let value): of("QConv", value)
    case .qDepthwise(let value): of("QDepthwiseConv", value)
    case .qBinary(let value): of("QBinary", value)
    case .qLookup: ("QLookup", [])
    case .qPool(let value): of("QPool", value)
    case .qSoftmax(let value): of("QSoftmax", value)
    case .qMatMul(let value): of("QMatMul", value)
    case .qResize(let value): of("QResize", value)
    case .dynamicQuantize: ("DynamicQuantize", [])
    case .qLSTM(let value): of("QLSTM", value)
    case .qGRU(let value): of("QGRU", value)
    case .matMulWeights8(let value): of("MatMulWeights8", value)
    }
  }
}
