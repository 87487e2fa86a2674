import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Functions of every element alone.
extension NodeExpression {
  static let activations: [NodeExpression] =
    named + [
      NodeExpression(Relu.self) { (_, site) throws(EncodeError) in
        var result = site.activation("relu", try site.numbers())
        result.isNonNegative = true
        return result
      },
      NodeExpression(LeakyRelu.self) { (operation, site) throws(EncodeError) in
        // The layer for this names its slope otherwise in Keras 2 than in Keras 3.
        site.map(
          try site.numbers(), "ReLU",
          [
            ("max_value", .null), ("negative_slope", .number(Double(operation.alpha))),
            ("threshold", 0.0),
          ])
      },
      NodeExpression(ThresholdedRelu.self) { (operation, site) throws(EncodeError) in
        guard operation.alpha >= 0 else { throw site.refusal("a threshold below 0") }
        var result = site.map(
          try site.numbers(), "ReLU",
          [
            ("max_value", .null), ("negative_slope", 0.0),
            ("threshold", .number(Double(operation.alpha))),
          ])
        result.isNonNegative = true
        return result
      },
      NodeExpression(Elu.self) { (operation, site) throws(EncodeError) in
        site.map(try site.numbers(), "ELU", [("alpha", .number(Double(operation.alpha)))])
      },
      NodeExpression(Celu.self) { (operation, site) throws(EncodeError) in
        let alpha = Double(operation.alpha)
        let x = try site.numbers()
        if alpha == 1 { return site.activation("elu", x) }
        guard alpha > 0 else { throw site.refusal("Celu with alpha \(alpha)") }
        return site.rescaled(site.activation("elu", site.rescaled(x, 1 / alpha, 0)), alpha, 0)
      },
      NodeExpression(Selu.self) { (operation, site) throws(EncodeError) in
        let usual = Selu()
        guard operation.alpha == usual.alpha, operation.gamma == usual.gamma else {
          let elu = site.map(
            try site.numbers(), "ELU", [("alpha", .number(Double(operation.alpha)))])
          return site.rescaled(elu, Double(operation.gamma), 0)
        }
        return site.activation("selu", try site.numbers())
      },
      NodeExpression(HardSigmoid.self) { (operation, site) throws(EncodeError) in
        // Keras 2 and Keras 3 each have another function of this name.
        let line = site.rescaled(
          try site.numbers(), Double(operation.alpha), Double(operation.beta))
        return site.rectified(line, highest: 1)
      },
      NodeExpression(HardSwish.self) { (_, site) throws(EncodeError) in
        let x = try site.numbers()
        let gate = site.rectified(site.rescaled(x, 1 / 6, 0.5), highest: 1)
        return try site.merged([x, gate], "Multiply")
      },
      NodeExpression(Swish.self) { (operation, site) throws(EncodeError) in
        let x = try site.numbers()
        let alpha = Double(operation.alpha)
        let inner = alpha == 1 ? x : site.rescaled(x, alpha, 0)
        return try site.merged([x, site.activation("sigmoid", inner)], "Multiply")
      },
      NodeExpression(Gelu.self) { (operation, site) throws(EncodeError) in
        let x = try site.numbers()
        guard operation.approximation == .tanh else { return site.activation("gelu", x) }
        let slope = (2 / Double.pi).squareRoot()
        let square = try site.merged([x, x], "Multiply")
        let inner = try site.merged(
          [x, site.rescaled(square, slope * 0.044715, slope)], "Multiply")
        let gate = site.rescaled(site.activation("tanh", inner), 0.5, 0.5)
        return try site.merged([x, gate], "Multiply")
      },
      NodeExpression(Neg.self) { (_, site) throws(EncodeError) in
        site.rescaled(try site.numbers(), -1, 0)
      },
      NodeExpression(Abs.self) { (_, site) throws(EncodeError) in
        try site.absolute(try site.numbers())
      },
      NodeExpression(Shrink.self) { (operation, site) throws(EncodeError) in
        let (threshold, bias) = (Double(operation.threshold), Double(operation.bias))
        guard threshold >= 0, bias == 0 || bias == threshold else {
          throw site.refusal("Shrink by another amount than its threshold")
        }
        let x = try site.numbers()
        func side(_ x: Strand) -> Strand {
          if bias != 0 { return site.rectified(site.rescaled(x, 1, -bias)) }
          return site.map(
            x, "ReLU",
            [("max_value", .null), ("negative_slope", 0.0), ("threshold", .number(threshold))])
        }
        return try site.merged([side(x), side(site.rescaled(x, -1, 0))], "Subtract")
      },
      NodeExpression(LogSoftmax.self) { (operation, site) throws(EncodeError) in
        let x = try site.numbers()
        return try site.logSoftmax(x, axis: try site.axis(operation.axis, x.rank))
      },
      NodeExpression(Clip.self) { (_, site) throws(EncodeError) in try site.clipped() },
      NodeExpression(PRelu.self) { (_, site) throws(EncodeError) in try site.parametric() },
      NodeExpression(Softmax.self) { (operation, site) throws(EncodeError) in
        let x = try site.numbers()
        let axis = try site.position(try site.axis(operation.axis, x.rank), of: x)
        // The last axis may be said so, which leaves its number open.
        let said = axis == x.extents.count - 1 ? -1 : axis
        var result = site.map(x, "Softmax", [("axis", .integer(Int64(said)))])
        result.isNonNegative = true
        return result
      },
    ]

