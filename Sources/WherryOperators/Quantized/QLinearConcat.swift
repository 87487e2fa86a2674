import WherryGraph

/// 8-bit tensors one after another along `axis`, each requantized to the result's scale.
///
/// Inputs: the result's scale and zero point, then tensor, scale and zero point of each part. A part of
/// the result's scale and zero point is copied, another one is `Q(DQ(q))`.
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearConcat-1.
public struct QLinearConcat: Operator {
  /// In `-rank ..< rank`.
  public var axis = 0

  public init() {}

  public static let signature = Signature(
    "QLinearConcat", domain: OperatorName.contribDomain,
    [
      .scale("Y_scale"), .init("Y_zero_point", .bytes),
      .init("inputs", ElementSet.bytes.union(.float32), .variadic),
    ],
    [.init("Y", .bytes)])

  public static let fields: [Field<QLinearConcat>] = [Field("axis", \.axis, required: true)]

  private func partCount(_ inputs: Int) -> Int? {
    inputs >= 5 && (inputs - 2) % 3 == 0 ? (inputs - 2) / 3 : nil
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let parts = partCount(site.inputs.count) else {
      throw TypeError(.inputCount(site.inputs.count, allowed: 5...Int(Int32.max)))
    }
    let shapes = (0..<parts).map { site.shape(2 + 3 * $0) }
    site.set(0, site.element(1), try Concat.join(shapes, axis: axis))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard let parts = partCount(call.inputs.count) else {
      throw RunError(.badInput("\(call.inputs.count) inputs"))
    }
    let target = try call.target(scale: 0, zeroPoint: 1, element: .uint8)
    var tensors: [Value?] = []
    for index in 0..<parts {
      let at = 2 + 3 * index
      let x = try call.quantized(at, scale: at + 1, zeroPoint: at + 2)
      let zeroPoint = try call.zeroPoint(at + 2, of: x.element)
      let same =
        x.element == target.element && x.scale == target.scale && zeroPoint == target.zeroPoint
      tensors += same ? [call.value(at)] : target.tensor(x.shape, x.requantized(to: target))
    }
    var concat = Concat()
    concat.axis = axis
    let inner = OperatorCall(
      inputs: tensors, wanted: [true], limits: call.limits,
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    return try concat.evaluate(inner)
  }
}

/// `X` where `condition` holds, else `Y`, both requantized to the result's scale as in
/// `QLinearConcat`.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearWhere-1.
public struct QLinearWhere: Operator {
  public init() {}

  public static let signature = Signature(
    "QLinearWhere", domain: OperatorName.contribDomain,
    [
      .init("condition", ElementSet(.bool)), .init("X", .bytes), .scale("x_scale"),
      .init("x_zero_point", .bytes), .init("Y", .bytes), .scale("y_scale"),
      .init("y_zero_point", .bytes), .scale("z_scale"), .init("z_zero_point", .bytes),
    ],
    [.init("Z", .bytes)])

  public static let fields: [Field<QLinearWhere>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let condition = site.shape(0), let x = site.shape(1), let y = site.shape(4) else {
      return site.set(0, site.element(8), nil)
    }
    guard let both = Shape.broadcast(x, y), let shape = Shape.broadcast(condition, both) else {
      throw TypeError(.shape("\(condition), \(x) and \(y) can't be broadcast together"))
    }
    site.set(0, site.element(8), shape)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let condition = try call.tensor(0)
    let x = try call.quantized(1, scale: 2, zeroPoint: 3)
    let y = try call.quantized(4, scale: 5, zeroPoint: 6)
    let target = try call.target(scale: 7, zeroPoint: 8, element: x.element)
    let walk = try Broadcast([condition.shape, x.shape, y.shape])
    let (a, b) = (x.requantized(to: target), y.requantized(to: target))
    let choices = walk.map(a, x.shape, b, y.shape) { ($0, $1) }
    let z = walk.map(condition.booleans, condition.shape, choices, walk.shape) { $0 ? $1.0 : $1.1 }
    return target.tensor(walk.shape, z)
  }
}
