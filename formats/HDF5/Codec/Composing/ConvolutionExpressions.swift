import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Convolutions, with channels behind.
extension NodeExpression {
  static let convolutions: [NodeExpression] = [
    NodeExpression(Conv.self) { (operation, site) throws(EncodeError) in
      try site.convolution(operation)
    },
    NodeExpression(ConvTranspose.self) { (operation, site) throws(EncodeError) in
      try site.transposedConvolution(operation)
    },
  ]
}

/// How a window slides over spatial axes: padding as amounts.
struct WindowFit {
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  var before: [Int]
  var after: [Int]
  /// Whether this is what Keras calls "same".
  let isSame: Bool

  var isUnpadded: Bool { (before + after).allSatisfy { $0 == 0 } }

  /// Whether more than half of a window is padding in front.
  var isWide: Bool { kernel.indices.contains { before[$0] > (kernel[$0] - 1) / 2 } }

  /// - Parameter extents: those of the spatial axes.
  init(
    _ site: NodeSite, kernel: [Int], strides: [Int]?, dilations: [Int]?, pads: [Int]?,
    autoPad: AutoPad, ceil: Bool = false, extents: [Int?]
  ) throws(EncodeError) {
    let rank = kernel.count
    func list(_ values: [Int]?) throws(EncodeError) -> [Int] {
      let list = values.flatMap { $0.isEmpty ? nil : $0 } ?? Array(repeating: 1, count: rank)
      guard list.count == rank, list.allSatisfy({ $0 >= 1 && $0 < 1 << 20 }) else {
        throw site.refusal("a window of \(list)")
      }
      return list
    }
    self.kernel = try list(kernel)
    self.strides = try list(strides)
    self.dilations = try list(dilations)
    guard extents.count == rank, (1...3).contains(rank) else {
      throw site.refusal("\(rank) spatial axes")
    }
    let given = pads ?? []
    guard given.isEmpty || given.count == 2 * rank,
      given.allSatisfy({ $0 > -1 << 20 && $0 < 1 << 20 })
    else {
      throw site.refusal("padding \(given)")
    }
    var fits = true
    (before, after) = ([], [])
    for axis in 0..<rank {
      let (stride, extent) = (self.strides[axis], extents[axis])
      let span = (self.kernel[axis] - 1) * self.dilations[axis] + 1
      // With a stride of 1 the amount does not depend on the extent.
      let known = extent ?? (stride == 1 ? span : nil)
      let total = known.map { max(0, (($0 + stride - 1) / stride - 1) * stride + span - $0) }
      var own = given.isEmpty ? (0, 0) : (given[axis], given[rank + axis])
      if autoPad == .sameUpper || autoPad == .sameLower {
        guard let total else {
          guard autoPad == .sameUpper else { throw site.refusal("SAME_LOWER over unknown extents") }
          own = (0, 0)
          before.append(0)
          after.append(0)
          continue
        }
        own =
          autoPad == .sameUpper ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
      }
      if ceil, stride > 1 {
        guard let extent else { throw site.refusal("ceil_mode over unknown extents") }
        let rest = (extent + own.0 + own.1 - span) % stride
        // A window that begins in the padding behind does not count.
        let extra = rest == 0 ? 0 : stride - rest
        let last = extent + own.0 + own.1 + extra - span
        if extra > 0, last < extent + own.0 { own.1 += extra }
      }
      before.append(own.0)
      after.append(own.1)
      if total.map({ (own.0, own.1) == ($0 / 2, $0 - $0 / 2) }) != true { fits = false }
    }
    isSame = autoPad == .sameUpper || fits
  }

  /// The output's extents.
  func outputs(_ extents: [Int?]) -> [Int?] {
    extents.indices.map { axis in
      guard let extent = extents[axis] else { return nil }
      if isSame { return (extent + strides[axis] - 1) / strides[axis] }
      let span = (kernel[axis] - 1) * dilations[axis] + 1
      return max(0, (extent + before[axis] + after[axis] - span) / strides[axis] + 1)
    }
  }