  /// Those that both generations of Keras call by one name and mean alike.
  private static let named: [NodeExpression] = [
    activation(Sigmoid.self, "sigmoid", isNonNegative: true), activation(Tanh.self, "tanh"),
    activation(Softplus.self, "softplus", isNonNegative: true),
    activation(Softsign.self, "softsign"), activation(Mish.self, "mish"),
    activation(Exp.self, "exponential", isNonNegative: true),
  ]

  private static func activation<O: Operator>(
    _ type: O.Type, _ name: String, isNonNegative: Bool = false
  ) -> NodeExpression {
    NodeExpression(type) { (_, site) throws(EncodeError) in
      var result = site.activation(name, try site.numbers())
      result.isNonNegative = isNonNegative
      return result
    }
  }
}

extension NodeSite {
  func absolute(_ x: Strand) throws(EncodeError) -> Strand {
    if x.isNonNegative { return x }
    var result = try merged([rectified(x), rectified(rescaled(x, -1, 0))], "Add")
    result.isNonNegative = true
    return result
  }

  func logSoftmax(_ x: Strand, axis: Int) throws(EncodeError) -> Strand {
    _ = try position(axis, of: x)
    return activation("log_softmax", try composer.arranged(x, last: axis, at: place))
  }

  fileprivate func clipped() throws(EncodeError) -> Strand {
    let x = try numbers()
    func bound(_ index: Int) throws(EncodeError) -> Double? {
      guard has(index), let number = try known(index).doubles.first else { return nil }
      return number.isFinite && abs(number) < 3e38 ? number : nil
    }
    switch (try bound(1), try bound(2)) {
    case (nil, nil): return x
    case (let low?, nil):
      return low == 0 ? rectified(x) : rescaled(rectified(rescaled(x, 1, -low)), 1, low)
    case (nil, let high?): return rescaled(rectified(rescaled(x, -1, high)), -1, high)
    case (let low?, let high?):
      guard low < high else { throw refusal("Clip to \(low)...\(high)") }
      if low == 0 { return rectified(x, highest: high) }
      return rescaled(rectified(rescaled(x, 1, -low), highest: high - low), 1, low)
    }
  }

  /// A slope for each element, or one that elements along an axis share.
  fileprivate func parametric() throws(EncodeError) -> Strand {
    let x = try numbers()
    let slope = try known(1)
    let (weight, shared) = try spread(slope, over: x)
    return map(
      x, "PReLU", [("shared_axes", .array(shared.map { .integer(Int64($0)) }))],
      [LayerSheet.Weight("alpha", weight)])
  }

  /// A constant that is broadcast over a tensor, with the tensor's axes but the batch in Keras's order.
  ///
  /// - Returns: the constant, and the positions where it has one element for many.
  func spread(_ constant: Tensor, over x: Strand) throws(EncodeError) -> (Tensor, [Int]) {
    guard constant.rank <= x.rank, constant.element == x.element,
      let level = constant.reshaped(
        Array(repeating: 1, count: x.rank - constant.rank) + constant.shape)
    else { throw refusal("a constant of shape \(constant.shape)") }
    let absent = x.axes.indices.filter { x.axes[$0] == nil }
    guard absent.allSatisfy({ level.shape[$0] == 1 }),
      x.batchAxis.map({ level.shape[$0] == 1 }) == true
    else { throw refusal("a constant of shape \(constant.shape), which differs along the batch") }
    guard let moved = level.permuted(x.order + absent),
      let weight = moved.reshaped(Array(moved.shape[1..<x.extents.count]))
    else { throw refusal("a constant of shape \(constant.shape)") }
    for (position, extent) in weight.shape.enumerated() where extent != 1 {
      guard x.extents[position + 1] == extent else {
        throw refusal("a constant of shape \(constant.shape) over an unknown extent")
      }
    }
    let shared = weight.shape.indices.filter { weight.shape[$0] == 1 }.map { $0 + 1 }
    return (weight, shared)
  }
}
