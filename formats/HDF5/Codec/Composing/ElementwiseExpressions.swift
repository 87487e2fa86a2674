import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Sums, products and the like of tensors and constants.
extension NodeExpression {
  static let elementwise: [NodeExpression] = [
    NodeExpression(Identity.self) { (_, site) throws(EncodeError) in try site.strand() },
    NodeExpression(several: Dropout.self) { (_, site) throws(EncodeError) in
      guard !site.isUsed(output: 1) else { throw site.refusal("the mask of Dropout") }
      guard !site.has(2) || site.constant(2)?.doubles == [0] else {
        throw site.refusal("Dropout in training")
      }
      return [try site.strand()]
    },
    NodeExpression(Cast.self) { (operation, site) throws(EncodeError) in
      try site.cast(to: operation.target)
    },
    NodeExpression(CastLike.self) { (_, site) throws(EncodeError) in
      guard let target = site.element(1) else { throw site.refusal("CastLike of an unknown type") }
      return try site.cast(to: target)
    },
    NodeExpression(Add.self) { (_, site) throws(EncodeError) in
      try site.binary("Add") { (constant, x, _) throws(EncodeError) in try site.shifted(x, constant)
      }
    },
    NodeExpression(Sub.self) { (_, site) throws(EncodeError) in
      try site.binary("Subtract") { (constant, x, isFirst) throws(EncodeError) in
        if isFirst { return try site.shifted(site.rescaled(x, -1, 0), constant) }
        let negative = Tensor(
          constant.element, constant.shape, doubles: constant.doubles.map { -$0 })
        return try site.shifted(x, try site.exact(negative))
      }
    },
    NodeExpression(Mul.self) { (_, site) throws(EncodeError) in
      try site.binary("Multiply") { (constant, x, _) throws(EncodeError) in
        try site.scaled(x, constant)
      }
    },
    NodeExpression(Div.self) { (_, site) throws(EncodeError) in
      if site.constant(1) == nil { return try site.applied("Divide", try site.pair()) }
      return try site.binary(nil) { (constant, x, _) throws(EncodeError) in
        guard
          let inverse = Tensor(
            constant.element, constant.shape, doubles: constant.doubles.map { 1 / $0 }),
          inverse.doubles.allSatisfy(\.isFinite)
        else { return try site.applied("Divide", try site.pair()) }
        return try site.scaled(x, inverse)
      }
    },
    NodeExpression(Where.self) { (_, site) throws(EncodeError) in
      guard let condition = site.constant(0) else {
        let flags = try site.strand(0)
        var result = try site.applied(
          "Where", [flags] + (try site.pair(at: 1, rank: flags.rank)))
        result.element = site.element(1) ?? .float32
        return result
      }
      return try site.chosen(where: condition)
    },
    NodeExpression(Pow.self) { (_, site) throws(EncodeError) in
      let x = try site.numbers()
      let exponent = site.constant(1)?.doubles ?? []
      if exponent == [0.5] { return try site.applied("Sqrt", [x]) }
      guard exponent.count == 1, let power = exponent.first, [1, 2, 3].contains(power)
      else { return try site.applied("Power", try site.pair()) }
      if power == 1 { return x }
      let square = try site.merged([x, x], "Multiply")
      return power == 2 ? square : try site.merged([square, x], "Multiply")
    },
    several(Sum.self, "Add"), several(Mean.self, "Average"),
    several(Max.self, "Maximum") { (x, limit, site) in
      limit == 0
        ? site.rectified(x) : site.rescaled(site.rectified(site.rescaled(x, 1, -limit)), 1, limit)
    },
    several(Min.self, "Minimum") { (x, limit, site) in
      site.rescaled(site.rectified(site.rescaled(x, -1, limit)), -1, limit)
    },
  ]

