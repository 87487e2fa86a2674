import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Normalizations.
extension NodeExpression {
  static let normalizations: [NodeExpression] = [
    NodeExpression(several: BatchNormalization.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      guard !operation.trainingMode, x.rank >= 2 else {
        throw site.refusal("BatchNormalization in training")
      }
      let axis = try site.position(1, of: x)
      var weights: [LayerSheet.Weight] = []
      for (index, key) in ["gamma", "beta", "moving_mean", "moving_variance"].enumerated() {
        let weight = try site.known(index + 1)
        guard weight.element == x.element, weight.rank == 1 else {
          throw site.refusal("BatchNormalization of mixed types")
        }
        weights.append(.init(key, weight))
      }
      return [
        site.map(
          x, "BatchNormalization",
          [
            ("axis", .integer(Int64(axis == x.extents.count - 1 ? -1 : axis))),
            ("momentum", .number(Double(operation.momentum))),
            ("epsilon", .number(Double(operation.epsilon))), ("center", true), ("scale", true),
          ], weights)
      ]
    },
    NodeExpression(InstanceNormalization.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      guard let channels = x.extent(1) else { throw site.refusal("channels of unknown number") }
      return try site.grouped(x, channels, operation.epsilon)
    },
    NodeExpression(GroupNormalization.self) { (operation, site) throws(EncodeError) in
      try site.grouped(try site.numbers(), operation.numGroups, operation.epsilon)
    },
    NodeExpression(several: LayerNormalization.self) { (operation, site) throws(EncodeError) in
      guard !site.isUsed(output: 1), !site.isUsed(output: 2) else {
        throw site.refusal("the statistics of LayerNormalization")
      }
      let x = try site.numbers()
      let first = try site.axis(operation.axis, x.rank)
      let normalized = Array(first..<x.rank)
      let rest = x.order.filter { !normalized.contains($0) }
      let absent = (0..<first).filter { x.axes[$0] == nil }
      let input = try site.composer.arranged(x, rest + absent + normalized, at: site.place)
      let extents = input.extents.suffix(normalized.count).compactMap { $0 }
      guard extents.count == normalized.count, first > 0 else {
        throw site.refusal("LayerNormalization over unknown extents")
      }
      var weights = [
        LayerSheet.Weight("gamma", try site.exact(try site.known(1).reshaped(extents)))
      ]
      if site.has(2) {
        weights.append(.init("beta", try site.exact(try site.known(2).reshaped(extents))))
      }
      let axes = (x.rank - normalized.count..<x.rank).map { JSONValue.integer(Int64($0)) }
      return [
        site.map(
          input, "LayerNormalization",
          [
            ("axis", .array(axes)), ("epsilon", .number(Double(operation.epsilon))),
            ("center", .bool(site.has(2))), ("scale", true),
          ], weights)
      ]
    },
    NodeExpression(RMSNormalization.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      let weight = try site.known(1)
      guard try site.axis(operation.axis, x.rank) == x.rank - 1, let width = x.extent(x.rank - 1),
        weight.count == width || weight.count == 1, weight.element == x.element, width <= 1 << 24
      else { throw site.refusal("RMSNormalization over several axes") }
      let gamma = weight.doubles
      // Beside its negative, a line has the mean 0.
      let input = try site.composer.arranged(x, last: x.rank - 1, at: site.place)
      let both = try site.joined([input, site.rescaled(input, -1, 0)], axis: x.rank - 1)
      let scale = (0..<2 * width).map { gamma[gamma.count == 1 ? 0 : $0 % width] }
      let normalized = site.map(
        both, "LayerNormalization",
        [
          ("axis", [.integer(Int64(x.rank - 1))]),
          ("epsilon", .number(Double(operation.epsilon))), ("center", false), ("scale", true),
        ], [.init("gamma", try site.exact(Tensor(x.element, [2 * width], doubles: scale)))])
      return try site.cropped(normalized, axis: x.rank - 1, before: 0, after: width)
    },
    NodeExpression(MeanVarianceNormalization.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      var positions: [Int] = []
      for axis in operation.axes {
        positions.append(try site.position(try site.axis(axis, x.rank), of: x))
      }
      return site.map(
        x, "LayerNormalization",
        [
          ("axis", .array(positions.sorted().map { .integer(Int64($0)) })), ("epsilon", 1e-18),
          ("center", false), ("scale", false),
        ])
    },
    NodeExpression(Scaler.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      guard x.rank == 2, x.element == .float32, let width = x.extent(1), width <= 1 << 24 else {
        throw site.refusal("Scaler of \(x.element) elements")
      }
      func each(_ values: [Float]?, _ usual: Double) throws(EncodeError) -> [Double] {
        let values = (values ?? []).map { Double($0) }
        if values.count == width { return values }
        guard values.count <= 1 else { throw site.refusal("Scaler of \(values.count) numbers") }
        return Array(repeating: values.first ?? usual, count: width)
      }
      let (offset, scale) = (try each(operation.offset, 0), try each(operation.scale, 1))
      // The offset first, as a large one would take the digits of the product.
      let shifted = try site.affine(
        x, axis: 1, scale: Array(repeating: 1, count: width), shift: offset.map { -$0 })
      return try site.affine(
        shifted, axis: 1, scale: scale, shift: Array(repeating: 0, count: width))
    },
    NodeExpression(Normalizer.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      guard operation.norm == .l2, x.rank == 2, x.element == .float32 else {
        throw site.refusal("Normalizer to another length than the square one")
      }
      return site.map(x, "UnitNormalization", [("axis", 1)])
    },
    NodeExpression(LpNormalization.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      guard operation.p == 2 else { throw site.refusal("LpNormalization of degree 1") }
      let axis = try site.position(try site.axis(operation.axis, x.rank), of: x)
      return site.map(x, "UnitNormalization", [("axis", .integer(Int64(axis)))])
    },
  ]
}

extension NodeSite {
  fileprivate func grouped(
    _ x: Strand, _ groups: Int, _ epsilon: Float
  ) throws(EncodeError) -> Strand {
    guard x.rank >= 2 else { throw refusal("\(node.operation.name) of rank \(x.rank)") }
    let input = try composer.arranged(x, [0] + Array(2..<x.rank) + [1], at: place)
    return map(
      input, "GroupNormalization",
      [
        ("groups", .integer(Int64(groups))), ("axis", -1), ("epsilon", .number(Double(epsilon))),
        ("center", true), ("scale", true),
      ], [.init("gamma", try known(1)), .init("beta", try known(2))])
  }
}
