import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Products of 8-bit integers to int32, by float32 products that are exact.
  static let integerProducts: [Lowering] = [
    Lowering(MatMulInteger.self) { (_, site) throws(CompileProblem) in
      let a = try site.centred(0, zero: 2, axis: .rows)
      let b = try site.centred(1, zero: 3, axis: .columns)
      let sums = try site.exactProduct(a, b)
      try site.finish(0, try site.reshape(sums, try site.outputType(0).shape))
    },
    Lowering(ConvInteger.self) { (op, site) throws(CompileProblem) in
      let conv = Conv(op.autoPad, op.dilations, op.group, op.kernelShape, op.pads, op.strides)
      let x = try site.centred(0, zero: 2, axis: .whole)
      let w = try site.centred(1, zero: 3, axis: .first)
      try site.finish(0, try site.exactConvolution(conv, x, w))
    },
  ]
}

/// Which axis a zero point runs along when it is not one number.
private enum ZeroPointAxis { case whole, first, rows, columns }

extension Conv {
  fileprivate init(
    _ autoPad: AutoPad, _ dilations: [Int]?, _ group: Int, _ kernelShape: [Int]?, _ pads: [Int]?,
    _ strides: [Int]?
  ) {
    self.init()
    (self.autoPad, self.dilations, self.group) = (autoPad, dilations, group)
    (self.kernelShape, self.pads, self.strides) = (kernelShape, pads, strides)
  }
}

extension LoweringSite {
  /// A product whose operands or scales the integer kernels don't take.
  func lowerExactly(_ product: QLinearMatMul) throws(CompileProblem) {
    let a = try centred(0, zero: 2, axis: .rows)
    let b = try centred(3, zero: 5, axis: .columns)
    let sums = try exactProduct(a, b)
    let shape = try outputType(0).shape
    let columns = shape.last ?? 1
    let factors = try factors(1, 4, 6, count: columns)
    let line = Array(repeating: 1, count: max(shape.count - 1, 0)) + [factors.count]
    try requantize(try reshape(sums, shape), factors, line, zero: 7)
  }

  /// A convolution whose operands or scales the integer kernels don't take.
  func lowerExactly(_ op: QLinearConv) throws(CompileProblem) {
    let conv = Conv(op.autoPad, op.dilations, op.group, op.kernelShape, op.pads, op.strides)
    let x = try centred(0, zero: 2, axis: .whole)
    let w = try centred(3, zero: 5, axis: .first)
    var sums = try exactConvolution(conv, x, w)
    let tail = Array(repeating: 1, count: max(sums.shape.count - 2, 0))
    if has(8) {
      let bias = try reshape(try rowMajor(8), [sums.shape[1]] + tail)
      sums = try binary(WH_ADD, sums, bias, shape: sums.shape)
    }
    let factors = try factors(1, 4, 6, count: sums.shape[1])
    try requantize(sums, factors, [factors.count] + tail, zero: 7)
  }

  /// Products of two numbers within ±255 that float32 sums exactly.
  private static var exactTerms: Int { 1 << 24 / (255 * 255) }

  /// An 8-bit input less its zero point, as float32.
  fileprivate func centred(
    _ index: Int, zero: Int, axis: ZeroPointAxis
  ) throws(CompileProblem) -> Held {
    let (element, shape) = try type(index)
    guard element == .int8 || element == .uint8 else {
      throw CompileProblem(.unsupportedElement(element))
    }
    if has(zero) { try require(element, zero) }
    let count = has(zero) ? try self.shape(zero).reduce(1, *) : 1
    var line = Array(repeating: 1, count: shape.count)
    if count != 1 {
      let at =
        switch axis {
        case .whole: -1
        case .first: 0
        case .rows: shape.count - 2
        case .columns: shape.count - 1
        }
      guard at >= 0, at < shape.count, shape[at] == count else {
        throw CompileProblem(.unsupported("\(count) zero points for \(shape)"))
      }
      line[at] = count
    }
    if let tensor = constant(index), !has(zero) || constant(zero) != nil {
      let zeros = constant(zero)?.integers ?? [0]
      let at = line.firstIndex { $0 != 1 } ?? 0
      let inner = shape.dropFirst(at + 1).reduce(1, *)
      let numbers = tensor.integers.enumerated().map { position, number in
        Float(number - zeros[zeros.count == 1 ? 0 : position / inner % zeros.count])
      }
      guard let result = Tensor(.float32, shape, elements: numbers) else {
        throw CompileProblem(.invalid("a zero point"))
      }
      return .constant(result)
    }
    var x = try cast(try value(index), to: .float32)
    if has(zero) {
      let zeros = try cast(try reshape(try rowMajor(zero), line), to: .float32)
      x = try binary(WH_SUB, x, zeros, shape: shape)
    }
    return .computed([x])
  }