  private static func several<O: Operator>(
    _ type: O.Type, _ className: String,
    limit: (@Sendable (Strand, Double, NodeSite) -> Strand)? = nil
  ) -> NodeExpression {
    NodeExpression(type) { (_, site) throws(EncodeError) in
      if let limit, site.node.inputs.count == 2 {
        for index in 0..<2 {
          guard let constant = site.constant(index), constant.count == 1,
            let number = constant.doubles.first
          else { continue }
          return limit(try site.numbers(1 - index), number, site)
        }
      }
      var strands: [Strand] = []
      let ranks = try site.node.inputs.indices.map { (index) throws(EncodeError) in
        site.constant(index) == nil ? try site.numbers(index).rank : 0
      }
      for index in site.node.inputs.indices {
        strands.append(try site.numbersOrConstant(index, rank: ranks.max() ?? 0))
      }
      return strands.count == 1 ? strands[0] : try site.merged(strands, className)
    }
  }
}

extension NodeSite {
  fileprivate func cast(to target: ElementType) throws(EncodeError) -> Strand {
    let x = try strand()
    if target == x.element { return x }
    guard target.isComputed, x.element != .string else {
      guard [.bool, .int32, .int64].contains(target), x.element != .string,
        composer.allowsOperations
      else { throw refusal("Cast from \(x.element) to \(target)") }
      let result = try applied("Cast", [x], element: target)
      composer.sheet.change(result.origin.layer) { layer in
        layer.settings.append(("dtype", .string(target.name)))
      }
      return result
    }
    return composer.map(
      x, "Rescaling", [("scale", 1.0), ("offset", 0.0)], element: target, named: hint)
  }

  typealias WithConstant = (Tensor, Strand, Bool) throws(EncodeError) -> Strand

  /// An operator of two inputs, of which one may be a constant.
  ///
  /// - Parameters:
  ///   - className: the layer of two tensors; nil when there is none.
  ///   - withConstant: the constant, the tensor, and whether the constant comes first.
  fileprivate func binary(
    _ className: String?, _ withConstant: WithConstant
  ) throws(EncodeError) -> Strand {
    for index in 0..<2 {
      guard let constant = constant(1 - index) else { continue }
      let x = try numbers(index)
      guard constant.count == 1 || fits(constant, x), constant.rank <= x.rank else {
        guard let className else { throw refusal("a constant of shape \(constant.shape)") }
        let other = try numbersOrConstant(1 - index, rank: x.rank)
        return try merged(index == 0 ? [x, other] : [other, x], className)
      }
      return try withConstant(constant, x, index == 1)
    }
    guard let className else { throw refusal("\(node.operation.name) of two tensors") }
    let (a, b) = (try numbers(0), try numbers(1))
    var result = try merged([a, b], className)
    result.isNonNegative = className != "Subtract" && a.isNonNegative && b.isNonNegative
    return result
  }

  /// `x + constant`, the constant in the order of the tensor's axes, the batch in front.
  func shifted(_ x: Strand, ofTensor constant: Tensor) throws(EncodeError) -> Strand {
    let weight = try exact(constant.reshaped(Array(constant.shape.dropFirst())))
    let axes = weight.shape.indices.filter { weight.shape[$0] != 1 }.map { $0 + 1 }
    guard axes.count > 1 else { return try affine(x, axes, scale: nil, shift: weight) }
    return try einsum(x, axes: axes, scale: nil, shift: weight)
  }

  /// `scale · x + shift` with numbers for each index of one axis of the graph's value.
  func affine(
    _ x: Strand, axis: Int, scale: [Double], shift: [Double]
  ) throws(EncodeError) -> Strand {
    try affine(
      x, [try position(axis, of: x)],
      scale: try exact(Tensor(x.element, [scale.count], doubles: scale)),
      shift: try exact(Tensor(x.element, [shift.count], doubles: shift)))
  }

  /// `x + constant`.
  func shifted(_ x: Strand, _ constant: Tensor) throws(EncodeError) -> Strand {
    if constant.count == 1, constant.rank <= x.rank, let number = constant.doubles.first {
      return number == 0 ? x : rescaled(x, 1, number)
    }
    let (weight, shared) = try spread(constant, over: x)
    if node.operation is Add || node.operation is Sub, let biased = try intoBias(x, weight, shared)
    {
      return biased
    }
    let axes = weight.shape.indices.map { $0 + 1 }.filter { !shared.contains($0) }
    guard axes.count > 1 else { return try affine(x, axes, scale: nil, shift: weight) }
    return try einsum(x, axes: axes, scale: nil, shift: weight)
  }

