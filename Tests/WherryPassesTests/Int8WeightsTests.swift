import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Weights and biases as integers.
@Suite struct Int8WeightsTests {
  private func weights(_ shape: [Int], _ numbers: [Float]) throws -> Tensor {
    try #require(Tensor(.float32, shape, elements: numbers))
  }

  private func layer(
    _ tensor: Tensor, _ operation: any Operator = Conv(), bias: [Double]? = nil, input: Float = 0.1,
    output: Float = 0.1
  ) throws(QuantizedLayer.Overflow) -> QuantizedLayer {
    try QuantizedLayer(
      tensor, WeightLayout(operation, tensor), bias: bias, inputScale: input, outputScale: output)
  }

  @Test func eachChannelUsesAllItsSteps() throws {
    let tensor = try weights([2, 3, 1, 1], [1, -2, 0.5, 100, 50, -25])
    let quantized = try layer(tensor).weights
    #expect(quantized.scales == [2 / 127, 100 / 127])
    #expect(quantized.values.integers == [64, -127, 32, 127, 64, -32])
  }

  @Test func channelsLieWhereTheOperatorHasThem() throws {
    let tensor = try weights([2, 2], [1, 10, 2, 20])
    var transposed = Gemm()
    transposed.transB = true
    #expect(try layer(tensor, Gemm()).weights.scales == [2 / 127, 20 / 127])
    #expect(try layer(tensor, MatMul()).weights.scales == [2 / 127, 20 / 127])
    #expect(try layer(tensor, transposed).weights.scales == [10 / 127, 20 / 127])
    var transposition = ConvTranspose()
    transposition.group = 2
    let kernel = try weights([2, 3, 1, 1], [1, 2, 3, 4, 5, 6])
    let layout = WeightLayout(transposition, kernel)
    #expect(layout.axis == 1 && layout.channels == 3 && layout.outputs == 6)
    #expect(try layer(kernel, transposition).weights.scales == [4 / 127, 5 / 127, 6 / 127])
  }

  @Test func channelsOfZerosGetAValidScale() throws {
    let quantized = try layer(try weights([2, 2, 1, 1], [0, 0, 3, 1]), bias: [5, 0])
    #expect(quantized.weights.scales == [3 / 127, 3 / 127])
    #expect(quantized.weights.values.integers == [0, 0, 127, 42])
    let all = try layer(try weights([1, 2, 1, 1], [0, 0]), bias: [5])
    #expect(all.weights.scales == [1])
    #expect(all.bias?.values == [50])
  }

  @Test func aBiasStandsAtTheScaleOfTheSums() throws {
    let quantized = try layer(try weights([1, 1, 1, 1], [127]), bias: [-3.26], input: 0.5)
    #expect(quantized.bias?.scales == [0.5])
    #expect(quantized.bias?.values == [-7])
  }

  @Test func aBiasThatDwarfsItsWeightsCoarsensThem() throws {
    let quantized = try layer(
      try weights([2, 1, 1, 1], [1e-9, 1]), bias: [1000, 1], input: 0.01, output: 4)
    #expect(quantized.coarsened == [0])
    let bias = try #require(quantized.bias)
    #expect(bias.values[0].magnitude <= 1 << 30 + 1 && bias.values[0] > 1 << 29)
    #expect((Double(bias.values[0]) * Double(bias.scales[0]) - 1000).magnitude < 0.01)
    #expect(quantized.weights.scales[1] == Float(1) / 127)
  }

  @Test func sumsThatCouldLeave32BitsAreRefused() throws {
    let count = 70_000
    let tensor = try weights([1, count, 1, 1], [Float](repeating: 1, count: count))
    #expect(throws: QuantizedLayer.Overflow(channel: 0)) { try layer(tensor) }
    let small = try weights([1, 30_000, 1, 1], [Float](repeating: 1, count: 30_000))
    #expect(try layer(small, bias: [1]).bias?.values.count == 1)
  }

  @Test func subnormalWeightsGetNormalScales() throws {
    let quantized = try layer(
      try weights([1, 2, 1, 1], [.leastNonzeroMagnitude, -.leastNormalMagnitude / 64]),
      bias: [1e-41])
    #expect(quantized.weights.scales.allSatisfy { $0.isNormal && $0 > 0 })
    #expect(quantized.bias?.scales.allSatisfy { $0.isNormal && $0 > 0 } == true)
  }
}
