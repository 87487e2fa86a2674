import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

@Suite struct TransformTests {
  /// Lengths with and without factors of two, against the definition.
  @Test func everyLengthGivesTheDefinition() throws {
    for length in 1...24 {
      let samples = (0..<length).map { Double(($0 * 7 + 3) % 11) - 5 }
      let y = try evaluated(DFT(), floats(.float64, samples, [length, 1]), nil, nil)
      #expect(y.shape == [length, 2])
      for line in 0..<length {
        let turns = (0..<length).map { 2 * Double.pi * Double(line * $0 % length) / Double(length) }
        let real = zip(samples, turns).reduce(0) { $0 + $1.0 * Cosine.of($1.1) }
        #expect(abs(y.doubles[2 * line] - real) < 1e-9)
      }
    }
  }

  @Test func theInverseUndoesTheTransform() throws {
    var half = DFT()
    half.isOneSided = true
    var back = half
    back.isInverse = true
    for length in [2, 6, 7, 16] {
      let x = try floats(.float64, (0..<length).map { Double($0 * $0 % 5) }, [1, length, 1])
      let spectrum = try evaluated(half, x, nil, nil)
      #expect(spectrum.shape == [1, length / 2 + 1, 2])
      let again = try evaluated(back, spectrum, integers(.int64, [Int64(length)], []), nil)
      #expect(again.shape == x.shape)
      #expect(zip(again.doubles, x.doubles).allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }

  @Test func lengthsFromTheInputsAreChecked() throws {
    let x = try floats(.float32, [1, 2], [2, 1])
    for length in [Int64.min, 0, Int64.max] {
      #expect(throws: RunError.self) { try evaluated(DFT(), x, integers(.int64, [length], [])) }
      _ = try inferred(DFT(), x, integers(.int64, [length], []))
    }
    for size in [Int64.min, -1, Int64.max] {
      #expect(throws: RunError.self) { try evaluated(HannWindow(), integers(.int64, [size], [])) }
      _ = try inferred(HannWindow(), integers(.int64, [size], []))
    }
    let signal = try floats(.float32, [1, 2, 3, 4], [1, 4, 1])
    for length in [Int64.min, 0, 5, Int64.max] {
      let frame = try integers(.int64, [length], [])
      #expect(throws: RunError.self) {
        try evaluated(STFT(), signal, integers(.int64, [1], []), nil, frame)
      }
      _ = try inferred(STFT(), signal, integers(.int64, [1], []), nil, frame)
    }
  }
}

private enum Cosine {
  /// By its series: independent of the transform's tables.
  static func of(_ x: Double) -> Double {
    var (term, sum) = (1.0, 1.0)
    for k in 1...40 {
      term *= -x * x / Double((2 * k - 1) * (2 * k))
      sum += term
    }
    return sum
  }
}
