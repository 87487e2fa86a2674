import Glibc
import WherryBytes
import WherryGraph

/// A tensor of attention heads as `[batch, heads, length, size]` float64.
struct Heads: Sendable {
  let batch: Int
  let heads: Int
  let length: Int
  let size: Int
  let values: [Double]

  /// From `[batch, heads, length, size]`, or from `[batch, length, heads * size]` when `heads` is given.
  init(_ tensor: Tensor, heads: Int?) throws(RunError) {
    let shape = tensor.shape
    if tensor.rank == 4 {
      (batch, self.heads, length, size) = (shape[0], shape[1], shape[2], shape[3])
      values = tensor.doubles
      return
    }
    guard tensor.rank == 3, let heads, heads > 0, shape[2] % heads == 0 else {
      throw RunError(.badInput("\(shape) in \(heads.map { "\($0)" } ?? "no") heads"))
    }
    (batch, self.heads, length, size) = (shape[0], heads, shape[1], shape[2] / heads)
    values = swapMiddle(tensor.doubles, batch, length, heads, size)
  }

  private init(_ batch: Int, _ heads: Int, _ length: Int, _ size: Int, _ values: [Double]) {
    (self.batch, self.heads, self.length, self.size) = (batch, heads, length, size)
    self.values = values
  }

  var shape: [Int] { [batch, heads, length, size] }

  /// The values of one head.
  subscript(image: Int, head: Int) -> ArraySlice<Double> {
    let start = (image * heads + head) * length * size
    return values[start..<start + length * size]
  }

  /// These after `past` along the length.
  func appended(to past: Heads) throws(RunError) -> Heads {
    guard past.batch == batch, past.heads == heads, past.size == size else {
      throw RunError(.badInput("past of shape \(past.shape) for \(shape)"))
    }
    var joined: [Double] = []
    joined.reserveCapacity(past.values.count + values.count)
    for image in 0..<batch {
      for head in 0..<heads { joined += past[image, head] + self[image, head] }
    }
    return Heads(batch, heads, past.length + length, size, joined)
  }
}

/// `[a, b, c, d]` to `[a, c, b, d]`.
func swapMiddle(_ x: [Double], _ a: Int, _ b: Int, _ c: Int, _ d: Int) -> [Double] {
  var result: [Double] = []
  result.reserveCapacity(x.count)
  for first in 0..<a {
    for third in 0..<c {
      for second in 0..<b {
        let start = ((first * b + second) * c + third) * d
        result += x[start..<start + d]
      }
    }
  }
  return result
}

/// Scaled dot-product attention over heads, step by step; query heads share key and value heads in
/// contiguous groups.
struct AttentionCore: Sendable {
  let q: Heads
  let k: Heads
  let v: Heads

  init(_ q: Heads, _ k: Heads, _ v: Heads) throws(RunError) {
    guard q.batch == k.batch, k.batch == v.batch, k.heads == v.heads, k.length == v.length,
      q.size == k.size, k.heads > 0, q.heads % k.heads == 0
    else { throw RunError(.badInput("Q \(q.shape), K \(k.shape), V \(v.shape)")) }
    (self.q, self.k, self.v) = (q, k, v)
    _ = try RunError.count(scoreShape)
    _ = try RunError.count(outputShape)
  }

  var scoreShape: [Int] { [q.batch, q.heads, q.length, k.length] }
  var outputShape: [Int] { [q.batch, q.heads, q.length, v.size] }

  /// `scale * Q Kᵀ`
  func scores(scale: Double) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(scoreShape.reduce(1, *))
    for image in 0..<q.batch {
      for head in 0..<q.heads {
        let keys = k[image, head / (q.heads / k.heads)]
        result += product(
          q[image, head], keys, m: q.length, k: q.size, n: k.length, transposed: true
        ).map { $0 * scale }
      }
    }
    return result
  }

  /// `P V`
  func weighted(_ probabilities: [Double]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(outputShape.reduce(1, *))
    let area = q.length * k.length
    for image in 0..<q.batch {
      for head in 0..<q.heads {
        let start = (image * q.heads + head) * area
        result += product(
          probabilities[start..<start + area], v[image, head / (q.heads / k.heads)], m: q.length,
          k: k.length, n: v.size)
      }
    }
    return result
  }
}

/// The softmax of each run of `width` numbers; a run of minus infinities gives zeros.
func softmaxRows(_ values: [Double], width: Int) -> [Double] {
  var values = values
  guard width > 0 else { return values }
  for start in stride(from: 0, to: values.count, by: width) {
    let top = values[start..<start + width].max() ?? 0
    var sum = 0.0
    for index in start..<start + width {
      values[index] = top == -.infinity ? 0 : exp(values[index] - top)
      sum += values[index]
    }
    for index in start..<start + width where sum != 0 { values[index] /= sum }
  }
  return values
}
