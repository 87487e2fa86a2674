import WherryGraph

/// What the sliding pools share: `X: [N, C, D1 … Dn]` reduced window by window.
struct Pooling: Sendable {
  let planes: Int
  let window: PlacedWindow
  let shape: [Int]

  init(_ x: Tensor, _ window: () throws(TypeError) -> Window) throws(RunError) {
    let window = try RunError.typed { () throws(TypeError) in
      let window = try window()
      try Self.check(x.rank, window)
      return window
    }
    self.window = try RunError.typed { () throws(TypeError) in
      try window.placed(on: Array(x.shape.dropFirst(2)))
    }
    planes = x.shape[0] * x.shape[1]
    shape = Array(x.shape.prefix(2)) + self.window.output
    _ = try RunError.count(shape)
  }

  static func check(_ rank: Int, _ window: Window) throws(TypeError) {
    guard rank >= 3, window.kernel.count == rank - 2 else {
      throw TypeError(.rank(input: 0, rank, expected: "\(window.kernel.count + 2)"))
    }
  }

  /// Calls `body` for every window position and channel with the flat output index, the offset of the
  /// channel's input and the offsets within it of the taps inside.
  func visit(_ body: (_ output: Int, _ base: Int, _ offsets: [Int], _ position: [Int]) -> Void) {
    var offsets: [Int] = []
    let (inputs, outputs) = (window.inputCount, window.outputCount)
    for index in 0..<outputs {
      let position = unflattened(index, window.output)
      window.offsets(at: position, into: &offsets)
      for plane in 0..<planes { body(plane * outputs + index, plane * inputs, offsets, position) }
    }
  }
}

extension InferenceSite {
  /// The types of a pool's outputs.
  mutating func inferPool(_ window: Window, _ elements: [ElementType?]) throws(TypeError) {
    var output: Shape?
    if let input = shape(0) {
      try Pooling.check(input.rank, window)
      output = Shape(
        Array(input.dimensions.prefix(2)) + (try window.outputs(input.dimensions.dropFirst(2))))
    } else {
      output = Shape(Array(repeating: .unknown, count: window.kernel.count + 2))
    }
    for (index, element) in elements.enumerated() { set(index, element, output) }
  }
}

/// The largest element of each window, and where it is.
///
/// `X: [N, C, D1 … Dn]`; `Indices` are flat indices into `X`. Of equal elements the first counts.
/// - Source: ONNX operator specification, MaxPool-22.
public struct MaxPool: Operator {
  public var autoPad = AutoPad.notSet
  public var ceilMode = false
  public var dilations: [Int]?
  public var kernelShape: [Int] = []
  public var pads: [Int]?
  /// 0: `Indices` count row by row; 1: within a channel, column by column.
  public var storageOrder = 0
  public var strides: [Int]?

  public init() {}

  static let elements = ElementSet.floats.union(.bytes)
  public static let signature = Signature(
    "MaxPool", [.init("X", elements)],
    [.init("Y", elements), .init("Indices", .int64, .optional)])

  public static let fields: [Field<MaxPool>] = [
    Field("auto_pad", \.autoPad), Field("ceil_mode", \.ceilMode), Field("dilations", \.dilations),
    Field("kernel_shape", \.kernelShape, required: true), Field("pads", \.pads),
    Field("storage_order", \.storageOrder), Field("strides", \.strides),
  ]

  func window() throws(TypeError) -> Window {
    try Window(
      kernel: kernelShape, strides: strides, dilations: dilations, pads: pads, autoPad: autoPad,
      ceil: ceilMode)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferPool(try window(), [site.element(0), .int64])
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let pooling = try Pooling(x, window)
    let input = x.doubles
    var y = [Double](repeating: -.infinity, count: pooling.shape.reduce(1, *))
    var indices = [Int64](repeating: -1, count: y.count)
    let extents = pooling.window.input
    pooling.visit { output, base, offsets, _ in
      guard var best = offsets.first else { return }
      for offset in offsets where input[base + offset] > input[base + best] { best = offset }
      y[output] = input[base + best]
      if storageOrder == 1 {
        let position = unflattened(best, extents)
        best = zip(position, extents).reversed().reduce(0) { $0 * $1.1 + $1.0 }
      }
      indices[output] = Int64(base + best)
    }
    return [
      Tensor(x.element, pooling.shape, doubles: y).map { .tensor($0) },
      call.wants(1)
        ? Tensor(.int64, pooling.shape, integers: indices).map { .tensor($0) } : nil,
    ]
  }
}

/// The mean of each window.
///
/// - Source: ONNX operator specification, AveragePool-22.
public struct AveragePool: Operator {
  public var autoPad = AutoPad.notSet
  public var ceilMode = false
  /// Whether padding counts as zeros; what `ceil_mode` adds past it never counts.
  public var countIncludePad = false
  public var dilations: [Int]?
  public var kernelShape: [Int] = []
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "AveragePool", [.init("X", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<AveragePool>] = [
    Field("auto_pad", \.autoPad), Field("ceil_mode", \.ceilMode),
    Field("count_include_pad", \.countIncludePad), Field("dilations", \.dilations),
    Field("kernel_shape", \.kernelShape, required: true), Field("pads", \.pads),
    Field("strides", \.strides),
  ]

  func window() throws(TypeError) -> Window {
    try Window(
      kernel: kernelShape, strides: strides, dilations: dilations, pads: pads, autoPad: autoPad,
      ceil: ceilMode)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferPool(try window(), [site.element(0)])
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let pooling = try Pooling(x, window)
    let input = x.doubles
    var y = [Double](repeating: 0, count: pooling.shape.reduce(1, *))
    let window = pooling.window
    pooling.visit { output, base, offsets, position in
      var sum = 0.0
      for offset in offsets { sum += input[base + offset] }
      var count = Double(offsets.count)
      if countIncludePad {
        count = 1
        for axis in 0..<window.rank {
          let padded = window.input[axis] + window.after[axis]
          count *= Double(
            window.taps(axis, at: position[axis], from: -window.before[axis], to: padded).count)
        }
      }
      y[output] = count > 0 ? sum / count : 0
    }
    return [Tensor(x.element, pooling.shape, doubles: y).map { .tensor($0) }]
  }
}

/// The p-norm of each window.
///
/// - Source: ONNX operator specification, LpPool-22.
public struct LpPool: Operator {
  public var autoPad = AutoPad.notSet
  public var ceilMode = false
  public var dilations: [Int]?
  public var kernelShape: [Int] = []
  /// At least 1.
  public var p = 2
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature("LpPool", [.init("X", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<LpPool>] = [
    Field("auto_pad", \.autoPad), Field("ceil_mode", \.ceilMode), Field("dilations", \.dilations),
    Field("kernel_shape", \.kernelShape, required: true), Field("p", \.p), Field("pads", \.pads),
    Field("strides", \.strides),
  ]

  func window() throws(TypeError) -> Window {
    try Window(
      kernel: kernelShape, strides: strides, dilations: dilations, pads: pads, autoPad: autoPad,
      ceil: ceilMode)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferPool(try window(), [site.element(0)])
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let pooling = try Pooling(x, window)
    let input = x.doubles
    var y = [Double](repeating: 0, count: pooling.shape.reduce(1, *))
    pooling.visit { output, base, offsets, _ in
      y[output] = norm(offsets.lazy.map { input[base + $0] }, p)
    }
    return [Tensor(x.element, pooling.shape, doubles: y).map { .tensor($0) }]
  }
}
