import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Means, largest elements and sums over axes.
extension NodeExpression {
  static let reductions: [NodeExpression] = [
    reduction(ReduceMean.self) { (x, axes, site) throws(EncodeError) in
      try site.pooled(x, axes, "GlobalAveragePooling")
    },
    reduction(ReduceMax.self) { (x, axes, site) throws(EncodeError) in
      try site.pooled(x, axes, "GlobalMaxPooling")
    },
    reduction(ReduceMin.self) { (x, axes, site) throws(EncodeError) in
      let largest = try site.pooled(site.rescaled(x, -1, 0), axes, "GlobalMaxPooling")
      return site.rescaled(largest, -1, 0)
    },
    reduction(ReduceSum.self) { (x, axes, site) throws(EncodeError) in
      try site.summed(x, axes)
    },
    reduction(ReduceL1.self) { (x, axes, site) throws(EncodeError) in
      try site.summed(try site.absolute(x), axes)
    },
    reduction(ReduceLogSumExp.self) { (x, axes, site) throws(EncodeError) in
      var result = x
      for axis in axes {
        // What an element has more than its logarithmic share.
        guard let extent = result.extent(axis) else { throw site.refusal("an unknown extent") }
        let shares = try site.logSoftmax(result, axis: axis)
        let first = try site.cropped(result, axis: axis, before: 0, after: extent - 1)
        let share = try site.cropped(shares, axis: axis, before: 0, after: extent - 1)
        result = try site.merged([first, share], "Subtract")
      }
      return result
    },
    reduction(ReduceProd.self) { (x, axes, site) throws(EncodeError) in
      var result = x
      for axis in axes {
        guard let extent = result.extent(axis), extent <= 32 else {
          throw site.refusal("ReduceProd of many elements")
        }
        var parts: [Strand] = []
        for index in 0..<extent {
          parts.append(
            try site.cropped(result, axis: axis, before: index, after: extent - index - 1))
        }
        if parts.count > 1 { result = try site.merged(parts, "Multiply") }
      }
      return result
    },
    reduction(ReduceSumSquare.self) { (x, axes, site) throws(EncodeError) in
      try site.summed(try site.merged([x, x], "Multiply"), axes)
    },
  ]

  /// - Parameter reduce: gives the tensor with the axes kept at extent 1.
  private static func reduction<R: Reduction>(
    _ type: R.Type,
    _ reduce: @escaping @Sendable (Strand, [Int], NodeSite) throws(EncodeError) -> Strand
  ) -> NodeExpression {
    NodeExpression(type) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      var given = try site.integers(1) ?? []
      if given.isEmpty {
        if operation.skipsEmptyAxes { return x }
        given = Array(0..<x.rank)
      }
      var axes: [Int] = []
      for axis in given { axes.append(try site.axis(axis, x.rank)) }
      guard axes.allSatisfy({ x.extent($0) != 0 }) else {
        throw site.refusal("\(site.node.operation.name) of nothing")
      }
      let result = try reduce(x, axes.filter { x.axes[$0] != nil }, site)
      return operation.keepsAxes ? result : try site.squeezed(result, axes)
    }
  }
}

extension NodeSite {
  /// Axes reduced by a layer that pools all of them.
  fileprivate func pooled(
    _ x: Strand, _ axes: [Int], _ className: String
  ) throws(EncodeError) -> Strand {
    if axes.isEmpty { return x }
    for axis in axes { _ = try position(axis, of: x) }
    let kept = x.order.dropFirst().filter { !axes.contains($0) }
    guard let batch = x.batchAxis else { throw refusal("no batch") }
    let absent = x.axes.indices.filter { x.axes[$0] == nil }
    // What remains stands behind.
    let wanted = [batch] + axes + kept
    var level = x
    if !absent.isEmpty { level = try squeezedAway(x, absent) }
    let renumbered = Dictionary(
      uniqueKeysWithValues: x.axes.indices.filter { !absent.contains($0) }.enumerated().map {
        ($0.element, $0.offset)
      })
    var input = try composer.arranged(
      level, wanted.compactMap { renumbered[$0] }, at: place)
    let keptExtents = kept.map { x.extent($0) }
    var spatial = axes.count
    if kept.count != 1 || !(1...3).contains(spatial) {
      let whole = axes.map { x.extent($0) }
      guard !whole.contains(nil), !keptExtents.contains(nil),
        let count = Checked.product(whole.compactMap { $0 }),
        let rest = Checked.product(keptExtents.compactMap { $0 })
      else { throw refusal("\(node.operation.name) over unknown extents") }
      input = try composer.reshaped(input, [x.extents[0], count, rest], at: place)
      spatial = 1
    }
    var result = composer.layer(
      "\(className)\(spatial)D", [("data_format", "channels_last"), ("keepdims", false)], [input],
      extents: [x.extents[0], input.extents.last ?? nil], named: hint)
    if kept.count != 1 {
      result = try composer.reshaped(result, [x.extents[0]] + keptExtents, at: place)
    }
    result.axes = x.axes.indices.map { axis in
      axis == batch ? 0 : kept.firstIndex(of: axis).map { $0 + 1 }
    }
    result.isNonNegative = x.isNonNegative
    return result
  }

  /// The tensor as a value without the axes that it doesn't have anyway.
  private func squeezedAway(_ x: Strand, _ absent: [Int]) throws(EncodeError) -> Strand {
    var result = x
    result.axes = x.axes.indices.filter { !absent.contains($0) }.map { x.axes[$0] }
    return result
  }

  /// Axes summed one by one, as products with ones.
  fileprivate func summed(_ x: Strand, _ axes: [Int]) throws(EncodeError) -> Strand {
    var result = x
    for axis in axes {
      _ = try position(axis, of: result)
      guard let extent = result.extent(axis),
        let ones = Tensor.filled(x.element, [extent, 1], 1)
      else { throw refusal("a sum over an unknown extent") }
      result = try contracted(result, axis: axis, with: ones)
    }
    return result
  }
}
