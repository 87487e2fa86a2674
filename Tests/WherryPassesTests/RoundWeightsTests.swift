import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Weights rounded by the inputs they meet.
@Suite struct RoundWeightsTests {
  private func prepared(_ graph: QDQGraphs, _ input: [Int]) throws -> (Model, QuantizationScheme) {
    let model = try QuantizationPreparation.prepare(graph.model([("x", input)], ["y"]))
    return (model, QuantizationScheme(model, interface: .float))
  }

  private func filled(
    _ site: RoundWeights.Site, _ input: Tensor, atMost most: Int = 1 << 20
  ) -> InputRows {
    var rows = site.rows
    rows.add(input, atMost: most)
    return rows
  }

  @Test func aRowTimesTheWeightsIsAnOutput() throws {
    for (group, pads, strides, steps) in [
      (1, [1, 1, 1, 1], [1, 1], [1, 1]), (2, [0, 1, 2, 0], [2, 1], [1, 2]),
      (4, [1, 0, 0, 1], [2, 3], [2, 1]),
    ] {
      var graph = QDQGraphs()
      try graph.constant("w", [8, 4 / group, 3, 2])
      var conv = Conv()
      (conv.group, conv.pads, conv.strides, conv.dilations) = (group, pads, strides, steps)
      graph.add(conv, ["x", "w"], "y")
      let (model, scheme) = try prepared(graph, [2, 4, 7, 6])
      let sample = try Quantized.inputs(model, seed: 3)
      let y = try #require(
        try ReferenceEvaluator(model).run(sample.mapValues { .tensor($0) })["y"]?.tensor)
      let site = try #require(RoundWeights.sites(model, scheme).first)
      let rows = filled(site, try #require(sample["x"]))
      let positions = y.shape[2] * y.shape[3]
      #expect(rows.count == 2 * positions && rows.numbers.count == rows.count * site.columns)
      let weights = try #require(model.constants["w"]).doubles
      let (depth, expected) = (rows.depth, y.doubles)
      for row in 0..<rows.count {
        for output in 0..<8 {
          let first = row * site.columns + output / (8 / group) * depth
          var sum = 0.0
          for column in 0..<depth {
            sum += Double(rows.numbers[first + column]) * weights[output * depth + column]
          }
          let at = (row / positions * 8 + output) * positions + row % positions
          #expect((sum - expected[at]).magnitude < 1e-4)
        }
      }
      #expect(filled(site, try #require(sample["x"]), atMost: 5).count == 5)
    }
  }

