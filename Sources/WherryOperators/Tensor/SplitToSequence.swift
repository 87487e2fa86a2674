import WherryBytes
import WherryGraph

/// The input in parts along `axis`, as a sequence.
///
/// `split`: a scalar for parts of that extent, the last one perhaps smaller; a vector of the parts'
/// extents; nothing for parts of extent 1, whose axis goes without `keepdims`.
/// - Source: ONNX operator specification, SplitToSequence-24.
public struct SplitToSequence: Operator {
  /// In `-rank ..< rank`.
  public var axis = 0
  public var keepdims = true

  public init() {}

  public static let signature = Signature(
    "SplitToSequence", [.init("input", .indexable), .init("split", .indices, .optional)],
    [.init("output_sequence", .indexable)])

  public static let fields: [Field<SplitToSequence>] = [
    Field("axis", \.axis), Field("keepdims", \.keepdims),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let element = site.element(0) else { return }
    guard var shape = site.shape(0) else {
      site.outputs[0] = .sequence(.tensor(element, nil))
      return
    }
    let axis = try InferenceSite.axis(axis, rank: shape.rank)
    if !site.has(1), !keepdims {
      shape.dimensions.remove(at: axis)
    } else {
      var part: Dimension = site.has(1) ? .unknown : 1
      if let extent = shape[axis].extent { part = try parts(site, extent).common }
      shape[axis] = part
    }
    site.outputs[0] = .sequence(.tensor(element, Shape(shape.dimensions)))
  }

  /// The extents of the parts.
  private enum Parts {
    /// `whole` parts of `each`, and a smaller one unless `rest` is 0.
    case equal(each: Int, whole: Int, rest: Int)
    case listed([Int])
    case unknown

    /// The extent of all parts.
    var common: Dimension {
      switch self {
      case .equal(let each, let whole, let rest):
        rest == 0 ? .fixed(each) : whole == 0 ? .fixed(rest) : .unknown
      case .listed(let parts): Set(parts).count == 1 ? .fixed(parts[0]) : .unknown
      case .unknown: .unknown
      }
    }

    /// - Throws: `RunError.limit` for more parts than a run has steps.
    func list(_ limits: EvaluationLimits) throws(RunError) -> [Int] {
      switch self {
      case .equal(let each, let whole, let rest):
        guard whole < limits.steps else { throw RunError(.limit("\(limits.steps) parts")) }
        return Array(repeating: each, count: whole) + (rest == 0 ? [] : [rest])
      case .listed(let parts): return parts
      case .unknown: throw RunError(.badInput("the parts are open"))
      }
    }
  }

  private func parts(_ site: InferenceSite, _ extent: Int) throws(TypeError) -> Parts {
    guard site.has(1) else { return .equal(each: 1, whole: extent, rest: 0) }
    guard let split = site.content(1) else { return .unknown }
    let listed = split.integers.map { Int($0) }
    if split.rank == 0 {
      guard let part = listed.first, part > 0 else { throw TypeError(.shape("parts of no extent")) }
      return .equal(each: part, whole: extent / part, rest: extent % part)
    }
    var sum = 0
    for part in listed {
      guard part >= 0, let next = Checked.add(sum, part) else {
        throw TypeError(.shape("\(part) is no extent of a part"))
      }
      sum = next
    }
    guard split.rank == 1, sum == extent else {
      throw TypeError(.shape("parts of \(listed) don't make \(extent)"))
    }
    return .listed(listed)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let site = try inferred(call)
    guard case .sequence(let type)? = site.outputs[0] else { throw RunError(.badInput("input")) }
    let axis = axis < 0 ? axis + data.rank : axis
    let parts = try RunError.from { () throws(TypeError) in try self.parts(site, data.shape[axis]) }
    var (values, start) = ([Value](), 0)
    for part in try parts.list(call.limits) {
      let tensor =
        !call.has(1) && !keepdims
        ? try data.slice(axis: axis, at: start)
        : try data.section(axis: axis, start: start, count: part)
      values.append(.tensor(tensor))
      start += part
    }
    return [.sequence(values, type)]
  }
}

/// The tensors of a sequence one after another along `axis`, or side by side on a new axis.
///
/// - Source: ONNX operator specification, ConcatFromSequence-11.
public struct ConcatFromSequence: Operator {
  /// In `-rank ..< rank`; of the result's rank for a new axis.
  public var axis = 0
  public var newAxis = false

  public init() {}

  public static let signature = Signature(
    "ConcatFromSequence", [.init("input_sequence", .sequenced)],
    [.init("concat_result", .sequenced)])

  public static let fields: [Field<ConcatFromSequence>] = [
    Field("axis", \.axis, required: true), Field("new_axis", \.newAxis),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let type = try site.sequenceElement(0), let element = type.element else { return }
    guard let shape = type.shape else {
      site.set(0, element, nil)
      return
    }
    let axis = try InferenceSite.axis(axis, rank: shape.rank + (newAxis ? 1 : 0))
    var result = shape.dimensions
    if newAxis { result.insert(.unknown, at: axis) } else { result[axis] = .unknown }
    site.set(0, element, Shape(result))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let tensors = try call.sequence(0).values.compactMap(\.tensor)
    guard let first = tensors.first else {
      throw RunError(.badInput("an empty sequence can't be joined"))
    }
    let result = try RunError.from { () throws(TypeError) in
      let axis = try InferenceSite.axis(axis, rank: first.rank + (newAxis ? 1 : 0))
      let joined = try Concat.join(
        tensors.map { Shape(fixed: $0.shape) }, axis: newAxis ? -first.rank : axis)
      return (axis: axis, shape: joined?.extents ?? [])
    }
    if newAxis {
      let stacked = try Tensor.stack(
        tensors, empty: (first.element, first.shape), limits: call.limits)
      return [.tensor(try stacked.movingFirstAxis(to: result.axis))]
    }
    _ = try call.limits.check(first.element, result.shape)
    return [.tensor(try Concat.join(tensors, axis: result.axis, extents: result.shape))]
  }
}