  /// `x · constant`.
  func scaled(_ x: Strand, _ constant: Tensor) throws(EncodeError) -> Strand {
    if constant.count == 1, constant.rank <= x.rank, let number = constant.doubles.first {
      return number == 1 ? x : rescaled(x, number, 0)
    }
    let (weight, shared) = try spread(constant, over: x)
    let axes = weight.shape.indices.map { $0 + 1 }.filter { !shared.contains($0) }
    guard axes.count > 1 else { return try affine(x, axes, scale: weight, shift: nil) }
    return try einsum(x, axes: axes, scale: weight, shift: nil)
  }

  /// The layer before takes the constant as its bias where it has none yet and nobody else sees it.
  private func intoBias(
    _ x: Strand, _ weight: Tensor, _ shared: [Int]
  ) throws(EncodeError) -> Strand? {
    let layer = composer.sheet.layers[x.origin.layer]
    let last = x.extents.count - 1
    guard ["Dense", "Conv1D", "Conv2D", "Conv3D"].contains(layer.className),
      layer.settings.contains(where: { $0.0 == "use_bias" && $0.1 == false }),
      isMadeFor(constant(1) == nil ? 1 : 0, x),
      shared == Array(1..<last), x.extents[last] == weight.count,
      let bias = weight.reshaped([weight.count])
    else { return nil }
    composer.sheet.change(x.origin.layer) { layer in
      layer.settings = layer.settings.map { $0.0 == "use_bias" ? ($0.0, true) : $0 }
      layer.weights.append(.init("bias", bias))
      layer.hint = hint
    }
    return x
  }

  /// `scale · x + shift` for each index of one axis: a batch normalization whose divisor is 1.
  private func affine(
    _ x: Strand, _ axes: [Int], scale: Tensor?, shift: Tensor?
  ) throws(EncodeError) -> Strand {
    let count = (scale ?? shift)?.count ?? 0
    // Variance and epsilon are exact and add up to 1.
    let epsilon = 1.0 / 1024
    guard let axis = axes.first,
      let gamma = scale?.reshaped([count]) ?? .filled(x.element, [count], 1),
      let beta = shift?.reshaped([count]) ?? .filled(x.element, [count], 0),
      let mean = Tensor.filled(x.element, [count], 0),
      let variance = Tensor.filled(x.element, [count], 1 - epsilon)
    else { throw refusal("a constant of \(count) elements") }
    return map(
      x, "BatchNormalization",
      [
        ("axis", .integer(Int64(axis))), ("momentum", 0.99), ("epsilon", .number(epsilon)),
        ("center", true), ("scale", true),
      ],
      [
        .init("gamma", gamma), .init("beta", beta), .init("moving_mean", mean),
        .init("moving_variance", variance),
      ])
  }

  /// The same for each index of several axes.
  private func einsum(
    _ x: Strand, axes: [Int], scale: Tensor?, shift: Tensor?
  ) throws(EncodeError) -> Strand {
    let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
    guard x.extents.count <= letters.count, let first = axes.first else { throw refusal("rank") }
    let all = letters.prefix(x.extents.count).joined()
    let own = axes.map { letters[$0] }.joined()
    let extents = axes.compactMap { x.extents[$0] }
    guard
      let kernel = scale?.reshaped(extents)
        ?? .filled(x.element, Array(extents.prefix(1)), 1)
    else { throw refusal("a constant over unknown extents") }
    let factor = scale == nil ? letters[first] : own
    let shape = x.extents.dropFirst().map { $0.map { JSONValue.integer(Int64($0)) } ?? .null }
    var settings: [(String, JSONValue)] = [
      ("equation", .string("\(all),\(factor)->\(all)")), ("output_shape", .array(shape)),
      ("activation", "linear"), ("bias_axes", .null),
    ]
    var weights = [LayerSheet.Weight("kernel", kernel)]
    if let bias = shift?.reshaped(extents) {
      settings[3] = ("bias_axes", .string(own))
      weights.append(.init("bias", bias))
    }
    return map(x, "EinsumDense", settings, weights)
  }
}
