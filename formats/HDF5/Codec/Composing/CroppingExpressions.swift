import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Ends cut off and zeros added.
extension NodeSite {
  /// A part of one axis.
  func cropped(
    _ x: Strand, axis: Int, before: Int, after: Int
  ) throws(EncodeError) -> Strand {
    if before == 0, after == 0 { return x }
    var x = x
    // An axis that the tensor doesn't have has nothing to cut, and the batch is no layer's.
    if x.axes[axis] == nil { throw refusal("\(node.operation.name) of an axis of extent 1") }
    let position = try position(axis, of: x)
    let axes = x.axes
    x = try framed(x, "Cropping", [position], [before], [after])
    x.axes = axes
    return x
  }

  /// The tensor without its ends along some of its axes.
  func cropped(
    _ x: Strand, positions: [Int], _ before: [Int], _ after: [Int]
  ) throws(EncodeError) -> Strand {
    if (before + after).allSatisfy({ $0 == 0 }) { return x }
    return try framed(x, "Cropping", positions, before, after)
  }

  /// The tensor with zeros around it along some of its axes.
  func padded(
    _ x: Strand, positions: [Int], _ before: [Int], _ after: [Int]
  ) throws(EncodeError) -> Strand {
    if (before + after).allSatisfy({ $0 == 0 }) { return x }
    return try framed(x, "ZeroPadding", positions, before, after)
  }

