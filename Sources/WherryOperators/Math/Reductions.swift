import WherryGraph

/// Folds a tensor along the axes of input 1, or all axes when none are given.
///
/// `data: [...]`, `axes: [k] int64`; the result keeps reduced axes as extents of 1 when
/// `keepsAxes`.
public protocol Reduction: Operator {
  var keepsAxes: Bool { get set }
  /// Whether an empty or missing list of axes means none instead of all.
  var skipsEmptyAxes: Bool { get set }

  /// The value of a group without elements, before `finish`.
  static var start: Double { get }
  static func combine(_ total: Double, _ x: Double) -> Double
  static func finish(_ total: Double, count: Int) -> Double
  static func start<T: FixedWidthInteger>(in bounds: ClosedRange<T>) -> T
  static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T
  static func finish<T: FixedWidthInteger>(_ total: T, count: T) -> T
}

extension Reduction {
  public static func finish(_ total: Double, count: Int) -> Double { total }
  public static func finish<T: FixedWidthInteger>(_ total: T, count: T) -> T { total }
  public static func start<T: FixedWidthInteger>(in bounds: ClosedRange<T>) -> T { 0 }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { total }

  static func reductionFields(
    _ keeps: any WritableKeyPath<Self, Bool> & Sendable,
    _ skips: any WritableKeyPath<Self, Bool> & Sendable
  ) -> [Field<Self>] {
    [Field("keepdims", keeps), Field("noop_with_empty_axes", skips)]
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let input = site.shape(0) else { return site.set(0, site.element(0), nil) }
    let axes = try ReductionPlan.axes(site, rank: input.rank, skipsEmpty: skipsEmptyAxes)
    let count = site.shape(1).flatMap { $0.rank == 1 ? $0[0].extent : nil }
    site.set(
      0, site.element(0),
      ReductionPlan.shape(
        input, axes: axes, count: count == 0 ? nil : count, keepsAxes: keepsAxes))
  }

  /// The plan for a call's tensor and axes.
  func plan(_ call: OperatorCall, _ data: Tensor) throws(RunError) -> ReductionPlan {
    let given = try call.optionalTensor(1)?.integers.map { Int($0) } ?? []
    let axes: Set<Int>
    do {
      axes = try ReductionPlan.resolve(given, rank: data.rank, skipsEmpty: skipsEmptyAxes)
    } catch { throw RunError(error) }
    return try ReductionPlan(data.shape, axes: axes, keepsAxes: keepsAxes)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let plan = try plan(call, data)
    if data.element.isFloat {
      let totals = plan.fold(data.doubles, from: Self.start) { Self.combine($0, $1) }
      let y = totals.map { Self.finish($0, count: plan.groupSize) }
      return single(Tensor(data.element, plan.shape, doubles: y))
    }
    switch IntegerView(data) {
    case .unsigned(let values):
      let start = Self.start(in: UInt64.min...UInt64.max)
      let totals = plan.fold(values, from: start) { Self.combine($0, $1) }
      let y = totals.map { Self.finish($0, count: UInt64(plan.groupSize)) }
      return single(Tensor(data.element, plan.shape, wrapping: y))
    case .signed(let values):
      let start = Self.start(in: data.element.integerRange)
      let totals = plan.fold(values, from: start) { Self.combine($0, $1) }
      let y = totals.map { Self.finish($0, count: Int64(plan.groupSize)) }
      return single(Tensor(data.element, plan.shape, integers: y))
    }
  }
}

extension Signature {
  static func reduction(_ name: String, _ elements: ElementSet) -> Signature {
    Signature(
      name, [.init("data", elements), .init("axes", .int64, .optional)],
      [.init("reduced", elements)])
  }
}