  private func shape(of held: Held) -> [Int] {
    switch held {
    case .constant(let tensor): tensor.shape
    case .computed(let forms): forms.first?.shape ?? []
    }
  }

  /// `start ..< start + count` along one axis.
  private func part(
    _ held: Held, axis: Int, start: Int, count: Int
  ) throws(CompileProblem) -> Held {
    var shape = shape(of: held)
    if start == 0, shape[axis] == count { return held }
    let whole = shape
    shape[axis] = count
    switch held {
    case .computed(let forms):
      guard let x = forms.first else { return held }
      return .computed([try cut(x, shape, starts: [axis: start])])
    case .constant(let tensor):
      let strides = StridedLoop.dense(whole)
      let view = StridedView(offset: start * strides[axis], extents: shape, strides: strides)
      let weight = Weight(tensor.bytes, width: tensor.element.width, packing: .strided(view))
      guard let part = Tensor(tensor.element, shape, bytes: weight.packed) else {
        throw CompileProblem(.invalid("a part of a constant"))
      }
      return .constant(part)
    }
  }

  /// The int32 sum of what `body` gives for each run of terms short enough to be exact.
  private func summed(
    _ terms: Int, _ run: Int, _ body: (_ start: Int, _ count: Int) throws(CompileProblem) -> Lowered
  ) throws(CompileProblem) -> Lowered {
    var total: Lowered?
    for start in stride(from: 0, to: max(terms, 1), by: run) {
      let next = try cast(try body(start, min(run, terms - start)), to: .int32)
      if let sum = total {
        total = try binary(WH_ADD, sum, next, shape: next.shape)
      } else {
        total = next
      }
    }
    guard let total else { throw CompileProblem(.invalid("an empty sum")) }
    return total
  }

  fileprivate func exactProduct(_ a: Held, _ b: Held) throws(CompileProblem) -> Lowered {
    let (left, right) = (shape(of: a), shape(of: b))
    guard let terms = left.last, !right.isEmpty else {
      throw CompileProblem(.invalid("MatMul of a scalar"))
    }
    let axis = max(right.count - 2, 0)
    return try summed(terms, Self.exactTerms) { (start, count) throws(CompileProblem) in
      try apply(
        MatMul(),
        [
          try part(a, axis: left.count - 1, start: start, count: count),
          try part(b, axis: axis, start: start, count: count),
        ])
    }
  }

  fileprivate func exactConvolution(
    _ conv: Conv, _ x: Held, _ w: Held
  ) throws(CompileProblem) -> Lowered {
    let weights = shape(of: w)
    let taps = weights.dropFirst(2).reduce(1, *)
    guard weights.count >= 3, taps <= Self.exactTerms,
      conv.group == 1 || taps * weights[1] <= Self.exactTerms
    else { throw CompileProblem(.unsupported("an integer convolution with \(weights)")) }
    if conv.group != 1 { return try cast(try apply(conv, [x, w]), to: .int32) }
    let run = max(Self.exactTerms / max(taps, 1), 1)
    return try summed(weights[1], run) { (start, count) throws(CompileProblem) in
      try apply(
        conv,
        [
          try part(x, axis: 1, start: start, count: count),
          try part(w, axis: 1, start: start, count: count),
        ])
    }
  }

  /// `float32(x_scale * w_scale / y_scale)`, one or `count` numbers.
  fileprivate func factors(
    _ x: Int, _ w: Int, _ y: Int, count: Int
  ) throws(CompileProblem) -> [Float] {
    let (own, theirs) = (try requireConstant(x).doubles, try requireConstant(w).doubles)
    let given = try requireConstant(y).doubles
    guard own.count == 1, given.count == 1, theirs.count == 1 || theirs.count == count else {
      throw CompileProblem(.unsupported("scales for \(count) channels"))
    }
    return theirs.map { Float(own[0] * $0 / given[0]) }
  }

  /// y = saturate(round(float32(sums) * factor) + zero)
  fileprivate func requantize(
    _ sums: Lowered, _ factors: [Float], _ line: [Int], zero: Int
  ) throws(CompileProblem) {
    let real = try cast(sums, to: .float32)
    let scaled = try binary(WH_MUL, real, try weight(factors, line), shape: sums.shape)
    let one = Tensor(.float32, [], elements: [Float(1)])
    guard let one else { return }
    let y = try apply(
      QuantizeLinear(), [.computed([scaled]), .constant(one), try operand(zero)])
    try finish(0, y)
  }
}