  /// A layer that changes ends. It works on up to three axes behind the batch and leaves the last one
  /// alone, so that a tensor may need an axis more for it.
  private func framed(
    _ x: Strand, _ className: String, _ positions: [Int], _ before: [Int], _ after: [Int]
  ) throws(EncodeError) -> Strand {
    guard (before + after).allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
      throw refusal("padding of \(before) and \(after)")
    }
    let rank = x.extents.count
    let needsLast = positions.contains(rank - 1)
    let spatial = needsLast ? rank - 1 : rank - 2
    guard (1...3).contains(spatial) else { throw refusal("\(className) of \(rank) axes") }
    let axes = x.axes
    let isNonNegative = x.isNonNegative
    var input = x
    if needsLast { input = try composer.reshaped(x, x.extents + [1], at: place) }
    var amounts = Array(repeating: (0, 0), count: spatial)
    var extents = input.extents
    for (index, position) in positions.enumerated() where position >= 1 && position <= spatial {
      amounts[position - 1] = (before[index], after[index])
      let change = before[index] + after[index]
      let next = extents[position].map { className == "Cropping" ? $0 - change : $0 + change }
      if let next, next < 1 { throw refusal("\(className) of more than there is") }
      extents[position] = next
    }
    let pairs = amounts.map { JSONValue.array([.integer(Int64($0.0)), .integer(Int64($0.1))]) }
    let name = className == "Cropping" ? "cropping" : "padding"
    var settings: [(String, JSONValue)] = [(name, spatial == 1 ? pairs[0] : .array(pairs))]
    if spatial > 1 { settings.append(("data_format", "channels_last")) }
    var result = composer.layer(
      "\(className)\(spatial)D", settings, [input], extents: extents, named: hint)
    if needsLast { result = try composer.reshaped(result, Array(extents.dropLast()), at: place) }
    result.axes = axes
    result.isNonNegative = isNonNegative
    return result
  }

  func sliced() throws(EncodeError) -> Strand {
    var x = try strand()
    let starts = try integers(1) ?? []
    let ends = try integers(2) ?? []
    let axes = try integers(3) ?? Array(starts.indices)
    let steps = try integers(4) ?? starts.map { _ in 1 }
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count,
      steps.allSatisfy({ $0 != 0 && $0 > -1 << 31 && $0 < 1 << 31 })
    else { throw refusal("Slice of this form") }
    for index in starts.indices {
      let axis = try axis(axes[index], x.rank)
      guard let extent = x.extent(axis) else {
        // From a start to the very end needs no extent.
        guard starts[index] >= 0, ends[index] >= 1 << 31 - 1, steps[index] == 1 else {
          throw refusal("Slice of an unknown extent")
        }
        x = try cropped(x, axis: axis, before: starts[index], after: 0)
        continue
      }
      let step = steps[index]
      // From the end backwards, an axis begins at its last element.
      func limited(_ value: Int) -> Int {
        let front = value < 0 ? value.addingReportingOverflow(extent).partialValue : value
        return step > 0 ? min(max(front, 0), extent) : min(max(front, -1), extent - 1)
      }
      let (start, end) = (limited(starts[index]), limited(ends[index]))
      guard step > 0 ? start < end : start > end else { throw refusal("an empty Slice") }
      if step != 1 {
        guard extent <= 1 << 20 else { throw refusal("Slice in steps of \(extent) elements") }
        x = try chosen(x, axis: axis, Array(stride(from: start, to: end, by: step)))
        continue
      }
      x = try cropped(x, axis: axis, before: start, after: extent - end)
    }
    return x
  }

  func padded(_ operation: Pad) throws(EncodeError) -> Strand {
    let x = try numbers()
    let pads = try integers(1) ?? []
    guard pads.allSatisfy({ $0 > -1 << 31 && $0 < 1 << 31 }) else {
      throw refusal("Pad by \(pads)")
    }
    var axes: [Int] = []
    for axis in try integers(3) ?? Array(0..<x.rank) { axes.append(try self.axis(axis, x.rank)) }
    let filling = has(2) ? try known(2).doubles.first ?? 0 : 0
    guard pads.count == 2 * axes.count else { throw refusal("Pad by \(pads)") }
    if operation.mode != .constant {
      var result = x
      for (index, axis) in axes.enumerated() {
        let (front, back) = (pads[index], pads[axes.count + index])
        if front == 0, back == 0 { continue }
        guard let extent = x.extent(axis), max(extent, front, back) < 1 << 20 else {
          throw refusal("Pad of an unknown extent")
        }
        // Which element stands where.
        let places = Tensor(vector: Array(0..<extent))
        let padded = try evaluated(operation, [places, Tensor(vector: [front, back]), nil, nil])
        result = try chosen(result, axis: axis, padded.integers.map { Int($0) })
      }
      return result
    }
    var (positions, before, after): ([Int], [Int], [Int]) = ([], [], [])
    for (index, axis) in axes.enumerated() {
      let (front, back) = (pads[index], pads[axes.count + index])
      if front == 0, back == 0 { continue }
      positions.append(try position(axis, of: x))
      before.append(front)
      after.append(back)
    }
    var result = x
    if before.contains(where: { $0 < 0 }) || after.contains(where: { $0 < 0 }) {
      result = try cropped(
        result, positions: positions, before.map { max(0, -$0) }, after.map { max(0, -$0) })
    }
    (before, after) = (before.map { max(0, $0) }, after.map { max(0, $0) })
    let framed = try padded(result, positions: positions, before, after)
    guard filling != 0, framed.extents != result.extents else { return framed }
    // The filling is added where the zeros are.
    var shape = framed.extents.map { _ in 1 }
    for position in positions { shape[position] = framed.extents[position] ?? 0 }
    var inner = shape
    for (index, position) in positions.enumerated() {
      inner[position] -= before[index] + after[index]
    }
    guard inner.allSatisfy({ $0 > 0 }), let count = Checked.product(shape), count <= 1 << 24 else {
      throw refusal("Pad of unknown extents")
    }
    let amounts = shape.indices.map { axis in
      positions.firstIndex(of: axis).map { (before[$0], after[$0]) } ?? (0, 0)
    }
    let frame = try evaluated(
      Pad(),
      [
        .filled(x.element, inner, 0), Tensor(vector: amounts.map(\.0) + amounts.map(\.1)),
        .filled(x.element, [], filling), nil,
      ])
    return try shifted(framed, ofTensor: frame)
  }
}
