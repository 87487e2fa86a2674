import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Parts of an axis in any order, and axes repeated.
extension NodeSite {
  /// So many pieces are cut out one by one; more are a product with a matrix of ones and zeros.
  private static let mostPieces = 32

  /// The elements `indices` of an axis, in that order.
  func chosen(_ x: Strand, axis: Int, _ indices: [Int]) throws(EncodeError) -> Strand {
    guard let extent = x.extent(axis), extent <= 1 << 20, !indices.isEmpty,
      indices.allSatisfy({ $0 >= 0 && $0 < extent })
    else { throw refusal("\(node.operation.name) from an unknown extent") }
    if indices == Array(0..<extent) { return x }
    if indices.allSatisfy({ $0 == 0 }), extent == 1 {
      return try repeated(x, axis: axis, indices.count)
    }
    if let steps = try strided(x, axis: axis, indices) { return steps }
    var runs: [Range<Int>] = []
    for index in indices {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    guard runs.count <= Self.mostPieces else {
      guard x.element.isComputed, let count = Checked.multiply(extent, indices.count),
        count <= 1 << 24
      else { throw refusal("\(node.operation.name) of \(indices.count) \(x.element) elements") }
      var ones = [Double](repeating: 0, count: extent * indices.count)
      for (column, row) in indices.enumerated() { ones[row * indices.count + column] = 1 }
      let matrix = try exact(Tensor(x.element, [extent, indices.count], doubles: ones))
      return try contracted(x, axis: axis, with: matrix)
    }
    var pieces: [Strand] = []
    for run in runs {
      pieces.append(
        try cropped(x, axis: axis, before: run.lowerBound, after: extent - run.upperBound))
    }
    return try joined(pieces, axis: axis)
  }

  /// Every so manieth element: the largest of windows of one.
  private func strided(
    _ x: Strand, axis: Int, _ indices: [Int]
  ) throws(EncodeError) -> Strand? {
    guard let first = indices.first, indices.count > 2, x.element.isComputed,
      case let step = indices[1] - first, step > 1,
      indices == Array(stride(from: first, through: indices[indices.count - 1], by: step)),
      let extent = x.extent(axis)
    else { return nil }
    let part = try cropped(
      x, axis: axis, before: first, after: extent - indices[indices.count - 1] - 1)
    return try subsampled(part, positions: [try position(axis, of: part)], [step])
  }

  /// Every so manieth element along axes of the tensor.
  func subsampled(
    _ x: Strand, positions: [Int], _ steps: [Int]
  ) throws(EncodeError) -> Strand {
    if steps.allSatisfy({ $0 == 1 }) { return x }
    let rank = x.extents.count
    var input = x
    let needsLast = positions.contains(rank - 1) || rank < 3
    if needsLast { input = try composer.reshaped(x, x.extents + [1], at: place) }
    let spatial = input.extents.count - 2
    guard (1...3).contains(spatial) else { throw refusal("\(node.operation.name) in steps") }
    var strides = Array(repeating: 1, count: spatial)
    var extents = input.extents
    for (position, step) in zip(positions, steps) where position >= 1 && position <= spatial {
      strides[position - 1] = step
      extents[position] = extents[position].map { ($0 + step - 1) / step }
    }
    var result = composer.layer(
      "MaxPooling\(spatial)D",
      [
        ("pool_size", WindowFit.json(strides.map { _ in 1 })),
        ("strides", WindowFit.json(strides)), ("padding", "valid"),
        ("data_format", "channels_last"),
      ], [input], extents: extents, named: hint)
    if needsLast { result = try composer.reshaped(result, Array(extents.dropLast()), at: place) }
    (result.axes, result.isNonNegative) = (x.axes, x.isNonNegative)
    return result
  }

  /// Tensors one behind the other.
  func joined(_ strands: [Strand], axis: Int) throws(EncodeError) -> Strand {
    guard let first = strands.first else { throw refusal("Concat of nothing") }
    if strands.count == 1 { return first }
    // An axis that no tensor has yet becomes one.
    var level = strands
    for index in level.indices where level[index].axes[axis] == nil {
      let strand = level[index]
      let absent = strand.axes.indices.filter { strand.axes[$0] == nil && $0 != axis }
      level[index] = try composer.arranged(strand, strand.order + absent + [axis], at: place)
    }
    let aligned = try aligned(level)
    let position = try position(axis, of: aligned[0])
    var extents = aligned[0].extents
    let parts = aligned.map { $0.extents[position] }
    extents[position] = parts.contains(nil) ? nil : parts.compactMap { $0 }.reduce(0, +)
    let said = position == extents.count - 1 ? -1 : position
    var result = composer.layer(
      "Concatenate", [("axis", .integer(Int64(said)))], aligned, extents: extents, named: hint)
    result.axes = aligned[0].axes
    result.isNonNegative = strands.allSatisfy(\.isNonNegative)
    return result
  }

  /// The axis as a whole, `count` times over.
  func repeated(_ x: Strand, axis: Int, _ count: Int) throws(EncodeError) -> Strand {
    if count == 1 { return x }
    guard count > 1, count < 1 << 20, x.axes[axis] != 0 || x.extents[0] == 1 else {
      throw refusal("\(node.operation.name) along the batch")
    }
    guard let extent = x.extent(axis) else {
      throw refusal("\(node.operation.name) of an unknown extent")
    }
    // What stands in front of the axis and it with all behind it are two axes, of which the first
    // is repeated.
    let rest = x.axes.indices.filter { $0 != axis && x.axes[$0] != 0 }
    guard let batch = x.batchAxis, batch != axis else {
      throw refusal("\(node.operation.name) along the batch")
    }
    let front = rest.filter { $0 < axis }
    let back = rest.filter { $0 > axis }
    let input = try composer.arranged(x, [batch] + front + [axis] + back, at: place)
    func product(_ axes: [Int]) throws(EncodeError) -> Int {
      let extents = axes.map { x.extent($0) }
      guard !extents.contains(nil), let product = Checked.product(extents.compactMap { $0 }) else {
        throw refusal("\(node.operation.name) over unknown extents")
      }
      return product
    }
    let (outer, inner) = (try product(front), try product([axis] + back))
    guard let many = Checked.multiply(outer, count) else { throw refusal("\(count) times") }
    var result = try composer.reshaped(input, [x.extents[0], outer, inner], at: place)
    result = composer.layer(
      "UpSampling1D", [("size", .integer(Int64(count)))], [result],
      extents: [x.extents[0], many, inner], named: hint)
    let extents = [x.extents[0]] + front.map { x.extent($0) } + [extent * count]
    result = try composer.reshaped(result, extents + back.map { x.extent($0) }, at: place)
    result.axes = input.axes
    result.isNonNegative = x.isNonNegative
    return result
  }
}
