import WherryBytes
import WherryGraph

/// How padding follows from shapes instead of from `pads`.
public enum AutoPad: String, AttributeConvertible {
  case notSet = "NOTSET"
  /// As much as makes the output `ceil(input / stride)`; an odd one goes to the end.
  case sameUpper = "SAME_UPPER"
  /// The same; an odd one goes to the beginning.
  case sameLower = "SAME_LOWER"
  case valid = "VALID"
}

/// A window that slides over the spatial axes of `[N, C, D1 … Dn]`, with one entry an axis.
///
/// - Source: ONNX operator specification, Conv-22 and MaxPool-22.
struct Window: Sendable {
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  /// Beginnings of all axes, then ends.
  let pads: [Int]
  let autoPad: AutoPad
  /// Whether a last window that reaches past the end counts.
  let ceil: Bool

  /// - Throws: `TypeError.attribute` when a list has another length than `kernel` or a value is out of
  ///   range.
  init(
    kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, pads: [Int]? = nil,
    autoPad: AutoPad = .notSet, ceil: Bool = false
  ) throws(TypeError) {
    let rank = kernel.count
    func list(
      _ name: String, _ values: [Int]?, _ count: Int, _ fallback: Int, _ range: ClosedRange<Int>
    ) throws(TypeError) -> [Int] {
      guard let values, !values.isEmpty else { return Array(repeating: fallback, count: count) }
      guard values.count == count else {
        throw TypeError(.attribute(name, "\(values.count) values for \(rank) spatial axes"))
      }
      if let bad = values.first(where: { !range.contains($0) }) {
        throw TypeError(.attribute(name, "\(bad) is out of range"))
      }
      return values
    }
    // Small enough that sums and products of two below can't overflow.
    let limit = 1 << 30
    self.kernel = try list("kernel_shape", kernel, rank, 1, 1...limit)
    self.strides = try list("strides", strides, rank, 1, 1...limit)
    self.dilations = try list("dilations", dilations, rank, 1, 1...limit)
    self.pads = try list("pads", pads, 2 * rank, 0, -limit...limit)
    (self.autoPad, self.ceil) = (autoPad, ceil)
  }

  /// Input positions that the window spans on `axis`.
  func span(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

  /// Padding before and after `axis`, and the number of window positions.
  ///
  /// - Throws: `TypeError.shape` when the window is larger than the padded input.
  func place(_ axis: Int, on input: Int) throws(TypeError) -> (before: Int, after: Int, output: Int)
  {
    guard input < 1 << 60 else { throw TypeError(.shape("an extent of \(input)")) }
    let stride = strides[axis]
    var (before, after) = (0, 0)
    switch autoPad {
    case .notSet: (before, after) = (pads[axis], pads[axis + kernel.count])
    case .valid: break
    case .sameUpper, .sameLower:
      let output = (input + stride - 1) / stride
      let total = max(0, (output - 1) * stride + span(axis) - input)
      before = autoPad == .sameUpper ? total / 2 : total - total / 2
      after = total - before
    }
    let slack = input + before + after - span(axis)
    guard slack >= 0 else {
      throw TypeError(
        .shape("a window of \(span(axis)) on a padded extent of \(slack + span(axis))"))
    }
    var output = slack / stride + 1
    if ceil {
      if slack % stride != 0 { output += 1 }
      // A last window that would start in the padding at the end does not count.
      if (output - 1) * stride >= input + before { output -= 1 }
    }
    return (before, after, output)
  }

  /// The output's spatial extents, as far as the input's are known.
  func outputs(_ spatial: some Swift.Collection<Dimension>) throws(TypeError) -> [Dimension] {
    var result: [Dimension] = []
    for (axis, dimension) in spatial.enumerated() {
      guard let extent = dimension.extent else {
        result.append(.unknown)
        continue
      }
      result.append(.fixed(try place(axis, on: extent).output))
    }
    return result
  }

  /// The window on known extents.
  func placed(on input: [Int]) throws(TypeError) -> PlacedWindow {
    var (before, after, output): ([Int], [Int], [Int]) = ([], [], [])
    for (axis, extent) in input.enumerated() {
      let place = try place(axis, on: extent)
      before.append(place.before)
      after.append(place.after)
      output.append(place.output)
    }
    return PlacedWindow(self, before: before, after: after, input: input, output: output)
  }
}

/// A window's positions over spatial axes of known extent. Output position `o` and tap `k` of an axis
/// meet input position `o * stride + k * dilation - before`.
struct PlacedWindow: Sendable {
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  let before: [Int]
  let after: [Int]
  let input: [Int]
  let output: [Int]
  let inputSteps: [Int]

