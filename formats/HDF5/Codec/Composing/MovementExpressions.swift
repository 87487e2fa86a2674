import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Other shapes, orders and parts of tensors.
extension NodeExpression {
  static let movements: [NodeExpression] = [
    NodeExpression(Transpose.self) { (operation, site) throws(EncodeError) in
      var x = try site.strand()
      let order = operation.perm ?? (0..<x.rank).reversed()
      guard order.sorted() == Array(0..<x.rank) else { throw site.refusal("Transpose to \(order)") }
      x.axes = order.map { x.axes[$0] }
      return x
    },
    NodeExpression(Reshape.self) { (_, site) throws(EncodeError) in try site.reshaped() },
    NodeExpression(Flatten.self) { (_, site) throws(EncodeError) in try site.reshaped() },
    NodeExpression(Squeeze.self) { (_, site) throws(EncodeError) in
      let x = try site.strand()
      let given = try site.integers(1)
      var axes: [Int] = []
      for axis in given ?? x.axes.indices.filter({ x.extent($0) == 1 }) {
        axes.append(try site.axis(axis, x.rank))
      }
      return try site.squeezed(x, axes)
    },
    NodeExpression(Unsqueeze.self) { (_, site) throws(EncodeError) in
      var x = try site.strand()
      let given = try site.integers(1) ?? []
      var axes: [Int] = []
      for axis in given { axes.append(try site.axis(axis, x.rank + given.count)) }
      for axis in axes.sorted() where axis <= x.axes.count { x.axes.insert(nil, at: axis) }
      return x
    },
    NodeExpression(Expand.self) { (_, site) throws(EncodeError) in
      if let wanted = site.constant(1) {
        return try site.expanded(try site.strand(), wanted.integers.map { Int($0) })
      }
      guard let shape = site.outputShape() else { throw site.refusal("Expand to an unknown shape") }
      // Unknown extents are those that the tensor has.
      return try site.expanded(
        try site.numbersOrConstant(0), shape.map { $0.extent ?? 1 })
    },
    NodeExpression(Tile.self) { (_, site) throws(EncodeError) in
      var x = try site.strand()
      for (axis, count) in (try site.integers(1) ?? []).enumerated() where count != 1 {
        x = try site.repeated(x, axis: try site.axis(axis, x.rank), count)
      }
      return x
    },
    NodeExpression(Concat.self) { (operation, site) throws(EncodeError) in
      var strands: [Strand] = []
      for index in site.node.inputs.indices {
        let isConstant = site.constant(index) != nil
        strands.append(try isConstant ? site.numbersOrConstant(index) : site.strand(index))
      }
      guard let first = strands.first else { throw site.refusal("Concat of nothing") }
      return try site.joined(strands, axis: try site.axis(operation.axis, first.rank))
    },
    NodeExpression(several: Split.self) { (operation, site) throws(EncodeError) in
      let x = try site.strand()
      let axis = try site.axis(operation.axis, x.rank)
      guard let extent = x.extent(axis) else { throw site.refusal("Split of an unknown extent") }
      let count = site.node.outputs.count
      let usual = (extent + count - 1) / max(count, 1)
      let parts =
        try site.integers(1)
        ?? (0..<count).map { max(0, min(usual, extent - $0 * usual)) }
      guard parts.count == count, parts.allSatisfy({ $0 >= 0 && $0 <= extent }),
        parts.reduce(0, +) == extent
      else {
        throw site.refusal("Split into \(parts)")
      }
      var results: [Strand?] = []
      var start = 0
      for (index, part) in parts.enumerated() {
        results.append(
          site.isUsed(output: index)
            ? try site.cropped(x, axis: axis, before: start, after: extent - start - part) : nil)
        start += part
      }
      return results
    },
    NodeExpression(SliceOperator.self) { (_, site) throws(EncodeError) in try site.sliced() },
    NodeExpression(Pad.self) { (operation, site) throws(EncodeError) in
      try site.padded(operation)
    },
    NodeExpression(DepthToSpace.self) { (operation, site) throws(EncodeError) in
      let x = try site.strand()
      let block = operation.blocksize
      guard x.rank == 4, block > 0, block < 1 << 20, let channels = x.extent(1),
        let height = x.extent(2),
        let width = x.extent(3), channels % (block * block) == 0
      else { throw site.refusal("DepthToSpace over unknown extents") }
      let depth = channels / (block * block)
      let isDepthFirst = operation.mode == .depthColumnRow
      var parts = try site.reshaped(
        x,
        [x.extent(0)] + (isDepthFirst ? [block, block, depth] : [depth, block, block])
          + [height, width])
      let order = isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]
      parts.axes = order.map { parts.axes[$0] }
      return try site.reshaped(parts, [x.extent(0), depth, height * block, width * block])
    },
    NodeExpression(SpaceToDepth.self) { (operation, site) throws(EncodeError) in
      let x = try site.strand()
      let block = operation.blocksize
      guard x.rank == 4, block > 0, block < 1 << 20, operation.mode == .depthColumnRow,
        let depth = x.extent(1),
        let height = x.extent(2), let width = x.extent(3), height % block == 0, width % block == 0
      else { throw site.refusal("SpaceToDepth over unknown extents") }
      var parts = try site.reshaped(
        x, [x.extent(0), depth, height / block, block, width / block, block])
      parts.axes = [0, 3, 5, 1, 2, 4].map { parts.axes[$0] }
      return try site.reshaped(
        parts, [x.extent(0), depth * block * block, height / block, width / block])
    },
    NodeExpression(Resize.self) { (operation, site) throws(EncodeError) in
      try site.resized(operation)
    },
  ]
}

