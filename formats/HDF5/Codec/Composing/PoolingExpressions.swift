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
        throw site.refusal("MaxPool that pads numbers below 0")
      }
      return [try site.pooled(x, "MaxPooling", fit)]
    },
    NodeExpression(AveragePool.self) { (operation, site) throws(EncodeError) in
      let x = try site.image(try site.numbers())
      let extents = Array(x.extents[1..<x.rank - 1])
      let fit = try WindowFit(
        site, kernel: operation.kernelShape, strides: operation.strides,
        dilations: operation.dilations, pads: operation.pads, autoPad: operation.autoPad,
        extents: extents)
      if operation.ceilMode {
        let wide = try WindowFit(
          site, kernel: operation.kernelShape, strides: operation.strides,
          dilations: operation.dilations, pads: operation.pads, autoPad: operation.autoPad,
          ceil: true, extents: extents)
        guard wide.after == fit.after || (wide.isSame && !operation.countIncludePad) else {
          throw site.refusal("AveragePool whose last window reaches past the end")
        }
        return try site.pooled(x, "AveragePooling", wide)
      }
      if !fit.isUnpadded, operation.countIncludePad {
        let spatial = x.rank - 2
        let wide = try site.padded(x, positions: Array(1...spatial), fit.before, fit.after)
        let inner = try WindowFit(
          site, kernel: operation.kernelShape, strides: operation.strides, dilations: nil,
          pads: nil, autoPad: .notSet, extents: Array(wide.extents[1...spatial]))
        return try site.pooled(wide, "AveragePooling", inner)
      }
      guard fit.isSame || fit.isUnpadded else {
        throw site.refusal("AveragePool that leaves its padding \(fit.before + fit.after) out")
      }
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
