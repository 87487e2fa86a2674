import WherryBytes
import WherryGraph

/// The inputs one after another along `axis`; on all other axes their extents are equal.
///
/// - Source: ONNX operator specification, Concat-13.
public struct Concat: Operator {
  /// In `-rank ..< rank`.
  public var axis = 0

  public init() {}

  public static let signature = Signature(
    "Concat", [.init("inputs", .indexable, .variadic)], [.init("concat_result", .indexable)])

  public static let fields: [Field<Concat>] = [Field("axis", \.axis, required: true)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard !site.inputs.isEmpty else { throw TypeError(.missingInput(0)) }
    for index in site.inputs.indices { try site.requireSameElement(0, index) }
    let element = site.inputs.compactMap { $0?.element }.first
    let shapes = site.inputs.indices.map { site.shape($0) }
    site.set(0, element, try Self.join(shapes, axis: axis))
    let parts = site.inputs.indices.map { site.rank($0) == 1 ? site.dimensions($0) : nil }
    if parts.allSatisfy({ $0 != nil }) {
      let joined = parts.flatMap { $0 ?? [] }
      if joined.count <= InferenceSite.partialLength { site.outputPartials[0] = joined }
    }
  }

  /// The shape of several tensors one after another; nil when no input's rank is known.
  static func join(_ shapes: [Shape?], axis: Int) throws(TypeError) -> Shape? {
    guard let first = shapes.lazy.compactMap({ $0 }).first else { return nil }
    let axis = try InferenceSite.axis(axis, rank: first.rank)
    var result = first
    result.denotations = []
    result[axis] = 0
    for (index, shape) in shapes.enumerated() {
      guard let shape else {
        result[axis] = .unknown
        continue
      }
      guard shape.rank == first.rank else {
        throw TypeError(.rank(input: index, shape.rank, expected: "\(first.rank)"))
      }
      for other in 0..<first.rank where other != axis {
        guard let merged = Dimension.merge(result[other], shape[other]) else {
          throw TypeError(.shape("axis \(other) of \(shape) and \(first) differ"))
        }
        result[other] = merged
      }
      guard let sum = Dimension.sum(result[axis], shape[axis]) else {
        throw TypeError(.shape("the extents of axis \(axis) overflow"))
      }
      result[axis] = sum
    }
    return result
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    var tensors: [Tensor] = []
    for index in call.inputs.indices { tensors.append(try call.tensor(index)) }
    return [.tensor(try Self.join(tensors, axis: axis, extents: try extents(call)))]
  }

  /// Tensors of one element type one after another along `axis` of `extents`.
  static func join(_ tensors: [Tensor], axis: Int, extents: [Int]) throws(RunError) -> Tensor {
    let axis = axis < 0 ? axis + extents.count : axis
    guard let total = Checked.product(extents), let first = tensors.first else {
      throw RunError(.badInput("nothing to join"))
    }
    var builder = ElementBuilder(first.element, count: total)
    let row = extents[axis...].reduce(1, *)
    var start = 0
    for tensor in tensors {
      let source = ElementSource(tensor)
      let run = tensor.shape[axis...].reduce(1, *)
      if run > 0 {
        for outer in 0..<source.count / run {
          builder.copy(run, from: source, at: outer * run, to: outer * row + start)
        }
      }
      start += run
    }
    return try builder.tensor(extents)
  }
}
