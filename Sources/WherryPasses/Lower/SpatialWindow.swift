import CWherryABI
import WherryGraph
import WherryOperators

/// A window over up to three spatial axes, with the extents of both sides, as the kernels take it.
struct SpatialWindow {
  var input: [Int]
  var output: [Int]
  var kernel: [Int]
  var strides: [Int]
  var dilations: [Int]
  /// Padding at the beginnings.
  var before: [Int]
  /// Padding at the ends as the operator states it; the last window may reach past it.
  var after: [Int]

  /// - Throws: when there are more than three spatial axes, a list has another length, or a number is
  ///   out of range.
  init(
    _ site: LoweringSite, input: [Int], output: [Int], kernel: [Int], strides: [Int]?,
    dilations: [Int]?, pads: [Int]?, autoPad: AutoPad
  ) throws(CompileProblem) {
    let rank = input.count
    guard rank <= 3 else { throw CompileProblem(.unsupported("\(rank) spatial axes")) }
    func list(_ values: [Int]?, _ count: Int, _ fallback: Int) throws(CompileProblem) -> [Int] {
      guard let values, !values.isEmpty else { return Array(repeating: fallback, count: count) }
      guard values.count == count else {
        throw CompileProblem(.invalid("\(values.count) numbers for \(rank) spatial axes"))
      }
      return try site.small(values)
    }
    (self.input, self.output) = (input, output)
    self.kernel = try list(kernel, rank, 1)
    self.strides = try list(strides, rank, 1)
    self.dilations = try list(dilations, rank, 1)
    guard (self.kernel + self.strides + self.dilations).allSatisfy({ $0 > 0 }), output.count == rank
    else { throw CompileProblem(.invalid("a window \(kernel)")) }
    let given = try list(pads, 2 * rank, 0)
    (before, after) = (Array(given.prefix(rank)), Array(given.suffix(rank)))
    if autoPad != .notSet {
      for axis in 0..<rank {
        let span = (self.kernel[axis] - 1) * self.dilations[axis] + 1
        let total = max(0, (output[axis] - 1) * self.strides[axis] + span - input[axis])
        let isSame = autoPad != .valid
        before[axis] = isSame ? (autoPad == .sameUpper ? total / 2 : total - total / 2) : 0
        after[axis] = isSame ? total - before[axis] : 0
      }
    }
    guard before.allSatisfy({ $0 >= 0 }) && after.allSatisfy({ $0 >= 0 }) else {
      throw CompileProblem(.unsupported("negative padding"))
    }
  }

  var taps: Int { kernel.reduce(1, *) }

  /// The numbers of three axes, `fallback` for those in front that are missing.
  static func three(_ values: [Int], _ fallback: Int) -> (Int32, Int32, Int32) {
    let padded = Array(repeating: fallback, count: max(3 - values.count, 0)) + values
    return CArray.int32x3(padded)
  }
}

extension wh_conv {
  init(_ window: SpatialWindow, batch: Int, groups: Int, channels: Int, filters: Int) {
    self.init()
    (self.batch, self.groups) = (Int32(small: batch), Int32(small: groups))
    (self.channels, self.filters) = (Int32(small: channels), Int32(small: filters))
    (`in`, out) = (SpatialWindow.three(window.input, 1), SpatialWindow.three(window.output, 1))
    kernel = SpatialWindow.three(window.kernel, 1)
    stride = SpatialWindow.three(window.strides, 1)
    dilation = SpatialWindow.three(window.dilations, 1)
    pad = SpatialWindow.three(window.before, 0)
    (low, high) = (-.infinity, .infinity)
  }
}
