import WherryBytes

/// What evaluating a model may spend; past it evaluation stops with `RunError.limit`.
public struct EvaluationLimits: Sendable, Hashable {
  /// Elements of one tensor.
  public var elements = 1 << 31
  /// Bytes of one tensor, and of all that one loop collects in one output.
  public var bytes = 1 << 32
  /// Nodes evaluated and subgraphs entered, over the whole run.
  public var steps = 10_000_000
  /// Graphs and functions inside each other.
  public var depth = 64

  public init() {}
  public static let standard = EvaluationLimits()

  /// The number of elements of a tensor that may be made.
  ///
  /// - Throws: `RunError.limit` past `elements` or `bytes`; `RunError.badValue` for negative extents.
  public func check(_ element: ElementType, _ extents: [Int]) throws(RunError) -> Int {
    guard extents.allSatisfy({ $0 >= 0 }) else {
      throw RunError(.badValue("\(extents) has a negative extent"))
    }
    guard let count = Checked.product(extents), count <= elements else {
      throw RunError(.limit("\(elements) elements of a tensor"))
    }
    let width = element == .string ? 8 * MemoryLayout<Bytes>.stride : element.bitWidth
    guard let bits = Checked.multiply(count, width), bits / 8 <= bytes else {
      throw RunError(.limit("\(bytes) bytes of a tensor"))
    }
    return count
  }
}
