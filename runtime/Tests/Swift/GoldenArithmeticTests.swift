import CWherryABI
import CWherryKernels
import Foundation
import Testing

/// The golden vectors of ARITHMETIC.md against every kernel of this machine.
@Suite struct GoldenArithmeticTests {
  /// A case of a golden file; each operator uses its own part.
  struct Case: Decodable {
    /// Numbers nested to any depth, flattened, and the extents.
    struct Block: Decodable {
      var numbers: [Int] = []
      var shape: [Int] = []

      init(from decoder: any Decoder) throws {
        if let number = try? decoder.singleValueContainer().decode(Int.self) {
          numbers = [number]
          return
        }
        var list = try decoder.unkeyedContainer()
        var count = 0
        var inner: [Int] = []
        while !list.isAtEnd {
          let part = try list.decode(Block.self)
          numbers += part.numbers
          inner = part.shape
          count += 1
        }
        shape = [count] + inner
      }
    }

    /// binary32 numbers by the digits of their bits, one or many.
    struct Floats: Decodable {
      var numbers: [Float]

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let texts = try (try? container.decode([String].self)) ?? [container.decode(String.self)]
        numbers = texts.map { Float(bitPattern: UInt32($0, radix: 16) ?? 0) }
      }
    }

    var acc, x, w, bias, a, b, y, table, indices0, weights0, indices1, weights1: Block?
    var kernel, stride, dilation, pad, pad_end: [Int]?
    var groups, x_zero, y_zero, a_zero, b_zero, zero, low, high: Int?
    var factor, a_factor, b_factor, scale, dequantized: Floats?
    var kind, ratio, inverse: String?
    var count_include_pad: Bool?
  }

  struct File<C: Decodable>: Decodable { var cases: [C] }

  private struct QuantizeCase: Decodable {
    var x, dequantized: [String]
    var scale: String
    var zero: Int
    var y: [Int]
  }

  func cases<C: Decodable>(_ name: String, as type: C.Type = Case.self) throws -> [C] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let url = root.appending(path: "fixtures/golden/arithmetic/\(name).json")
    return try JSONDecoder().decode(File<C>.self, from: Data(contentsOf: url)).cases
  }

  private func float(_ bits: String) -> Float { Float(bitPattern: UInt32(bits, radix: 16) ?? 0) }

  // MARK: Streams

  private func append(_ values: some Sequence<Int>, asInt32 stream: inout [UInt8]) {
    for value in values {
      withUnsafeBytes(of: Int32(truncatingIfNeeded: value).littleEndian) { stream += $0 }
    }
  }

  private func append(_ values: some Sequence<Float>, to stream: inout [UInt8]) {
    for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { stream += $0 } }
  }

  /// The panels of QConv. `weights[c]` are the taps of output channel c, `run` values to a run.
  func panels(
    _ weights: [[Int]], run: Int, groups: Int, bias: [Int], factors: [Float], xZero: Int
  ) -> [UInt8] {
    var stream: [UInt8] = []
    let filters = weights.count / groups
    for group in 0..<groups {
      for first in stride(from: 0, to: filters, by: 16) {
        let own = (first..<first + 16).map { $0 < filters ? group * filters + $0 : nil }
        let sums = own.map { channel in channel.map { weights[$0].reduce(0, +) } ?? 0 }
        append(
          zip(own, sums).map { c, sum in c.map { bias[$0] - xZero * sum } ?? 0 }, asInt32: &stream)
        append(sums, asInt32: &stream)
        append(own.map { c in c.map { factors[$0] } ?? 0 }, to: &stream)
        let count = weights.first?.count ?? 0
        for start in stride(from: 0, to: count, by: max(run, 1)) {
          for k in stride(from: 0, to: run, by: 4) {
            for channel in own {
              for step in k..<k + 4 {
                let value = channel.flatMap { step < run ? weights[$0][start + step] : nil } ?? 0
                stream.append(UInt8(bitPattern: Int8(truncatingIfNeeded: value)))
              }
            }
          }
        }
      }
    }
    return stream
  }

  private func blocks(_ weights: [[Int]], bias: [Int], factors: [Float], xZero: Int) -> [UInt8] {
    var stream: [UInt8] = []
    for first in stride(from: 0, to: weights.count, by: 16) {
      let own = (first..<first + 16).map { $0 < weights.count ? $0 : nil }
      append(
        own.map { c in c.map { bias[$0] - xZero * weights[$0].reduce(0, +) } ?? 0 },
        asInt32: &stream)
      append(own.map { c in c.map { factors[$0] } ?? 0 }, to: &stream)
      for tap in 0..<(weights.first?.count ?? 0) {
        stream += own.map { c in
          UInt8(bitPattern: Int8(truncatingIfNeeded: c.map { weights[$0][tap] } ?? 0))
        }
      }
    }
    return stream
  }

  // MARK: Sections

  @Test func requantizationGivesTheGoldenBytes() throws {
    for golden in try cases("requantize") {
      let acc = try #require(golden.acc).numbers
      let factor = try #require(golden.factor).numbers[0]
      // Every accumulator is the bias of a channel whose weights are zero.
      let stream = panels(
        acc.map { _ in [0] }, run: 1, groups: 1, bias: acc,
        factors: acc.map { _ in factor }, xZero: 0)
      var conv = wh_qconv()
      (conv.batch, conv.groups, conv.channels, conv.filters) = (1, 1, 1, Int32(acc.count))
      (conv.in, conv.out, conv.kernel) = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
      (conv.stride, conv.dilation, conv.y_row) = ((1, 1, 1), (1, 1, 1), Int32(acc.count))
      try set(&conv, golden)
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized([3], cpu: cpu)
        call.input(Int(WH_INT8), stream, isWeight: true)
        call.quantizedOutput(of: acc.count)
        #expect(call.run(29, conv, cpu: cpu) == nil)
        #expect(call.quantizedResult(cpu: cpu) == golden.y?.numbers, "processor \(cpu)")
      }
    }
  }

  private func set(_ conv: inout wh_qconv, _ golden: Case) throws {
    conv.x_zero = Int32(golden.x_zero ?? 0)
    conv.y_zero = Int32(try #require(golden.y_zero))
    (conv.low, conv.high) = (Int32(golden.low ?? -128), Int32(golden.high ?? 127))
  }

  @Test(arguments: [("conv", UInt32(29)), ("depthwise", 30)])
  func convolutionsGiveTheGoldenBytes(name: String, code: UInt32) throws {
    for golden in try cases(name) {
      let (x, y) = (try #require(golden.x), try #require(golden.y))
      let (w, kernel) = (try #require(golden.w), try #require(golden.kernel))
      let groups = try #require(golden.groups)
      let (stride, dilation) = (try #require(golden.stride), try #require(golden.dilation))
      let pad = try #require(golden.pad)
      let taps = kernel[0] * kernel[1]
      let channels = w.shape[2]
      let weights = (0..<w.shape[0]).map {
        Array(w.numbers[$0 * taps * channels..<($0 + 1) * taps * channels])
      }
      let bias = try #require(golden.bias).numbers
      let factors = try #require(golden.factor).numbers
      var conv = wh_qconv()
      (conv.batch, conv.groups) = (1, Int32(groups))
      (conv.channels, conv.filters) = (Int32(channels), Int32(w.shape[0] / groups))
      func three(_ list: [Int], _ first: Int32) -> (Int32, Int32, Int32) {
        (first, Int32(list[0]), Int32(list[1]))
      }
      (conv.in, conv.out) = (three(x.shape, 1), three(y.shape, 1))
      (conv.kernel, conv.stride) = (three(kernel, 1), three(stride, 1))
      (conv.dilation, conv.pad) = (three(dilation, 1), three(pad, 0))
      conv.y_row = Int32(w.shape[0])
      try set(&conv, golden)
      let run = groups == 1 && dilation[1] == 1 ? kernel[1] * channels : channels
      let zero = Int(conv.x_zero)
      let stream =
        code == 30
        ? blocks(weights, bias: bias, factors: factors, xZero: zero)
        : panels(weights, run: run, groups: groups, bias: bias, factors: factors, xZero: zero)
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized(x.numbers, cpu: cpu)
        call.input(Int(WH_INT8), stream, isWeight: true)
        call.quantizedOutput(of: y.numbers.count)
        #expect(call.run(code, conv, cpu: cpu) == nil)
        #expect(call.quantizedResult(cpu: cpu) == y.numbers, "processor \(cpu)")
      }
    }
  }

  @Test func sumsAndProductsGiveTheGoldenBytes() throws {
    let kinds = ["add": WH_ADD, "sub": WH_SUB, "mul": WH_MUL]
    for golden in try cases("binary") {
      let (a, b) = (try #require(golden.a).numbers, try #require(golden.b).numbers)
      var binary = wh_qbinary()
      binary.kind = Int32(try #require(kinds[golden.kind ?? ""]))
      binary.rank = 1
      binary.shape.0 = Int32(a.count)
      (binary.a_strides.0, binary.b_strides.0) = (1, 1)
      (binary.a_zero, binary.b_zero) = (Int32(golden.a_zero ?? 0), Int32(golden.b_zero ?? 0))
      binary.y_zero = Int32(golden.y_zero ?? 0)
      (binary.low, binary.high) = (Int32(golden.low ?? 0), Int32(golden.high ?? 0))
      binary.a_factor = try #require(golden.a_factor).numbers[0]
      binary.b_factor = try #require(golden.b_factor).numbers[0]
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized(a, cpu: cpu)
        call.quantized(b, cpu: cpu)
        call.quantizedOutput(of: a.count)
        #expect(call.run(31, binary, cpu: cpu) == nil)
        #expect(call.quantizedResult(cpu: cpu) == golden.y?.numbers, "processor \(cpu)")
      }
    }
  }

  @Test func averagePoolsGiveTheGoldenBytes() throws {
    for golden in try cases("average_pool") {
      let (x, y) = (try #require(golden.x), try #require(golden.y))
      let (kernel, stride) = (try #require(golden.kernel), try #require(golden.stride))
      let (pad, end) = (try #require(golden.pad), try #require(golden.pad_end))
      var pool = wh_qpool()
      (pool.kind, pool.batch, pool.channels) = (1, 1, Int32(x.shape[2]))
      (pool.in, pool.out) = (
        (1, Int32(x.shape[0]), Int32(x.shape[1])), (1, Int32(y.shape[0]), Int32(y.shape[1]))
      )
      (pool.kernel, pool.stride) = (
        (1, Int32(kernel[0]), Int32(kernel[1])), (1, Int32(stride[0]), Int32(stride[1]))
      )
      (pool.dilation, pool.pad) = ((1, 1, 1), (0, Int32(pad[0]), Int32(pad[1])))
      pool.pad_end = (0, Int32(end[0]), Int32(end[1]))
      pool.count_include_pad = golden.count_include_pad == true ? 1 : 0
      (pool.x_zero, pool.y_zero) = (Int32(golden.x_zero ?? 0), Int32(golden.y_zero ?? 0))
      (pool.low, pool.high) = (-128, 127)
      pool.ratio = try #require(Double(golden.ratio ?? ""))
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized(x.numbers, cpu: cpu)
        call.quantizedOutput(of: y.numbers.count)
        #expect(call.run(33, pool, cpu: cpu) == nil)
        #expect(call.quantizedResult(cpu: cpu) == y.numbers, "processor \(cpu)")
      }
    }
  }

  @Test func softmaxGivesTheGoldenBytes() throws {
    for golden in try cases("softmax") {
      let (x, table) = (try #require(golden.x), try #require(golden.table).numbers)
      var softmax = wh_qsoftmax()
      (softmax.outer, softmax.count, softmax.inner) = (Int32(x.shape[0]), Int32(x.shape[1]), 1)
      softmax.y_zero = Int32(golden.y_zero ?? 0)
      softmax.inverse = try #require(Double(golden.inverse ?? ""))
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized(x.numbers, cpu: cpu)
        call.input(Int(WH_UINT32), table.map { UInt32($0) }, isWeight: true)
        call.quantizedOutput(of: x.numbers.count)
        #expect(call.run(34, softmax, cpu: cpu) == nil)
        #expect(call.quantizedResult(cpu: cpu) == golden.y?.numbers, "processor \(cpu)")
      }
    }
  }

  @Test func quantizationGivesTheGoldenBytesAndNumbers() throws {
    for golden in try cases("quantize", as: QuantizeCase.self) {
      let x = golden.x.map(float)
      var parameters = wh_quantize()
      (parameters.outer, parameters.count, parameters.inner) = (1, 1, Int32(x.count))
      for cpu in wh_processors {
        let quantize = KernelCall()
        quantize.input(Int(WH_FLOAT32), x)
        quantize.input(Int(WH_FLOAT32), [float(golden.scale)])
        quantize.input(Int(WH_INT8), [Int8(golden.zero)])
        quantize.quantizedOutput(of: x.count)
        #expect(quantize.run(26, parameters, cpu: cpu) == nil)
        #expect(quantize.quantizedResult(cpu: cpu) == golden.y, "processor \(cpu)")
        let back = KernelCall()
        back.quantized(golden.y, cpu: cpu)
        back.input(Int(WH_FLOAT32), [float(golden.scale)])
        back.input(Int(WH_INT8), [Int8(golden.zero)])
        back.output(Int(WH_FLOAT32), of: x.count, Float(0))
        #expect(back.run(27, parameters, cpu: cpu) == nil)
        #expect(back.result(as: Float.self) == golden.dequantized.map(float), "processor \(cpu)")
      }
    }
  }

  @Test func productsOfActivationsGiveTheGoldenBytes() throws {
    for golden in try cases("matmul") {
      let (a, b) = (try #require(golden.a), try #require(golden.b))
      let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
      var product = wh_qmatmul()
      (product.m, product.k, product.n) = (Int32(m), Int32(k), Int32(n))
      (product.batch, product.a_row) = ((1, 1, 1), Int64(k))
      (product.b_row, product.b_column) = (Int64(n), 1)
      (product.a_zero, product.b_zero) = (Int32(golden.a_zero ?? 0), Int32(golden.b_zero ?? 0))
      product.y_zero = Int32(golden.y_zero ?? 0)
      (product.low, product.high) = (Int32(golden.low ?? 0), Int32(golden.high ?? 0))
      product.factor = try #require(golden.factor).numbers[0]
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized(a.numbers, cpu: cpu)
        call.quantized(b.numbers, cpu: cpu)
        call.quantizedOutput(of: m * n)
        call.scratch((n + 15) / 16 * (64 * ((k + 3) / 4) + 192) + 64)
        #expect(call.run(35, product, cpu: cpu) == nil)
        #expect(call.quantizedResult(cpu: cpu) == golden.y?.numbers, "processor \(cpu)")
      }
    }
  }

  @Test func linearResizesGiveTheGoldenBytes() throws {
    for golden in try cases("resize") {
      let (x, y) = (try #require(golden.x), try #require(golden.y))
      var resize = wh_qresize()
      (resize.outer, resize.inner) = (1, Int32(x.shape[2]))
      (resize.in, resize.out) = (
        (Int32(x.shape[0]), Int32(x.shape[1])), (Int32(y.shape[0]), Int32(y.shape[1]))
      )
      resize.taps = (2, 2)
      (resize.x_zero, resize.y_zero) = (Int32(golden.x_zero ?? 0), Int32(golden.y_zero ?? 0))
      resize.factor = try #require(golden.factor).numbers[0]
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized(x.numbers, cpu: cpu)
        for list in [golden.indices0, golden.weights0, golden.indices1, golden.weights1] {
          call.input(Int(WH_INT32), try #require(list).numbers.map { Int32($0) }, isWeight: true)
        }
        call.quantizedOutput(of: y.numbers.count)
        #expect(call.run(36, resize, cpu: cpu) == nil)
        #expect(call.quantizedResult(cpu: cpu) == y.numbers, "processor \(cpu)")
      }
    }
  }
}