  static func json(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }
}

extension NodeSite {
  /// A tensor of batch, spatial axes and channels.
  func image(_ x: Strand) throws(EncodeError) -> Strand {
    guard (3...5).contains(x.rank) else { throw refusal("\(x.rank - 2) spatial axes") }
    return try composer.arranged(x, [0] + Array(2..<x.rank) + [1], at: place)
  }

  fileprivate func convolution(_ operation: Conv) throws(EncodeError) -> Strand {
    let x = try image(try numbers())
    var w = try known(1)
    let spatial = x.rank - 2
    guard w.rank == spatial + 2, w.element == x.element, operation.group >= 1,
      w.shape[0] % operation.group == 0
    else { throw refusal("Conv with filters of shape \(w.shape)") }
    let extents = Array(x.extents[1...spatial])
    var input = x
    // Keras has no layer with both: zeros between the weights say the dilations.
    let isWide =
      operation.dilations?.contains { $0 != 1 } == true
      && operation.strides?.contains { $0 != 1 } == true
    if isWide { w = try dilated(w, operation.dilations) }
    var fit = try WindowFit(
      self, kernel: Array(w.shape.dropFirst(2)), strides: operation.strides,
      dilations: isWide ? nil : operation.dilations, pads: operation.pads,
      autoPad: operation.autoPad, extents: extents)
    if !fit.isSame, !fit.isUnpadded {
      input = try padded(x, positions: Array(1...spatial), fit.before, fit.after)
      (fit.before, fit.after) = (fit.before.map { _ in 0 }, fit.after.map { _ in 0 })
    }
    var settings: [(String, JSONValue)] = [
      ("kernel_size", WindowFit.json(fit.kernel)), ("strides", WindowFit.json(fit.strides)),
      ("padding", fit.isSame ? "same" : "valid"), ("data_format", "channels_last"),
      ("dilation_rate", WindowFit.json(fit.dilations)), ("activation", "linear"),
    ]
    var weights: [LayerSheet.Weight] = []
    let axes = Array(2..<spatial + 2)
    let isDepthwise =
      operation.group > 1 && w.shape[1] == 1 && spatial < 3 && Set(fit.strides).count == 1
    var className = "Conv\(spatial)D"
    if isDepthwise {
      className = "DepthwiseConv\(spatial)D"
      let multiplier = w.shape[0] / operation.group
      let kernel = w.reshaped([operation.group, multiplier] + w.shape.dropFirst(2))?
        .permuted(axes + [0, 1])
      weights.append(.init("depthwise_kernel", try exact(kernel)))
      settings.append(("depth_multiplier", .integer(Int64(multiplier))))
    } else {
      weights.append(.init("kernel", try exact(w.permuted(axes + [1, 0]))))
      settings.append(("filters", .integer(Int64(w.shape[0]))))
      settings.append(("groups", .integer(Int64(operation.group))))
    }
    if has(2) { weights.append(.init("bias", try known(2))) }
    settings.append(("use_bias", .bool(has(2))))
    var result = composer.layer(
      className, settings, [input], weights: weights,
      extents: [x.extents[0]] + fit.outputs(Array(input.extents[1...spatial])) + [w.shape[0]],
      named: hint)
    result.axes = x.axes
    return result
  }

  /// A kernel with zeros between its weights.
  private func dilated(_ w: Tensor, _ dilations: [Int]?) throws(EncodeError) -> Tensor {
    guard let dilations, dilations.contains(where: { $0 != 1 }) else { return w }
    guard dilations.count == w.rank - 2, dilations.allSatisfy({ $0 >= 1 && $0 < 1 << 16 }) else {
      throw refusal("dilations of \(dilations)")
    }
    var result = w
    for (index, step) in dilations.enumerated() where step > 1 {
      let axis = index + 2
      let extent = result.shape[axis]
      var gap = result.shape
      if extent < 2 { continue }
      guard let count = Checked.multiply(result.count, step), count <= 1 << 26 else {
        throw refusal("dilations of \(dilations)")
      }
      gap[axis] = step - 1
      let zeros = try exact(.filled(w.element, gap, 0))
      var parts: [Tensor] = []
      for place in 0..<extent {
        if place > 0 { parts.append(zeros) }
        parts.append(try exact(result.choosing([place], of: extent, axis: axis)))
      }
      result = try exact(.joined(parts, axis: axis))
    }
    return result
  }

