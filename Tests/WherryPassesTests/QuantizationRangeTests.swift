import Testing
import WherryBytes
import WherryGraph

@testable import WherryPasses

/// Ranges, scales and zero points.
@Suite struct QuantizationRangeTests {
  private func tensor(_ numbers: [Float]) throws -> Tensor {
    try #require(Tensor(.float32, [numbers.count], elements: numbers))
  }

  private func histogram(_ parts: [[Float]]) throws -> ActivationHistogram {
    var histogram = ActivationHistogram()
    for part in parts { #expect(histogram.add(try tensor(part)) == nil) }
    return histogram
  }

  /// A bell from a linear congruential generator.
  private func bell(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      var sum: Float = 0
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        sum += Float(state >> 40) / Float(1 << 24)
      }
      return sum - 6
    }
  }

  @Test func zeroIsAlwaysExact() {
    for (low, high) in [(-1.0, 1.0), (0.3, 2), (-5, -2), (-0.001, 1000), (-1e30, 1e-30)] {
      let parameters = QuantizationParameters(covering: low, high)
      #expect(Int(parameters.quantize(0)) == parameters.zeroPoint)
      #expect((-128...127).contains(parameters.zeroPoint))
      #expect(parameters.scale.isNormal && parameters.scale > 0)
    }
  }

  @Test func aRangeFromZeroStartsAtTheLowestInteger() {
    let parameters = QuantizationParameters(covering: 0, 51)
    #expect(parameters.zeroPoint == -128 && parameters.scale == 0.2)
    #expect(parameters.quantize(51) == 127 && parameters.quantize(80) == 127)
    #expect(parameters.quantize(-3) == -128 && parameters.quantize(.nan) == -128)
  }

  @Test func nothingButZerosGetsAValidScale() {
    let parameters = QuantizationParameters(covering: 0, 0)
    #expect(parameters.scale == 1 && parameters.zeroPoint == 0)
  }

  @Test(arguments: [1e-45, 1e-38, 3e38]) func extremeRangesGetNormalScales(high: Double) {
    let parameters = QuantizationParameters(covering: -high, high)
    #expect(parameters.scale >= QuantizationParameters.smallestScale)
    #expect(parameters.scale <= QuantizationParameters.largestScale)
  }

  @Test func theOrderOfSamplesMakesNoDifference() throws {
    let parts = [bell(500), bell(500, seed: 2).map { $0 * 100 }, [0, 0, 7], bell(50, seed: 3)]
    let (there, back) = (try histogram(parts), try histogram(parts.reversed()))
    #expect(there.bins == back.bins && there.width == back.width && there.origin == back.origin)
    #expect(there.count == 1053 && there.zeros == 2)
    #expect(there.bins.reduce(0, +) == 1051)
    #expect(there.bins.count <= ActivationHistogram.capacity)
  }

  @Test func mergedHistogramsCountWhatBothCounted() throws {
    let (a, b) = (bell(1000), bell(300, seed: 5).map { $0 * 40 })
    var merged = try histogram([a])
    merged.merge(try histogram([b]))
    let whole = try histogram([a, b])
    #expect(merged.low == whole.low && merged.high == whole.high && merged.count == whole.count)
    #expect(merged.bins.reduce(0, +) == whole.bins.reduce(0, +))
  }

  @Test func aNumberThatIsNotFiniteIsNamedAndNotCounted() throws {
    for bad in [Float.nan, .infinity, -.infinity] {
      var histogram = ActivationHistogram()
      #expect(histogram.add(try tensor([1, 2, 3, bad, 4])) == 3)
      #expect(histogram.count == 0)
    }
  }

  @Test func aPercentileLeavesOutliersOut() throws {
    let histogram = try histogram([bell(20_000), [1000]])
    let range = RangeSelection.range(of: histogram, .percentile, percentile: 99.9)
    #expect(range.high < 6 && range.high > 2 && range.low < -2)
    let all = RangeSelection.range(of: histogram, .minMax, percentile: 99.9)
    #expect(all.high == 1000)
  }

  @Test func theLeastSquaredErrorIsNotAboveThatOfTheExtremes() throws {
    let numbers = bell(100_000) + [40]
    let histogram = try histogram([numbers])
    func error(_ range: (low: Double, high: Double)) -> Double {
      let parameters = QuantizationParameters(covering: range.low, range.high)
      return numbers.reduce(0) { sum, x in
        let back = Double(Int(parameters.quantize(x)) - parameters.zeroPoint)
        let gap = back * Double(parameters.scale) - Double(x)
        return sum + gap * gap
      }
    }
    let best = RangeSelection.range(of: histogram, .squaredError, percentile: 100)
    let all = RangeSelection.range(of: histogram, .minMax, percentile: 100)
    #expect(error(best) < error(all) * 0.9)
    #expect(best.high < 40)
  }

  @Test func entropyCutsALongThinTail() throws {
    let tail = (0..<20).map { 8 + Float($0) * 5 }
    let histogram = try histogram([bell(50_000).map(\.magnitude), tail])
    let range = RangeSelection.range(of: histogram, .entropy, percentile: 100)
    #expect(range.low == 0 && range.high < 50 && range.high > 2)
  }

  @Test(arguments: CalibrationMethod.allCases)
  func everyMethodSurvivesDegenerateDistributions(method: CalibrationMethod) throws {
    for numbers: [Float] in [
      [0], [3], [-3], [.leastNonzeroMagnitude], [0, 0, 5], [-3e38, 3e38], [1, 1, 1, 2],
    ] {
      let histogram = try histogram([numbers])
      let range = RangeSelection.range(of: histogram, method, percentile: 99.99)
      #expect(range.low <= 0 && range.high >= 0 && range.low.isFinite && range.high.isFinite)
      #expect(range.low >= min(Double(histogram.low), 0))
      #expect(range.high <= max(Double(histogram.high), 0))
    }
  }
}