  @Test func theFeedbackFactorsTheMoments() {
    let n = 5
    var state = QDQGraphs()
    let a = state.random(n * n).map { Double($0) }
    var moments = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n {
        for k in 0..<n { moments[i * n + j] += a[i * n + k] * a[j * n + k] }
        if i == j { moments[i * n + j] += 0.5 }
      }
    }
    // M D M^T, with D from the moments that M's inverse makes diagonal.
    let feedback = RoundWeights.feedback(moments, n)
    func m(_ i: Int, _ j: Int) -> Double { i == j ? 1 : j > i ? feedback[j * n + i] : 0 }
    var pivots = [Double](repeating: 0, count: n)
    for k in (0..<n).reversed() {
      pivots[k] = moments[k * n + k]
      for j in k + 1..<max(n, k + 1) { pivots[k] -= m(k, j) * m(k, j) * pivots[j] }
    }
    for i in 0..<n {
      for j in 0..<n {
        var product = 0.0
        for k in 0..<n { product += m(i, k) * pivots[k] * m(j, k) }
        #expect((product - moments[i * n + j]).magnitude < 1e-9)
      }
    }
  }

  /// Inputs that go together, as neighbours in a picture do.
  private func related(_ rows: Int, _ columns: Int) -> [Float] {
    var graph = QDQGraphs()
    return (0..<rows).flatMap { _ in
      let common = graph.random(1)[0] + 0.7
      return graph.random(columns).map { common + 0.1 * $0 }
    }
  }

  @Test(arguments: [true, false])
  func theErrorOfSumsFallsAndTheStepsStay(hasBias: Bool) throws {
    let (count, depth, outputs) = (512, 200, 6)
    var graph = QDQGraphs()
    try graph.constant("w", [depth, outputs])
    try graph.constant("b", [outputs])
    graph.add(MatMul(), ["x", "w"], hasBias ? "m" : "y")
    if hasBias { graph.add(Add(), ["m", "b"], "y") }
    let (model, scheme) = try prepared(graph, [count, depth])
    let site = try #require(RoundWeights.sites(model, scheme).first)
    let x = try #require(
      Tensor(.float32, [count, depth], elements: related(count, depth)))
    var rounded = model
    RoundWeights.apply(filled(site, x), at: site, scheme, to: &rounded)
    #expect(rounded.constants["w"] == model.constants["w"])

    let node = rounded.graph.nodes[scheme.layers[0].core]
    let name = try #require(node.inputs[1])
    let layout = WeightLayout(node.operation, try #require(model.constants["w"]))
    let floors = [Float](repeating: 0, count: outputs)
    func steps(_ name: String) throws -> Int8Weights {
      let tensor = try #require(rounded.constants[name])
      return try #require(Int8Weights(tensor, layout, floors: floors))
    }
    let (plain, better) = (try steps("w"), try steps(name))
    for (a, b) in zip(plain.scales, better.scales) { #expect((a - b).magnitude <= a * 1e-6) }
    #expect(plain.values != better.values)

    let w: [Double] = try #require(model.constants["w"]).doubles
    let numbers: [Double] = x.doubles
    func error(_ steps: Int8Weights, _ bias: [Double]) -> Double {
      let gaps: [Double] = steps.values.integers.enumerated().map { (at: Int, step: Int64) in
        Double(step) * Double(steps.scales[at % outputs]) - w[at]
      }
      var sum = 0.0
      for row in 0..<count {
        for output in 0..<outputs {
          var gap: Double = bias[output]
          for column in 0..<depth {
            gap += numbers[row * depth + column] * gaps[column * outputs + output]
          }
          sum += gap * gap
        }
      }
      return sum
    }
    var shift = [Double](repeating: 0, count: outputs)
    if hasBias {
      let bias = try #require(rounded.graph.nodes[1].inputs.compactMap { $0 }.last)
      let before: [Double] = try #require(model.constants["b"]).doubles
      let after: [Double] = try #require(rounded.constants[bias]).doubles
      for output in 0..<outputs { shift[output] = after[output] - before[output] }
    }
    let none = [Double](repeating: 0, count: outputs)
    #expect(error(better, shift) < error(plain, none) / 4)
  }

  @Test func aChannelOfZerosAndRowsOfZerosStay() throws {
    var graph = QDQGraphs()
    var numbers = graph.random(48)
    for column in 0..<12 { numbers[column * 4 + 2] = 0 }
    try graph.constant("w", [12, 4], numbers)
    graph.add(MatMul(), ["x", "w"], "y")
    let (model, scheme) = try prepared(graph, [30, 12])
    let site = try #require(RoundWeights.sites(model, scheme).first)
    for isZero in [true, false] {
      let elements = isZero ? [Float](repeating: 0, count: 360) : related(30, 12)
      let x = try #require(Tensor(.float32, [30, 12], elements: elements))
      var rounded = model
      RoundWeights.apply(filled(site, x), at: site, scheme, to: &rounded)
      let name = try #require(rounded.graph.nodes[0].inputs[1])
      let weights = try #require(rounded.constants[name]).doubles
      #expect((0..<12).allSatisfy { weights[$0 * 4 + 2] == 0 })
      #expect(weights.allSatisfy { $0.isFinite } && weights.contains { $0 != 0 })
      if isZero { #expect(weights == numbers.map { Double($0) }) }
    }
  }
}
