/// What an operator sees when it infers types: one node, its inputs' types and known contents.
public struct InferenceSite: Sendable {
  /// Types by position; nil when the input is left out or nothing is known.
  public let inputs: [ValueType?]
  /// Whether the input is given at all.
  public let isPresent: [Bool]
  /// Contents of inputs that are constant; nil when not.
  public let contents: [Tensor?]
  /// Elements of integer scalars and vectors whose contents are extents, as far as they are known.
  public let partials: [[Dimension]?]
  public let outputCount: Int
  /// To be filled; nil where nothing can be said.
  public var outputs: [ValueType?]
  /// Contents of outputs that are known without computing, such as a `Shape`.
  public var outputContents: [Tensor?]
  /// The elements of outputs that are integer scalars or vectors made of extents, such as a `Shape` of
  /// which some are only named. `.fixed` may be negative here.
  public var outputPartials: [[Dimension]?]
  private let inferGraph: @Sendable (Graph, [ValueType?]) throws(TypeError) -> [ValueType?]

  public init(
    inputs: [ValueType?], isPresent: [Bool], contents: [Tensor?], partials: [[Dimension]?] = [],
    outputCount: Int,
    inferGraph: @escaping @Sendable (Graph, [ValueType?]) throws(TypeError) -> [ValueType?]
  ) {
    (self.inputs, self.isPresent, self.contents) = (inputs, isPresent, contents)
    (self.partials, self.outputCount) = (partials, outputCount)
    outputs = Array(repeating: nil, count: outputCount)
    outputContents = Array(repeating: nil, count: outputCount)
    outputPartials = Array(repeating: nil, count: outputCount)
    self.inferGraph = inferGraph
  }

  /// Whether input `index` is given.
  public func has(_ index: Int) -> Bool { index < isPresent.count && isPresent[index] }

  public func type(_ index: Int) -> ValueType? { index < inputs.count ? inputs[index] : nil }
  public func element(_ index: Int) -> ElementType? { type(index)?.element }
  public func shape(_ index: Int) -> Shape? { type(index)?.shape }
  public func rank(_ index: Int) -> Int? { shape(index)?.rank }
  public func content(_ index: Int) -> Tensor? { index < contents.count ? contents[index] : nil }

  /// Constant integers of an input, such as axes or a target shape.
  public func integers(_ index: Int) -> [Int]? { content(index)?.integers.map { Int($0) } }

  /// Vectors of extents are followed up to this many elements.
  public static let partialLength = 256

  /// The elements of an input such as a target shape, which may name extents; nil when nothing is known.
  /// `.fixed` may be negative here.
  public func dimensions(_ index: Int) -> [Dimension]? {
    if let content = content(index), content.rank <= 1, content.element.isInteger,
      content.count <= Self.partialLength
    {
      return content.integers.map { .fixed(Int($0)) }
    }
    return index < partials.count ? partials[index] : nil
  }

  /// Says that output `index` is a tensor; shape nil when the rank is unknown. Ignored when the element
  /// type is unknown or the output is not asked for.
  public mutating func set(_ index: Int, _ element: ElementType?, _ shape: Shape?) {
    guard index < outputCount, let element else { return }
    outputs[index] = .tensor(element, shape)
  }

  /// Types of a subgraph's outputs, given those of its inputs.
  public func infer(_ graph: Graph, _ inputs: [ValueType?]) throws(TypeError) -> [ValueType?] {
    try inferGraph(graph, inputs)
  }

  /// The rank of input `index` when known, checked against what is allowed.
  public func requireRank(_ index: Int, _ allowed: PartialRangeFrom<Int>) throws(TypeError) {
    if let rank = rank(index), !allowed.contains(rank) {
      throw TypeError(.rank(input: index, rank, expected: "at least \(allowed.lowerBound)"))
    }
  }

  /// A non-negative axis.
  ///
  /// - Throws: `TypeError.attribute` when outside `-rank ..< rank`.
  public static func axis(
    _ axis: Int, rank: Int, attribute: String = "axis"
  ) throws(TypeError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw TypeError(.attribute(attribute, "\(axis) is outside a rank of \(rank)"))
    }
    return axis < 0 ? axis + rank : axis
  }
}

extension Dimension {
  /// The extent that two equal axes have; nil when they contradict each other.
  public static func merge(_ a: Dimension, _ b: Dimension) -> Dimension? {
    switch (a, b) {
    case (.fixed(let x), .fixed(let y)): x == y ? a : nil
    case (.fixed, _): a
    case (_, .fixed): b
    case (.symbolic, _): a
    default: b
    }
  }
}

extension Shape {
  /// The shape of two broadcast operands, as numpy does; nil when they don't fit.
  ///
  /// - Source: ONNX, "Broadcasting in ONNX", multidirectional.
  public static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
    let rank = max(a.rank, b.rank)
    var result: [Dimension] = []
    for axis in 0..<rank {
      let x = axis < rank - a.rank ? 1 : a[axis - (rank - a.rank)]
      let y = axis < rank - b.rank ? 1 : b[axis - (rank - b.rank)]
      switch (x, y) {
      case (.fixed(1), _): result.append(y)
      case (_, .fixed(1)): result.append(x)
      case (.fixed(let m), .fixed(let n)):
        guard m == n else { return nil }
        result.append(x)
      case (.fixed, _): result.append(x)
      case (_, .fixed): result.append(y)
      default: result.append(x == y ? x : .unknown)
      }
    }
    return Shape(result)
  }
}
