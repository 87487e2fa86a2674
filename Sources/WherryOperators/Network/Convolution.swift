import WherryGraph

/// Grouped convolution in float64: products of the weights with columns gathered from the input.
///
/// Integers below 2^53 in magnitude are exact, so quantized convolutions use it too.
struct Convolution: Sendable {
  let window: PlacedWindow
  let batch: Int
  let groups: Int
  /// Of one group.
  let inputChannels: Int
  let outputChannels: Int

  /// What types and evaluation check alike: `x: [N, C, …]`, `w: [M, C / groups, …]`.
  ///
  /// - Throws: `TypeError` when ranks, channels or kernel contradict each other.
  static func check(_ x: [Dimension], _ w: [Dimension], groups: Int) throws(TypeError) {
    guard x.count >= 3 else { throw TypeError(.rank(input: 0, x.count, expected: "at least 3")) }
    guard w.count == x.count else {
      throw TypeError(.rank(input: 1, w.count, expected: "\(x.count)"))
    }
    guard groups > 0 else { throw TypeError(.attribute("group", "\(groups)")) }
    if let channels = x[1].extent, let own = w[1].extent,
      channels % groups != 0 || channels / groups != own
    {
      throw TypeError(.shape("\(channels) channels, but weights for \(groups) x \(own)"))
    }
    if let filters = w[0].extent, filters % groups != 0 {
      throw TypeError(.shape("\(filters) filters in \(groups) groups"))
    }
  }

  /// Input and weights with their shapes checked and the window placed.
  init(
    _ x: [Int], _ w: [Int], groups: Int, window: (_ kernel: [Int]) throws(TypeError) -> Window
  ) throws(RunError) {
    let window = try RunError.typed { () throws(TypeError) in
      try Self.check(x.map { .fixed($0) }, w.map { .fixed($0) }, groups: groups)
      return try window(Array(w.dropFirst(2)))
    }
    guard window.kernel == Array(w.dropFirst(2)) else {
      throw RunError(.badInput("kernel_shape \(window.kernel) for weights of shape \(w)"))
    }
    self.window = try RunError.typed { () throws(TypeError) in
      try window.placed(on: Array(x.dropFirst(2)))
    }
    (batch, self.groups, inputChannels, outputChannels) = (x[0], groups, w[1], w[0] / groups)
    _ = try RunError.count(shape)
  }

  /// `[N, M, …]`
  var shape: [Int] { [batch, groups * outputChannels] + window.output }

  /// `x` convolved with `w`, plus `bias` when its length is that of the output channels.
  func callAsFunction(_ x: [Double], _ w: [Double], bias: [Double]? = nil) -> [Double] {
    let step = window.strides.last ?? 1
    let taps = window.tapCount
    return apply(w, bias: bias) { batch, group, range, panel, width in
      let base = (batch * groups + group) * inputChannels * window.inputCount
      x.withUnsafeBufferPointer { x in
        window.forEachRun(in: range) { tap, position, offset, count in
          for channel in 0..<inputChannels {
            let source = base + channel * window.inputCount + offset
            let target = (channel * taps + tap) * width + position - range.lowerBound
            for index in 0..<count { panel[target + index] = x[source + index * step] }
          }
        }
      }
    }
  }

  /// The convolution of columns that `gather` puts into a zeroed panel `[channel x tap, width]`, for an
  /// image, a group and a range of window positions.
  func apply(
    _ w: [Double], bias: [Double]?,
    gather: (Int, Int, Range<Int>, UnsafeMutableBufferPointer<Double>, _ width: Int) -> Void
  ) -> [Double] {
    let (rows, positions) = (inputChannels * window.tapCount, window.outputCount)
    let channels = groups * outputChannels
    var y = [Double](repeating: 0, count: batch * channels * positions)
    guard !y.isEmpty else { return y }
    if let bias, bias.count == channels {
      for index in y.indices { y[index] = bias[index / positions % channels] }
    }
    guard rows > 0 else { return y }
    // A panel of about 256 KB stays in the cache while every output channel uses it.
    let width = min(positions, max(16, 32768 / rows / 4 * 4))
    var panel = [Double](repeating: 0, count: rows * width)
    panel.withUnsafeMutableBufferPointer { panel in
      y.withUnsafeMutableBufferPointer { y in
        w.withUnsafeBufferPointer { w in
          guard let w = w.baseAddress, let y = y.baseAddress, let columns = panel.baseAddress else {
            return
          }
          for image in 0..<batch {
            for group in 0..<groups {
              let target = y + (image * groups + group) * outputChannels * positions
              for start in stride(from: 0, to: positions, by: width) {
                let range = start..<min(start + width, positions)
                panel.update(repeating: 0)
                gather(image, group, range, panel, width)
                accumulateProduct(
                  outputChannels, rows, range.count, w + group * outputChannels * rows, rows,
                  columns, width, target + start, positions)
              }
            }
          }
        }
      }
    }
    return y
  }
}
