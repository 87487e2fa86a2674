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
