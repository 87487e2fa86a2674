import CWherryABI
import WherryBytes
import WherryGraph

/// A plan while it grows: tensors stand in numbered buffers whose places are not yet settled.
final class PlanBuilder {
  enum Home: Hashable {
    /// Memory that several tensors may describe; one buffer is one run of the arena.
    case buffer(Int)
    case weight(Int)
  }

  struct Draft {
    var element: ElementType
    var dims: [Int]
    var home: Home
    var name: String?
    var labels: [String] = []
    var isQ8 = false
    var quantization: TensorQuantization?

    var byteCount: Int { element.byteCount(of: Checked.product(dims) ?? 0) ?? 0 }
  }

  /// The largest number of elements one tensor may have, so that extents and strides fit the plan.
  static let largestCount = Int(Int32.max)

  private(set) var tensors: [Draft] = []
  private(set) var bufferCount = 0
  private(set) var weights: [Weight] = []
  var operations: [PlanOperation] = []
  var macs = 0
  /// Places that each pass over the plan changed.
  var changes: [PlanPass: Int] = [:]
  private let skipped: Set<String>

  /// Weights already listed, by a hash of what they are made from.
  private var known: [Int: [Int]] = [:]

  /// - Parameter skipped: names of passes over the plan to leave out.
  init(without skipped: Set<String> = []) { self.skipped = skipped }

  /// Whether a pass is to run.
  func runs(_ pass: PlanPass) -> Bool { !skipped.contains(pass.rawValue) }

  func count(_ pass: PlanPass) { changes[pass, default: 0] += 1 }

  // MARK: Tensors

  /// A tensor in memory of its own; `dims` in memory order.
  func tensor(_ element: ElementType, _ dims: [Int]) throws(CompileProblem) -> Int {
    try Self.check(element, dims)
    bufferCount += 1
    return add(Draft(element: element, dims: dims, home: .buffer(bufferCount - 1)))
  }

  /// A quantized activation in memory of its own, stored as the processor prefers.
  func q8(_ dims: [Int], _ quantization: TensorQuantization) throws(CompileProblem) -> Int {
    let tensor = try tensor(.int8, dims)
    tensors[tensor].isQ8 = true
    tensors[tensor].quantization = quantization
    return tensor
  }

  /// Another description of a tensor's memory.
  func alias(_ tensor: Int, _ dims: [Int], element: ElementType? = nil) -> Int {
    let base = tensors[tensor]
    let element = element ?? base.element
    if base.dims == dims, base.element == element { return tensor }
    var draft = Draft(element: element, dims: dims, home: base.home)
    if element == base.element {
      (draft.isQ8, draft.quantization) = (base.isQ8, base.quantization)
    }
    return add(draft)
  }

  /// A constant's tensor; `dims` in packed order.
  func weight(
    _ weight: Weight, _ element: ElementType, _ dims: [Int]
  ) throws(CompileProblem) -> Int {
    try Self.check(element, dims)
    let key = weight.hashValueOfForm
    let index: Int
    if let found = known[key]?.first(where: { weights[$0] == weight }) {
      index = found
    } else {
      index = weights.count
      weights.append(weight)
      known[key, default: []].append(index)
    }
    return add(Draft(element: element, dims: dims, home: .weight(index)))
  }

  /// The same tensor under a record of its own.
  func renamed(_ tensor: Int) -> Int { add(tensors[tensor]) }

  func setQuantization(_ tensor: Int, _ quantization: TensorQuantization?) {
    tensors[tensor].quantization = quantization
  }

  func setName(_ tensor: Int, _ name: String, labels: [String] = []) {
    tensors[tensor].name = name
    tensors[tensor].labels = labels
  }

  private func add(_ draft: Draft) -> Int {
    tensors.append(draft)
    return tensors.count - 1
  }

  private static func check(_ element: ElementType, _ dims: [Int]) throws(CompileProblem) {
    guard element.isExecutable else { throw CompileProblem(.unsupportedElement(element)) }
    guard dims.count <= Int(WH_MAX_RANK) else {
      throw CompileProblem(.unsupported("a tensor of rank \(dims.count)"))
    }
    guard let count = Checked.product(dims), count <= largestCount,
      dims.allSatisfy({ $0 <= largestCount })
    else { throw CompileProblem(.tooLarge("a tensor \(dims)")) }
  }

  // MARK: Operations

  func emit(_ operation: PlanOperation) { operations.append(operation) }

  func isConstant(_ tensor: Int) -> Bool {
    if case .weight = tensors[tensor].home { true } else { false }
  }

  func buffer(_ tensor: Int) -> Int? {
    if case .buffer(let buffer) = tensors[tensor].home { buffer } else { nil }
  }
}

extension Weight {
  /// A hash that is equal for equal weights and looks at a few bytes only.
  fileprivate var hashValueOfForm: Int {
    var hasher = Hasher()
    hasher.combine(source.count)
    hasher.combine(width)
    hasher.combine(packing)
    for position in stride(from: 0, to: source.count, by: max(source.count / 64, 1)) {
      hasher.combine(source.byte(position))
    }
    return hasher.finalize()
  }
}

extension ElementType {
  /// Whether a plan's tensor can have this type.
  var isExecutable: Bool {
    switch self {
    case .float32, .uint8, .int8, .uint16, .int16, .int32, .int64, .bool, .float16, .float64,
      .uint32, .uint64:
      true
    default: false
    }
  }

  /// Bytes of one element of an executable type.
  var width: Int { bitWidth / 8 }
}
