import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Convolutions of 8-bit tensors by constant weights; others run in float32, exactly.
  static let integerConvolutions: [Lowering] = [
    Lowering(QLinearConv.self) { (op, site) throws(CompileProblem) in
      try site.lower(op, channelsLast: false)
    },
    Lowering(ContribQLinearConv.self) { (op, site) throws(CompileProblem) in
      try site.lower(op.plain, channelsLast: op.channelsLast)
    },
    Lowering(ConvIntegerToFloat.self) { (op, site) throws(CompileProblem) in
      try site.lower(op)
    },
  ]
}

/// A convolution's attributes, whatever operator states them.
struct ConvolutionForm {
  var autoPad: AutoPad
  var dilations: [Int]?
  var group: Int
  var pads: [Int]?
  var strides: [Int]?
}

extension LoweringSite {
  fileprivate func lower(_ conv: QLinearConv, channelsLast: Bool) throws(CompileProblem) {
    guard let weights = int8Weights(3, zeroPoint: 5, axis: 0), areConstant(1, 2, 4, 6, 7, 8) else {
      guard !channelsLast else { throw CompileProblem(.notConstant(input: 3)) }
      return try lowerInFloat(conv)
    }
    let from = try quantization(1, 2, try element(0))
    let to = try quantization(6, 7, try outputType(0).element)
    let form = ConvolutionForm(
      autoPad: conv.autoPad, dilations: conv.dilations, group: conv.group, pads: conv.pads,
      strides: conv.strides)
    var kernel = try self.kernel(weights, group: conv.group)
    kernel.scales = try requireConstant(4).doubles.map { Float($0) }
    kernel.bias = try bias32(8)?.integers ?? []
    try kernel.checkShape()
    var factors: [Float] = []
    for output in 0..<kernel.outputs {
      let scale = kernel.scale(output)
      try checkScale(Float(scale))
      factors.append(try factor(from.scale64 * scale / to.scale64))
    }
    try kernel.checkBound()
    let input = try image(channelsLast: channelsLast, from)
    let shape = try mapShape(channelsLast: channelsLast)
    var (step, taps) = try self.step(form, kernel, weights.shape, input.shape, shape)
    (step.result, step.x_zero) = (Int32(WH_RESULT_Q8), from.zeroPoint)
    (step.y_zero, step.low, step.high) = (to.zeroPoint, -128, 127)
    let result = try makeQ8(
      try outputType(0).element, shape, order: Order.channelsLast(shape.count), to)
    let isDepthwise = kernel.channels == 1 && kernel.filters == 1 && kernel.groups > 1
    let stream = try weight(
      stream: kernel.weight(
        zero: from.zeroPoint, factors: factors, rows: isDepthwise ? 1 : taps,
        isDepthwise: isDepthwise))
    emit(
      isDepthwise ? .qDepthwise(step) : .qConv(step), [input.tensor, stream, nil],
      [result.tensor])
    count(macs: shape.reduce(1, *), kernel.channels, kernel.taps)
    try finish(0, channelsLast ? self.channelsLast(result) : result)
  }

  fileprivate func lower(_ conv: ConvIntegerToFloat) throws(CompileProblem) {
    guard let weights = int8Weights(1, zeroPoint: 5, axis: 0) else {
      throw CompileProblem(.notConstant(input: 1))
    }
    let form = ConvolutionForm(
      autoPad: conv.autoPad, dilations: conv.dilations, group: conv.group, pads: conv.pads,
      strides: conv.strides)
    var kernel = try self.kernel(weights, group: conv.group)
    kernel.scales = try requireConstant(3).doubles.map { Float($0) }
    try kernel.checkShape()
    try kernel.checkBound()
    let shape = try outputType(0).shape
    let input = try q8(0, order: Order.channelsLast(shape.count))
    let (step, taps) = try self.step(form, kernel, weights.shape, input.shape, shape)
    let result = try make(.float32, shape, order: Order.channelsLast(shape.count))
    try emitDynamic(
      step, kernel, taps, input, scale: 2, zeroPoint: 4, bias: 6, result)
    count(macs: shape.reduce(1, *), kernel.channels, kernel.taps)
    try finish(0, result)
  }

  /// A product whose input's scale and zero point are values; inputs `scale`, `zeroPoint` and `bias`
  /// of the node.
  func emitDynamic(
    _ step: wh_qconv, _ kernel: IntegerKernel, _ taps: Int, _ input: Lowered, scale: Int,
    zeroPoint: Int, bias: Int, _ result: Lowered
  ) throws(CompileProblem) {
    var step = step
    step.result = Int32(WH_RESULT_DYNAMIC)
    let scales = (0..<kernel.outputs).map { Float(kernel.scale($0)) }
    for scale in scales { try checkScale(scale) }
    let stream = try weight(stream: kernel.weight(zero: 0, factors: scales, rows: taps))
    // The kernel takes the zero point in the unsigned view.
    let zero: Lowered
    if has(zeroPoint), constant(zeroPoint) == nil {
      guard try element(zeroPoint) == .uint8 else {
        throw CompileProblem(.unsupported("a zero point of int8 that is not constant"))
      }
      zero = try rowMajor(zeroPoint)
    } else {
      let own = try element(0)
      let stated = constant(zeroPoint)
      let given = stated?.integers.first ?? 0
      guard own == .int8 || own == .uint8, stated == nil || stated?.element == own,
        stated == nil || stated?.count == 1,
        let tensor = Tensor(.uint8, [1], integers: [given + (own == .int8 ? 128 : 0)])
      else { throw CompileProblem(.unsupported("a zero point of another type")) }
      zero = try weight(tensor)
    }
    let offset = has(bias) ? try rowMajor(bias).tensor : nil
    emit(
      .qConv(step),
      [input.tensor, stream, nil, try rowMajor(scale).tensor, zero.tensor, offset],
      [result.tensor])
  }

