import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// How a window slides over the spatial axes, in Keras's terms.
struct SpatialPadding {
  enum Mode { case valid, same, causal }
  let mode: Mode
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]

  init(_ site: LayerSite, kernel: [Int], strides: [Int], dilations: [Int]) throws(DecodeError) {
    (self.kernel, self.strides, self.dilations) = (kernel, strides, dilations)
    switch try site.settings.text("padding", "valid") {
    case "valid": mode = .valid
    case "same": mode = .same
    case "causal": mode = .causal
    case let other: throw site.settings.unsupported("padding", "padding \"\(other)\"")
    }
  }

  /// The padding as an operator's attributes: amounts where the extents are known, else a rule.
  ///
  /// - Parameter extents: those of the spatial axes.
  func attributes(_ extents: [Dimension]) -> (pads: [Int]?, auto: AutoPad) {
    switch mode {
    case .valid: return (nil, .notSet)
    case .causal:
      let before = zip(kernel, dilations).map { ($0 - 1) * $1 }
      return (before + Array(repeating: 0, count: kernel.count), .notSet)
    case .same:
      var (before, after): ([Int], [Int]) = ([], [])
      for axis in kernel.indices {
        let span = (kernel[axis] - 1) * dilations[axis] + 1
        // With a stride of 1 the amount does not depend on the extent.
        guard let extent = extents[axis].extent ?? (strides[axis] == 1 ? span : nil) else {
          return (nil, .sameUpper)
        }
        let output = (extent + strides[axis] - 1) / strides[axis]
        let total = max(0, (output - 1) * strides[axis] + span - extent)
        before.append(total / 2)
        after.append(total - total / 2)
      }
      let isNothing = (before + after).allSatisfy { $0 == 0 }
      return (isNothing ? nil : before + after, .notSet)
    }
  }
}

extension LayerSite {
  /// The input with its channels in front, as spatial operators take it.
  func image(_ spatial: Int) throws(DecodeError) -> (wire: Wire, order: [Int]) {
    let x = try input(rank: spatial + 2...spatial + 2)
    let order = try imageOrder(spatial)
    return (try arranged(x, order), order)
  }

  func imageOrder(_ spatial: Int) throws(DecodeError) -> [Int] {
    let channels = try settings.channelsFirst() ? 1 : spatial + 1
    return KerasTensor.channelsFirst(rank: spatial + 2, channels: channels)
  }
}
