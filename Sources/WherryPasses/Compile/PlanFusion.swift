import CWherryABI
import WherryGraph

/// Merges an operation into the one that makes its input: biases, residual sums and clamps.
struct PlanFusion {
  let builder: PlanBuilder
  private let kept: Set<Int>
  private(set) var operations: [PlanOperation?]
  /// By buffer: operations that write and read it.
  private var writers: [Int: [Int]] = [:]
  private var readers: [Int: [Int]] = [:]

  static func run(_ builder: PlanBuilder, outputs: [Int]) {
    var fusion = PlanFusion(builder, outputs)
    for index in builder.operations.indices { fusion.fuse(at: index) }
    builder.operations = fusion.operations.compactMap { $0 }
  }

  private init(_ builder: PlanBuilder, _ outputs: [Int]) {
    self.builder = builder
    kept = Set(outputs.compactMap { builder.buffer($0) })
    operations = builder.operations
    for (index, operation) in builder.operations.enumerated() {
      for case let tensor? in operation.inputs {
        if let buffer = builder.buffer(tensor) { readers[buffer, default: []].append(index) }
      }
      for case let tensor? in operation.outputs {
        if let buffer = builder.buffer(tensor) { writers[buffer, default: []].append(index) }
      }
    }
  }

  /// The one operation that makes `tensor`, when nothing but `reader` uses the result.
  func maker(of tensor: Int, for reader: Int) -> Int? {
    guard let buffer = builder.buffer(tensor), !kept.contains(buffer),
      let writers = writers[buffer], writers.count == 1, let maker = writers.first, maker < reader,
      readers[buffer] == [reader], operations[maker] != nil
    else { return nil }
    return maker
  }

  private mutating func fuse(at index: Int) {
    guard let operation = operations[index] else { return }
    switch operation.step {
    case .unary(let unary)
    where unary.kind == Int32(WH_CLIP) && unary.element == 1 && builder.runs(.fuseActivation):
      fuseClamp(index, operation, low: unary.alpha, high: unary.beta)
    case .binary(let binary)
    where binary.kind == Int32(WH_ADD) && binary.element == 1
      && binary.low == -.infinity && binary.high == .infinity:
      if !fuseBias(index, operation, binary) { fuseResidual(index, operation, binary) }
    case .qPool(let pool): if let bounds = pool.clamp { fuseClamp8(index, operation, bounds) }
    case .qBinary(let binary) where binary.kind == Int32(WH_ADD):
      fuseResidual8(index, operation, binary)
    default: break
    }
  }

  // MARK: Clamp

  private mutating func fuseClamp(_ index: Int, _ operation: PlanOperation, low: Float, high: Float)
  {
    guard let input = operation.inputs.first ?? nil, let maker = maker(of: input, for: index),
      var target = operations[maker], let fused = target.step.clamped(low, high)
    else { return }
    target.step = fused
    builder.count(.fuseActivation)
    replace(maker, by: target, at: maker, taking: operation, removing: index)
  }

  // MARK: Bias

  /// y = product + a vector along the last axis, where the product has no bias, residual or clamp yet.
  private mutating func fuseBias(
    _ index: Int, _ operation: PlanOperation, _ binary: wh_binary
  ) -> Bool {
    guard builder.runs(.fuseBias) else { return false }
    let view = BinaryView(binary)
    for side in 0..<2 {
      guard let whole = operation.inputs[side], let vector = operation.inputs[1 - side],
        builder.isConstant(vector), view.isDense(side),
        let maker = maker(of: whole, for: index), var target = operations[maker],
        let width = target.step.biasWidth, target.step.isUnclamped, target.hasNo(2),
        target.hasNo(3), view.isVector(1 - side, width: width),
        builder.tensors[vector].byteCount == width * 4
      else { continue }
      target.set(2, vector)
      builder.count(.fuseBias)
      replace(maker, by: target, at: maker, taking: operation, removing: index)
      return true
    }
    return false
  }

  // MARK: Residual

  /// y = product + another tensor of its size: the product moves to where both are ready.
  private mutating func fuseResidual(
    _ index: Int, _ operation: PlanOperation, _ binary: wh_binary
  ) {
    let view = BinaryView(binary)
    guard builder.runs(.fuseResidual), view.isDense(0), view.isDense(1) else { return }
    // The later of two candidates is nearer to the sum, so it moves least.
    let candidates = (0..<2).compactMap { side -> (side: Int, maker: Int)? in
      guard let whole = operation.inputs[side], let other = operation.inputs[1 - side],
        whole != other, builder.tensors[other].byteCount == builder.tensors[whole].byteCount,
        let maker = maker(of: whole, for: index), let target = operations[maker],
        target.step.takesResidual, target.step.isUnclamped, target.hasNo(3)
      else { return nil }
      return (side, maker)
    }
    guard let best = candidates.max(by: { $0.maker < $1.maker }),
      var target = operations[best.maker]
    else { return }
    target.set(3, operation.inputs[1 - best.side])
    builder.count(.fuseResidual)
    replace(best.maker, by: target, at: index, taking: operation, removing: index)
  }