  /// A bias at the scale of the accumulator.
  func bias32(_ index: Int) throws(CompileProblem) -> Tensor? {
    guard has(index) else { return nil }
    let bias = try requireConstant(index)
    guard bias.element == .int32 else { throw CompileProblem(.unsupportedElement(bias.element)) }
    return bias
  }

  /// Input 0 of a convolution or pool, its channels last in memory and second by name.
  func image(
    channelsLast: Bool, _ quantization: TensorQuantization
  ) throws(CompileProblem) -> Lowered {
    let rank = try shape(0).count
    guard rank >= 3 else { throw CompileProblem(.unsupported("an image of rank \(rank)")) }
    if channelsLast {
      return channelsFirst(try q8(0, order: Order.rowMajor(rank), quantization))
    }
    return try q8(0, order: Order.channelsLast(rank), quantization)
  }

  /// The shape of output 0 with its channels second.
  func mapShape(channelsLast: Bool) throws(CompileProblem) -> [Int] {
    let shape = try outputType(0).shape
    guard channelsLast, shape.count > 2 else { return shape }
    return [shape[0], shape[shape.count - 1]] + shape[1..<shape.count - 1]
  }

  /// Weights `[M, C / group, …]` as a kernel without scales.
  fileprivate func kernel(_ weights: Tensor, group: Int) throws(CompileProblem) -> IntegerKernel {
    guard weights.rank >= 3, group > 0, weights.shape[0] % group == 0 else {
      throw CompileProblem(.invalid("\(group) groups of \(weights.shape)"))
    }
    return IntegerKernel(
      values: weights.int8Values, source: weights.bytes, groups: group, channels: weights.shape[1],
      filters: weights.shape[0] / group, taps: weights.shape[2...].reduce(1, *), scales: [])
  }

  /// The window's parameters, and how many taps stand side by side in the stream.
  fileprivate func step(
    _ form: ConvolutionForm, _ kernel: IntegerKernel, _ w: [Int], _ x: [Int], _ y: [Int]
  ) throws(CompileProblem) -> (wh_qconv, Int) {
    guard w.count == x.count, y.count == x.count, x[1] == kernel.groups * kernel.channels else {
      throw CompileProblem(.invalid("\(kernel.groups) groups of \(w) on \(x)"))
    }
    let window = try SpatialWindow(
      self, input: Array(x[2...]), output: Array(y[2...]), kernel: Array(w[2...]),
      strides: form.strides, dilations: form.dilations, pads: form.pads, autoPad: form.autoPad)
    let step = wh_qconv(window, batch: x[0], kernel)
    let isByRows = kernel.groups == 1 && step.dilation.2 == 1
    return (step, isByRows ? Int(step.kernel.2) : 1)
  }

  /// The float32 operators that give the same sums, for weights or scales that the kernels don't take.
  private func lowerInFloat(_ conv: QLinearConv) throws(CompileProblem) {
    try lowerExactly(conv)
  }
}

extension IntegerKernel {
  /// - Throws: `CompileProblem` when scales or bias are of another number than output channels.
  func checkShape() throws(CompileProblem) {
    guard scales.count == 1 || scales.count == outputs, bias.isEmpty || bias.count == outputs else {
      throw CompileProblem(
        .unsupported("\(scales.count) scales and a bias of \(bias.count) for \(outputs) channels"))
    }
  }
}

extension wh_qconv {
  init(_ window: SpatialWindow, batch: Int, _ kernel: IntegerKernel) {
    self.init()
    (self.batch, groups) = (Int32(small: batch), Int32(small: kernel.groups))
    (channels, filters) = (Int32(small: kernel.channels), Int32(small: kernel.filters))
    (`in`, out) = (SpatialWindow.three(window.input, 1), SpatialWindow.three(window.output, 1))
    self.kernel = SpatialWindow.three(window.kernel, 1)
    stride = SpatialWindow.three(window.strides, 1)
    dilation = SpatialWindow.three(window.dilations, 1)
    pad = SpatialWindow.three(window.before, 0)
    (y_row, y_offset) = (Int32(small: kernel.outputs), 0)
    (c_factor, r_factor) = (1, 1)
  }

  /// A dense layer over `rows` rows.
  init(rows: Int, _ kernel: IntegerKernel) {
    self.init()
    (batch, groups) = (1, Int32(small: kernel.groups))
    (channels, filters) = (Int32(small: kernel.channels), Int32(small: kernel.filters))
    (`in`, out) = ((1, 1, Int32(small: rows)), (1, 1, Int32(small: rows)))
    (self.kernel, stride, dilation) = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
    (y_row, y_offset) = (Int32(small: kernel.outputs), 0)
    (c_factor, r_factor) = (1, 1)
  }
}
