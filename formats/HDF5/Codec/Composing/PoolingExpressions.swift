import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Largest and mean elements of windows, and of whole planes.
extension NodeExpression {
  static let poolings: [NodeExpression] = [
    NodeExpression(several: MaxPool.self) { (operation, site) throws(EncodeError) in
      guard !site.isUsed(output: 1) else { throw site.refusal("the indices of MaxPool") }
      let x = try site.image(try site.numbers())
      let fit = try WindowFit(
        site, kernel: operation.kernelShape, strides: operation.strides,
        dilations: operation.dilations, pads: operation.pads, autoPad: operation.autoPad,
        ceil: operation.ceilMode, extents: Array(x.extents[1..<x.rank - 1]))
      if !fit.isSame, !fit.isUnpadded, !x.isNonNegative {
        if fit.isWide { return [try site.edged(x, fit)] }
        return [try site.slid(x, "MaxPooling", fit)]
      }
      return [try site.pooled(x, "MaxPooling", fit)]
    },
    NodeExpression(AveragePool.self) { (operation, site) throws(EncodeError) in
      let x = try site.image(try site.numbers())
      let extents = Array(x.extents[1..<x.rank - 1])
      var fit = try WindowFit(
        site, kernel: operation.kernelShape, strides: operation.strides,
        dilations: operation.dilations, pads: operation.pads, autoPad: operation.autoPad,
        extents: extents)
      if operation.ceilMode {
        let wide = try WindowFit(
          site, kernel: operation.kernelShape, strides: operation.strides,
          dilations: operation.dilations, pads: operation.pads, autoPad: operation.autoPad,
          ceil: true, extents: extents)
        guard wide.after == fit.after || !operation.countIncludePad else {
          throw site.refusal("AveragePool whose last window counts what is past the end")
        }
        fit = wide
      }
      if !fit.isUnpadded, operation.countIncludePad {
        let spatial = x.rank - 2
        let wide = try site.padded(x, positions: Array(1...spatial), fit.before, fit.after)
        let inner = try WindowFit(
          site, kernel: operation.kernelShape, strides: operation.strides, dilations: nil,
          pads: nil, autoPad: .notSet, extents: Array(wide.extents[1...spatial]))
        return try site.pooled(wide, "AveragePooling", inner)
      }
      guard fit.isSame || fit.isUnpadded else { return try site.slid(x, "AveragePooling", fit) }
      return try site.pooled(x, "AveragePooling", fit)
    },
    NodeExpression(GlobalAveragePool.self) { (_, site) throws(EncodeError) in
      try site.global("GlobalAveragePooling")
    },
    NodeExpression(GlobalMaxPool.self) { (_, site) throws(EncodeError) in
      try site.global("GlobalMaxPooling")
    },
  ]
}

extension NodeSite {
  fileprivate func pooled(
    _ x: Strand, _ className: String, _ fit: WindowFit
  ) throws(EncodeError) -> Strand {
    let spatial = x.rank - 2
    guard fit.dilations.allSatisfy({ $0 == 1 }) else { throw refusal("a pool with dilations") }
    var input = x
    var fit = fit
    if !fit.isSame, !fit.isUnpadded {
      input = try padded(x, positions: Array(1...spatial), fit.before, fit.after)
      (fit.before, fit.after) = (fit.before.map { _ in 0 }, fit.after.map { _ in 0 })
    }
    // Both ways of padding are one where there is none.
    let isSame = fit.isSame && !fit.isUnpadded || fit.isSame && x.extents[1...spatial].contains(nil)
    var result = composer.layer(
      "\(className)\(spatial)D",
      [
        ("pool_size", WindowFit.json(fit.kernel)), ("strides", WindowFit.json(fit.strides)),
        ("padding", isSame ? "same" : "valid"), ("data_format", "channels_last"),
      ], [input],
      extents: [x.extents[0]] + fit.outputs(Array(input.extents[1...spatial]))
        + [x.extents[spatial + 1]], named: hint)
    result.axes = x.axes
    result.isNonNegative = x.isNonNegative
    return result
  }

  /// A pool whose padding doesn't count and is not Keras's: windows at every place, where the padding
  /// never counts, of which those of the operator are taken.
  fileprivate func slid(
    _ x: Strand, _ className: String, _ fit: WindowFit
  ) throws(EncodeError) -> Strand {
    let spatial = x.rank - 2
    guard fit.dilations.allSatisfy({ $0 == 1 }) else { throw refusal("a pool with dilations") }
    var dense = composer.layer(
      "\(className)\(spatial)D",
      [
        ("pool_size", WindowFit.json(fit.kernel)),
        ("strides", WindowFit.json(fit.strides.map { _ in 1 })), ("padding", "same"),
        ("data_format", "channels_last"),
      ], [x], extents: x.extents, named: hint)
    dense.axes = x.axes
    dense.isNonNegative = x.isNonNegative
    var (before, after): ([Int], [Int]) = ([], [])
    for axis in 0..<spatial {
      let (kernel, stride) = (fit.kernel[axis], fit.strides[axis])
      let first = (kernel - 1) / 2 - fit.before[axis]
      var rest = 0
      if let extent = x.extents[axis + 1] {
        let count = (extent + fit.before[axis] + fit.after[axis] - kernel) / stride + 1
        rest = extent - first - ((count - 1) * stride + 1)
      } else if fit.after[axis] != kernel / 2 {
        throw refusal("padding of \(fit.before + fit.after) around unknown extents")
      }
      guard first >= 0, rest >= 0 else {
        throw refusal("padding of \(fit.before + fit.after), more than half of the window")
      }
      before.append(first)
      after.append(rest)
    }
    let positions = Array(1...spatial)
    let cut = try cropped(dense, positions: positions, before, after)
    return try subsampled(cut, positions: positions, fit.strides)
  }

  /// The largest elements of windows whose padding repeats the first and the last element, one of which
  /// is in every window that reaches past an end.
  fileprivate func edged(_ x: Strand, _ fit: WindowFit) throws(EncodeError) -> Strand {
    guard fit.dilations.allSatisfy({ $0 == 1 }) else { throw refusal("a pool with dilations") }
    var input = x
    for axis in fit.kernel.indices where fit.before[axis] > 0 || fit.after[axis] > 0 {
      guard let extent = x.extent(axis + 2), extent > 0, extent < 1 << 20,
        max(fit.before[axis], fit.after[axis]) < min(extent, fit.kernel[axis])
      else { throw refusal("padding of \(fit.before + fit.after)") }
      let range = -fit.before[axis]..<extent + fit.after[axis]
      input = try chosen(input, axis: axis + 2, range.map { min(max($0, 0), extent - 1) })
    }
    let bare = try WindowFit(
      self, kernel: fit.kernel, strides: fit.strides, dilations: nil, pads: nil, autoPad: .notSet,
      extents: Array(input.extents[1..<x.rank - 1]))
    return try pooled(input, "MaxPooling", bare)
  }

  fileprivate func global(_ className: String) throws(EncodeError) -> Strand {
    let x = try image(try numbers())
    let spatial = x.rank - 2
    var result = composer.layer(
      "\(className)\(spatial)D", [("data_format", "channels_last"), ("keepdims", false)], [x],
      extents: [x.extents[0], x.extents[spatial + 1]], named: hint)
    result.axes = [0, 1] + Array(repeating: nil, count: spatial)
    result.isNonNegative = x.isNonNegative
    return result
  }
}
