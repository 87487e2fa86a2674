import Glibc

/// A discrete Fourier transform of one length: `y[k] = Σ x[n] e^(∓2πi kn / N)`, not scaled.
struct FourierTransform: Sendable {
  private let length: Int
  private let cosines: [Double]
  private let sines: [Double]

  /// - Parameter length: at least 1.
  init(_ length: Int, isInverse: Bool) {
    self.length = length
    let turn = (isInverse ? 2 : -2) * Double.pi / Double(max(length, 1))
    cosines = (0..<length).map { cos(turn * Double($0)) }
    sines = (0..<length).map { sin(turn * Double($0)) }
  }

  /// Transforms a line in place: halved as long as its length is even, by definition below that.
  func apply(_ real: inout [Double], _ imaginary: inout [Double]) {
    (real, imaginary) = transform(real, imaginary, stride: 1)
  }

  private func transform(
    _ real: [Double], _ imaginary: [Double], stride: Int
  ) -> ([Double], [Double]) {
    let count = real.count
    guard count % 2 == 0, count > 2 else { return byDefinition(real, imaginary, stride: stride) }
    let half = count / 2
    func every(_ values: [Double], from first: Int) -> [Double] {
      (0..<half).map { values[2 * $0 + first] }
    }
    let (evenReal, evenImaginary) = transform(
      every(real, from: 0), every(imaginary, from: 0), stride: stride * 2)
    let (oddReal, oddImaginary) = transform(
      every(real, from: 1), every(imaginary, from: 1), stride: stride * 2)
    var (sumReal, sumImaginary) = (real, imaginary)
    for index in 0..<half {
      let (c, s) = (cosines[index * stride], sines[index * stride])
      let turnedReal = oddReal[index] * c - oddImaginary[index] * s
      let turnedImaginary = oddReal[index] * s + oddImaginary[index] * c
      sumReal[index] = evenReal[index] + turnedReal
      sumImaginary[index] = evenImaginary[index] + turnedImaginary
      sumReal[index + half] = evenReal[index] - turnedReal
      sumImaginary[index + half] = evenImaginary[index] - turnedImaginary
    }
    return (sumReal, sumImaginary)
  }

  private func byDefinition(
    _ real: [Double], _ imaginary: [Double], stride: Int
  ) -> ([Double], [Double]) {
    var (sumReal, sumImaginary) = (real, imaginary)
    for k in real.indices {
      var (x, y) = (0.0, 0.0)
      var angle = 0
      for n in real.indices {
        let (c, s) = (cosines[angle], sines[angle])
        x += real[n] * c - imaginary[n] * s
        y += real[n] * s + imaginary[n] * c
        angle = (angle + k * stride) % length
      }
      (sumReal[k], sumImaginary[k]) = (x, y)
    }
    return (sumReal, sumImaginary)
  }
}
