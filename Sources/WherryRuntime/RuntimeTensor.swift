import CWherryABI

/// An input or output of a model, as the runtime sees it.
public struct RuntimeTensor: Equatable, Sendable {
  /// The graph's name; "" if the file holds none.
  public var name: String
  /// ONNX's element type code: 1 is float32.
  public var element: Int32
  /// Extents, row-major; at most 8, each at least 0.
  public var dims: [Int]
  /// Product of the extents times the element's size.
  public var bytes: Int
  /// Real value = scale * (value - zero point) for quantized tensors; else 0.
  public var scale: Float
  public var zeroPoint: Int32
  /// Class labels of an output; empty if it has none.
  public var labels: [String]

  init(_ tensor: wherry_tensor, labels: [String]) {
    name = String(cString: tensor.name)
    element = tensor.element
    dims = withUnsafeBytes(of: tensor.dims) { bytes in
      bytes.bindMemory(to: Int32.self).prefix(Int(tensor.rank)).map(Int.init)
    }
    bytes = Int(tensor.bytes)
    scale = tensor.scale
    zeroPoint = tensor.zero_point
    self.labels = labels
  }
}

/// The figures of a model that are known before it is opened; see `wherry_info`.
public struct RuntimeInfo: Equatable, Sendable {
  /// Memory of one session: bookkeeping and arena.
  public var sessionBytes: UInt64
  /// Tensors of one session.
  public var arenaBytes: UInt64
  /// The part of the arena kept between runs.
  public var stateBytes: UInt64
  /// Multiply-accumulates of one run.
  public var macs: UInt64
  public var weightBytes: UInt64
  public var inputCount: Int
  public var outputCount: Int
  public var operationCount: Int
  /// Self-test cases in the file.
  public var testCount: Int

  init(_ info: wherry_info) {
    sessionBytes = info.session_bytes
    arenaBytes = info.arena_bytes
    stateBytes = info.state_bytes
    macs = info.macs
    weightBytes = info.weight_bytes
    inputCount = Int(info.input_count)
    outputCount = Int(info.output_count)
    operationCount = Int(info.operation_count)
    testCount = Int(info.test_count)
  }
}

/// What one operation cost, summed over all runs.
public struct RuntimeProfile: Equatable, Sendable {
  /// The source node's name, or "".
  public var name: String
  /// The runtime operator's, such as "Conv".
  public var kernel: String
  public var runs: Int
  public var nanoseconds: UInt64
}