// Shapes.
extension NodeSite {
  /// The tensor broadcast to a shape, in which 1 leaves an axis as it is.
  fileprivate func expanded(_ x: Strand, _ wanted: [Int]) throws(EncodeError) -> Strand {
    var result = x
    if wanted.count > x.rank {
      result.axes = Array(repeating: nil, count: wanted.count - x.rank) + x.axes
    }
    for (offset, count) in wanted.reversed().enumerated() {
      let axis = result.rank - 1 - offset
      guard count != 1, axis >= 0, result.extent(axis) != count else { continue }
      guard result.extent(axis) == 1 else { throw refusal("Expand to \(wanted)") }
      result = try repeated(result, axis: axis, count)
    }
    return result
  }

  /// The tensor without some axes of extent 1.
  func squeezed(_ x: Strand, _ axes: [Int]) throws(EncodeError) -> Strand {
    guard axes.allSatisfy({ x.extent($0) == 1 }) else { throw refusal("Squeeze of axes \(axes)") }
    let kept = x.axes.indices.filter { !axes.contains($0) }
    let isPresent = axes.contains { x.axes[$0] != nil }
    guard isPresent else {
      var result = x
      result.axes = kept.map { x.axes[$0] }
      return result
    }
    let order = x.order.filter { kept.contains($0) }
    var input = x
    if let batch = x.batchAxis, axes.contains(batch) {
      // The batch of one example gives its name to another axis of extent 1.
      guard let other = kept.first(where: { x.extent($0) == 1 }) else {
        throw refusal("Squeeze of the batch")
      }
      if input.axes[other] == nil {
        input.axes.swapAt(other, batch)
      } else {
        let wanted = x.order + x.axes.indices.filter { x.axes[$0] == nil }
        input = try composer.arranged(x, wanted, at: place)
        input.axes.swapAt(other, batch)
      }
      return try squeezed(input, axes)
    }
    let extents = order.map { x.extent($0) }
    var result = try composer.reshaped(x, extents, at: place)
    result.axes = kept.map { axis in order.firstIndex(of: axis) }
    return result
  }

  /// The shape that a constant asks for, else the one that inference knows.
  fileprivate func reshaped() throws(EncodeError) -> Strand {
    let x = try strand()
    if let operation = node.operation as? Reshape, let wanted = constant(1) {
      return try reshaped(x, try asked(wanted.integers.map { Int($0) }, operation, of: x))
    }
    guard let shape = outputShape() else { throw refusal("a shape that is not known") }
    return try reshaped(x, shape.map(\.extent))
  }

  /// Extents with 0 for one that stays and -1 for the one that follows from the others.
  private func asked(
    _ wanted: [Int], _ operation: Reshape, of x: Strand
  ) throws(EncodeError) -> [Int?] {
    var shape: [Int?] = []
    for (axis, extent) in wanted.enumerated() {
      if extent == 0, !operation.allowzero {
        guard axis < x.rank else { throw refusal("Reshape to \(wanted)") }
        shape.append(x.extent(axis))
      } else {
        shape.append(extent)
      }
    }
    guard let open = wanted.firstIndex(of: -1) else { return shape }
    shape[open] = nil
    let others = shape.indices.filter { $0 != open }.map { shape[$0] }
    // As many unknown extents before as behind leave a known one.
    if others.count(where: { $0 == nil }) == x.shape.count(where: { $0 == nil }) {
      guard let whole = Checked.product(x.shape.compactMap { $0 }),
        let part = Checked.product(others.compactMap { $0 }), part > 0, whole % part == 0
      else { throw refusal("Reshape to \(wanted)") }
      shape[open] = whole / part
    }
    return shape
  }

  /// The elements in the graph's order with other extents; the batch stays an axis.
  func reshaped(_ x: Strand, _ shape: [Int?]) throws(EncodeError) -> Strand {
    if shape == x.shape, shape.filter({ $0 == nil }).count <= 1 { return x }
    guard let batch = x.batchAxis else { throw refusal("no batch") }
    let extent = x.extents[0]
    // What stands on either side of the batch has to hold as many elements as before.
    func isAsMany(_ a: some Collection<Int?>, _ b: some Collection<Int?>) -> Bool {
      guard let left = Checked.product(a.compactMap { $0 }),
        let right = Checked.product(b.compactMap { $0 })
      else { return false }
      return left == right && a.count(where: { $0 == nil }) == b.count(where: { $0 == nil })
    }
    let target = shape.indices.first { axis in
      shape[axis] == extent && isAsMany(x.shape[..<batch], shape[..<axis])
        && isAsMany(x.shape[(batch + 1)...], shape[(axis + 1)...])
    }
    guard let target else { throw refusal("Reshape of the batch") }
    var wanted = Array(0..<x.rank)
    wanted.remove(at: batch)
    let input = try composer.arranged(x, [batch] + wanted, at: place)
    var order = Array(shape.indices)
    order.remove(at: target)
    order = [target] + order
    var result = try composer.reshaped(input, order.map { shape[$0] }, at: place)
    result.axes = shape.indices.map { order.firstIndex(of: $0) }
    return result
  }
}