  // MARK: Bookkeeping

  /// `target`, writing what `consumed` wrote, stands at `place`; `maker` and `removed` go.
  mutating func replace(
    _ maker: Int, by target: PlanOperation, at place: Int, taking consumed: PlanOperation,
    removing removed: Int
  ) {
    var target = target
    forget(maker)
    forget(removed)
    target.outputs = consumed.outputs
    operations[maker] = nil
    operations[removed] = nil
    operations[place] = target
    for case let tensor? in target.inputs {
      if let buffer = builder.buffer(tensor) { readers[buffer, default: []].append(place) }
    }
    for case let tensor? in target.outputs {
      if let buffer = builder.buffer(tensor) { writers[buffer, default: []].append(place) }
    }
  }

  private mutating func forget(_ index: Int) {
    guard let operation = operations[index] else { return }
    for case let tensor? in operation.inputs {
      if let buffer = builder.buffer(tensor) { readers[buffer]?.removeAll { $0 == index } }
    }
    for case let tensor? in operation.outputs {
      if let buffer = builder.buffer(tensor) { writers[buffer]?.removeAll { $0 == index } }
    }
  }
}

/// A binary operation's loop, for asking what its operands are.
struct BinaryView {
  var extents: [Int] = []
  var strides: [[Int]] = [[], []]

  init(_ binary: wh_binary) {
    self.init(Int(binary.rank), binary.shape, binary.a_strides, binary.b_strides)
  }

  init(_ binary: wh_qbinary) {
    self.init(Int(binary.rank), binary.shape, binary.a_strides, binary.b_strides)
  }

  private init(
    _ rank: Int, _ shape: CArray.Eight<Int32>, _ a: CArray.Eight<Int64>, _ b: CArray.Eight<Int64>
  ) {
    extents = withUnsafeBytes(of: shape) { shape in
      shape.bindMemory(to: Int32.self).prefix(rank).map { Int($0) }
    }
    strides = [a, b].map { steps in
      withUnsafeBytes(of: steps) { $0.bindMemory(to: Int64.self).prefix(rank).map { Int($0) } }
    }
  }

  func isDense(_ side: Int) -> Bool { strides[side] == StridedLoop.dense(extents) }

  /// Whether the operand repeats along all but the last axis.
  func isVector(_ side: Int, width: Int) -> Bool {
    if extents.isEmpty { return width == 1 }
    guard extents.last == width, strides[side].last == 1 || width == 1 else { return false }
    return strides[side].dropLast().allSatisfy { $0 == 0 }
  }
}

extension PlanOperation {
  func hasNo(_ input: Int) -> Bool { input >= inputs.count || inputs[input] == nil }

  mutating func set(_ input: Int, _ tensor: Int?) {
    while inputs.count <= input { inputs.append(nil) }
    inputs[input] = tensor
  }
}

extension PlanStep {
  /// The same step with a clamp after it; nil when it has no place for one.
  fileprivate func clamped(_ low: Float, _ high: Float) -> PlanStep? {
    // min(max(min(max(y, a), b), c), d) is one clamp unless the ranges are disjoint or empty.
    func merge(_ a: inout Float, _ b: inout Float) -> Bool {
      guard !low.isNaN, !high.isNaN, low <= high, max(a, low) <= min(b, high) else { return false }
      (a, b) = (max(a, low), min(b, high))
      return true
    }
    switch self {
    case .conv(var value): return merge(&value.low, &value.high) ? .conv(value) : nil
    case .depthwise(var value): return merge(&value.low, &value.high) ? .depthwise(value) : nil
    case .matmul(var value): return merge(&value.low, &value.high) ? .matmul(value) : nil
    case .matMulWeights8(var value):
      return merge(&value.low, &value.high) ? .matMulWeights8(value) : nil
    case .binary(var value):
      guard value.element == 1, value.kind < Int32(WH_EQUAL) else { return nil }
      return merge(&value.low, &value.high) ? .binary(value) : nil
    default: return nil
    }
  }

  fileprivate var isUnclamped: Bool {
    switch self {
    case .conv(let value), .depthwise(let value):
      value.low == -.infinity && value.high == .infinity
    case .matmul(let value): value.low == -.infinity && value.high == .infinity
    case .matMulWeights8(let value): value.low == -.infinity && value.high == .infinity
    default: false
    }
  }

  /// Whether the step adds another tensor of its result's size.
  fileprivate var takesResidual: Bool {
    switch self {
    case .conv, .depthwise, .matmul: true
    default: false
    }
  }

  /// Elements of the step's bias operand; nil when it takes none.
  fileprivate var biasWidth: Int? {
    switch self {
    case .conv(let value), .depthwise(let value): Int(value.groups) * Int(value.filters)
    case .matmul(let value): Int(value.n)
    case .matMulWeights8(let value): Int(value.n)
    default: nil
    }
  }
}
