import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryOperators
import WherryPasses
import WherryRuntime

@testable import WherryNative

private func unpacked(_ packed: [UInt8]) throws(DecodeError) -> [UInt8] {
  try Repetitions.unpack(Bytes(packed), origin: 0, limits: .standard).array
}

@Test func repetitionsComeBackAndAreShort() throws {
  var random = SplitMix(seed: 3)
  for count in [0, 1, 2, 3, 7, 8, 9, 300, 5000] {
    let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let words = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 37 + $0 / 600) }
    let zeros = [UInt8](repeating: 0, count: count)
    for bytes in [noise, words, zeros] {
      let packed = Repetitions.pack(bytes)
      #expect(try unpacked(packed) == bytes)
      #expect(packed.count <= count + count / 8 + 4)
    }
    #expect(Repetitions.pack(words).count < max(count / 8, 70))
  }
}

@Test(
  arguments: [
    ([3, 1, 0, 1], "a copy before the start"), ([3, 0, 1, 2], "an end before the last byte"),
    ([4, 2, 9, 1, 1], "a copy past the stated size"), ([1, 0, 9, 9], "bytes after the end"),
    ([1, 2, 9], "a flag without an item"), ([0xFF, 0xFF, 3, 0], "a size the bytes can't hold"),
    ([0x80, 0], "a size in more bytes than needed"), ([], "no size"),
  ] as [([UInt8], String)])
func contradictoryRepetitionsAreRefused(bytes: [UInt8], what: String) {
  #expect(throws: DecodeError.self, "\(what)") { try unpacked(bytes) }
}

/// A convolution between quantizations as converters write it: a scale, zero and bias an output channel.
private func quantized(channels: Int = 40) throws -> Model {
  func tensor(_ element: ElementType, _ shape: [Int], _ integers: [Int]) throws -> Tensor {
    try #require(Tensor(element, shape, integers: integers.map { Int64($0) }))
  }
  var random = SplitMix(seed: 11)
  let scales = (0..<channels).map { _ in 0.002 + Float(random.below(1 << 20)) * 0x1p-27 }
  let weights = (0..<channels * 6 * 9).map { _ in random.below(255) - 127 }
  let biases = (0..<channels).map { _ in random.below(20_000) - 10_000 }
  let xScale: Float = 0.0173
  var perChannel = DequantizeLinear()
  perChannel.axis = 0
  let initializers = [
    Initializer("xs", try #require(Tensor(.float32, [], elements: [xScale]))),
    Initializer("xz", try tensor(.int8, [], [-5])),
    Initializer("ys", try #require(Tensor(.float32, [], elements: [Float(0.31)]))),
    Initializer("yz", try tensor(.int8, [], [3])),
    Initializer("w", try tensor(.int8, [channels, 6, 3, 3], weights)),
    Initializer("ws", try #require(Tensor(.float32, [channels], elements: scales))),
    Initializer("wz", try tensor(.int8, [channels], [Int](repeating: 0, count: channels))),
    Initializer("b", try tensor(.int32, [channels], biases)),
    Initializer(
      "bs", try #require(Tensor(.float32, [channels], elements: scales.map { $0 * xScale }))),
    Initializer("bz", try tensor(.int32, [channels], [Int](repeating: 0, count: channels))),
  ]
  let nodes = [
    Node(QuantizeLinear(), inputs: ["x", "xs", "xz"], outputs: ["xq"]),
    Node(DequantizeLinear(), inputs: ["xq", "xs", "xz"], outputs: ["xd"]),
    Node(perChannel, inputs: ["w", "ws", "wz"], outputs: ["wd"]),
    Node(perChannel, inputs: ["b", "bs", "bz"], outputs: ["bd"]),
    Node(Conv(), inputs: ["xd", "wd", "bd"], outputs: ["c"]),
    Node(QuantizeLinear(), inputs: ["c", "ys", "yz"], outputs: ["cq"]),
    Node(DequantizeLinear(), inputs: ["cq", "ys", "yz"], outputs: ["y"]),
  ]
  let graph = Graph(
    name: "quantized", nodes: nodes,
    inputs: [ValueInfo("x", .tensor(.float32, Shape(fixed: [1, 6, 8, 8])))],
    outputs: [ValueInfo("y", .tensor(.float32, Shape(fixed: [1, channels, 6, 6])))],
    initializers: initializers)
  return Model(graph: graph)
}

@Test func aQuantizedGraphStoresNothingThatThePlanHolds() throws {
  let model = try quantized()
  let (bytes, losses) = try NativeFormat.encode(model)
  #expect(losses.isEmpty)
  let container = try Container(bytes, limits: .standard)
  // Three panels of heads and weights, and the scales and zero points of both ends; nothing else.
  #expect(container.section(.weights)?.bytes.count == 3 * (192 + 3 * 20 * 16) + 4 * 64)
  #expect(container.section(.graph)?.version == 2)
  let source = ModelSource(bytes, operators: OperatorSet.all)
  #expect(try NativeFormat.read(source).model == model)
}

@Test func theSelfTestOfAnExactPlanIsTwoNumbersAndNoticesAWeight() throws {
  let bytes = try NativeFormat.encode(try quantized()).bytes
  let container = try Container(bytes, limits: .standard)
  #expect(container.section(.test)?.bytes.count == 48)
  let weights = try #require(container.section(.weights)?.offset)
  try bytes.withUnsafeBytes { try RuntimeModel($0).selfTest() }
  var changed = bytes.array
  changed[weights + 192 + 20] ^= 0x40
  #expect(throws: RuntimeError.self) {
    try Bytes(changed).withUnsafeBytes { try RuntimeModel($0).selfTest() }
  }
}

@Test func proportionsAreExactOrRefused() throws {
  var random = SplitMix(seed: 5)
  let base = (0..<100).map { _ in 0.001 + Float(random.below(1 << 22)) * 0x1p-24 }
  let products = base.map { $0 * 0.37 }
  let exact = try #require(Proportion(of: products, to: base))
  #expect(exact.steps == nil && exact.applied(to: base) == products)
  let factors = base.map { Float(Double($0) * 0.0173 / 0.031) }
  let near = try #require(Proportion(of: base, to: factors))
  #expect(near.applied(to: factors) == base)
  #expect(Proportion(of: base.reversed(), to: base) == nil)
  #expect(Proportion(ratio: 1, steps: Bytes([3])).applied(to: [1]) == nil)
}

/// Mutants of a graph that is not packed reach every part of its decoder.
@Test func mutantsOfAnUnpackedGraphNeverCrash() throws {
  for model in [try NativeSample.full(), try quantized(channels: 17)] {
    var store = WeightStore()
    if let plan = try? model.compiled() { for weight in plan.weights { _ = store.add(weight) } }
    let whole = GraphEncoder.encode(model, &store)
    var weights: [UInt8] = []
    store.forEachRun { (run) throws(Never) in weights += run.array }
    var random = SplitMix(seed: 17)
    var refused = 0
    for _ in 0..<2000 {
      var mutant = whole
      for _ in 0...random.below(3) {
        let place = random.below(mutant.count)
        switch random.below(3) {
        case 0: mutant[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: mutant[place] ^= 1 << UInt8(random.below(8))
        default: mutant[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
        }
      }
      var decoder = GraphDecoder(
        Bytes(mutant), origin: 0, weights: Bytes(weights), limits: .standard,
        operators: OperatorSet.all)
      if (try? decoder.model()) == nil { refused += 1 }
    }
    #expect(refused > 500)
  }
}