  init(_ window: Window, before: [Int], after: [Int], input: [Int], output: [Int]) {
    (kernel, strides, dilations) = (window.kernel, window.strides, window.dilations)
    (self.before, self.after, self.input, self.output) = (before, after, input, output)
    inputSteps = rowMajorSteps(input)
  }

  var rank: Int { kernel.count }
  /// Taps of the whole window; the caller has checked that the product is small.
  var tapCount: Int { kernel.reduce(1, *) }
  var inputCount: Int { input.reduce(1, *) }
  var outputCount: Int { output.reduce(1, *) }

  /// Taps of `axis` that lie within `low ..< high` of the input when the window is at `position`.
  func taps(_ axis: Int, at position: Int, from low: Int, to high: Int) -> Range<Int> {
    let start = position * strides[axis] - before[axis]
    return steps(from: start, by: dilations[axis], count: kernel[axis], low: low, high: high)
  }

  /// Window positions on `axis` whose `tap` lies within the input.
  func positions(_ axis: Int, tap: Int) -> Range<Int> {
    let start = tap * dilations[axis] - before[axis]
    return steps(
      from: start, by: strides[axis], count: output[axis], low: 0, high: input[axis])
  }

  /// The `i` in `0 ..< count` with `low <= start + i * step < high`.
  private func steps(from start: Int, by step: Int, count: Int, low: Int, high: Int) -> Range<Int> {
    let first = start >= low ? 0 : (low - start + step - 1) / step
    let end = start >= high ? 0 : min(count, (high - start + step - 1) / step)
    return first < end ? first..<end : 0..<0
  }

  /// Offsets within one channel's input of the taps that lie inside it, at window position `position`.
  func offsets(at position: [Int], into offsets: inout [Int]) {
    offsets.removeAll(keepingCapacity: true)
    offsets.append(0)
    for axis in 0..<rank {
      let taps = taps(axis, at: position[axis], from: 0, to: input[axis])
      let start = position[axis] * strides[axis] - before[axis]
      let bases = offsets
      offsets.removeAll(keepingCapacity: true)
      for base in bases {
        for tap in taps {
          offsets.append(base + (start + tap * dilations[axis]) * inputSteps[axis])
        }
      }
    }
  }

  /// Walks, for window positions `range` (flat) and every tap, the runs along the last axis that lie
  /// inside the input: tap, first window position, first input offset, length. Successive elements of a
  /// run are one window position and `strides.last` input elements apart.
  @inline(__always)
  func forEachRun(in range: Range<Int>, _ body: (Int, Int, Int, Int) -> Void) {
    guard let last = output.indices.last, output[last] > 0, !range.isEmpty else { return }
    let width = output[last]
    for row in range.lowerBound / width...(range.upperBound - 1) / width {
      let columns =
        max(range.lowerBound - row * width, 0)..<min(range.upperBound - row * width, width)
      let position = unflattened(row, Array(output.dropLast()))
      for tap in 0..<tapCount {
        let taps = unflattened(tap, kernel)
        var base = 0
        var isInside = true
        for axis in 0..<last {
          let index = position[axis] * strides[axis] + taps[axis] * dilations[axis] - before[axis]
          isInside = isInside && index >= 0 && index < input[axis]
          base += index * inputSteps[axis]
        }
        guard isInside else { continue }
        let run = positions(last, tap: taps[last]).clamped(to: columns)
        guard !run.isEmpty else { continue }
        let start = run.lowerBound * strides[last] + taps[last] * dilations[last] - before[last]
        body(tap, row * width + run.lowerBound, base + start, run.count)
      }
    }
  }
}

/// Elements between neighbours on each axis of a row-major tensor.
func rowMajorSteps(_ shape: [Int]) -> [Int] {
  var steps = [Int](repeating: 1, count: shape.count)
  for axis in shape.indices.dropLast().reversed() {
    steps[axis] = steps[axis + 1] * shape[axis + 1]
  }
  return steps
}

/// The coordinates of a row-major flat index.
func unflattened(_ index: Int, _ shape: [Int]) -> [Int] {
  var (rest, position) = (index, [Int](repeating: 0, count: shape.count))
  for axis in shape.indices.reversed() where shape[axis] > 0 {
    position[axis] = rest % shape[axis]
    rest /= shape[axis]
  }
  return position
}

extension RunError {
  /// The number of elements of a tensor about to be made.
  ///
  /// - Throws: `RunError.limit` when it is negative or too many to hold as float64.
  static func count(_ shape: [Int]) throws(RunError) -> Int {
    guard let count = Checked.product(shape), count <= 1 << 28 else {
      throw RunError(.limit("\(1 << 28) elements: \(shape)"))
    }
    return count
  }

  /// Runs a check that types and evaluation share.
  static func typed<R>(_ body: () throws(TypeError) -> R) throws(RunError) -> R {
    do { return try body() } catch { throw RunError(error) }
  }
}