  /// The kernel of a convolution without groups that computes the same: zeros between the groups.
  private func ungrouped(_ w: Tensor, _ groups: Int) throws(EncodeError) -> Tensor {
    if groups == 1 { return w }
    guard groups > 1, w.shape[0] % groups == 0,
      let count = Checked.multiply(w.count, groups), count <= 1 << 26
    else { throw refusal("ConvTranspose in \(groups) groups") }
    var block = w.shape
    block[0] /= groups
    let zeros = try exact(.filled(w.element, block, 0))
    var rows: [Tensor] = []
    for group in 0..<groups {
      let own = try exact(w.choosing([group], of: groups, axis: 0))
      rows.append(try exact(.joined((0..<groups).map { $0 == group ? own : zeros }, axis: 1)))
    }
    return try exact(.joined(rows))
  }

  /// Keras leaves the whole output, of which what the operator pads is cut.
  fileprivate func transposedConvolution(_ operation: ConvTranspose) throws(EncodeError) -> Strand {
    let x = try image(try numbers())
    var w = try known(1)
    let spatial = x.rank - 2
    guard w.rank == spatial + 2, w.element == x.element else {
      throw refusal("ConvTranspose with filters of shape \(w.shape)")
    }
    w = try ungrouped(try dilated(w, operation.dilations), operation.group)
    let kernel = Array(w.shape.dropFirst(2))
    let strides = operation.strides ?? kernel.map { _ in 1 }
    let pads = operation.pads ?? Array(repeating: 0, count: 2 * spatial)
    guard let output = outputShape(), output.count == x.rank, strides.count == spatial,
      strides.allSatisfy({ $0 >= 1 && $0 < 1 << 20 }), pads.count == 2 * spatial,
      pads.allSatisfy({ $0 > -1 << 20 && $0 < 1 << 20 })
    else { throw refusal("ConvTranspose to an unknown shape") }
    var (whole, before, after): ([Int?], [Int], [Int]) = ([], [], [])
    for axis in 0..<spatial {
      guard let wanted = output[axis + 2].extent, let extent = x.extents[axis + 1] else {
        throw refusal("ConvTranspose over unknown extents")
      }
      // Where the stride is longer than the kernel, Keras adds the difference behind.
      let full = (extent - 1) * strides[axis] + kernel[axis] + max(0, strides[axis] - kernel[axis])
      let front: Int
      if operation.autoPad == .notSet || operation.autoPad == .valid {
        front = pads[axis]
      } else {
        let surplus = (extent - 1) * strides[axis] + kernel[axis] - wanted
        front = operation.autoPad == .sameUpper ? surplus / 2 : surplus - surplus / 2
      }
      guard front >= 0, full - wanted - front >= 0 else {
        throw refusal("ConvTranspose with output padding past the window")
      }
      whole.append(full)
      before.append(front)
      after.append(full - wanted - front)
    }
    var weights = [
      LayerSheet.Weight(
        "kernel", try exact(w.permuted(Array(2..<spatial + 2) + [1, 0])))
    ]
    if has(2) { weights.append(.init("bias", try known(2))) }
    var result = composer.layer(
      "Conv\(spatial)DTranspose",
      [
        ("filters", .integer(Int64(w.shape[1]))), ("kernel_size", WindowFit.json(kernel)),
        ("strides", WindowFit.json(strides)), ("padding", "valid"),
        ("data_format", "channels_last"), ("use_bias", .bool(has(2))), ("activation", "linear"),
      ], [x], weights: weights, extents: [x.extents[0]] + whole + [w.shape[1]], named: hint)
    result.axes = x.axes
    return try cropped(result, positions: Array(1...spatial), before, after)
  }
}
