import WherryBytes
import WherryGraph
import WherryOperators

/// Rounds the weights of layers to their int8 steps by the inputs that they meet, rather than each to the
/// nearest step: what rounding one weight does to a sum is taken back by the weights rounded after it.
///
/// With `H` the second moments of the inputs, the error of the sums is `(w - q) H (w - q)^T`. For
/// `H = M D M^T`, `M` having ones on its diagonal and zeros below, each weight is rounded with the
/// feedback `(w - q) (M - 1)` of those before it; each then adds at most `D` times half a step squared.
///
/// - Source: E. Frantar et al., "GPTQ: Accurate Post-Training Quantization", ICLR 2023; in the form of
///   J. Chee et al., "QuIP: 2-Bit Quantization of Large Language Models", NeurIPS 2023, section 3.
public enum RoundWeights {
  /// A layer whose weights can be rounded so, and the value it reads.
  public struct Site: Sendable {
    /// Index in the scheme's layers.
    public let layer: Int
    public let input: String
    /// Rows to be filled.
    public let rows: InputRows
    let bias: CorrectBiases.Site?

    /// Numbers in one row.
    public var columns: Int { rows.groups * rows.depth }
  }

  /// Columns whose errors make up for each other, at most.
  static let block = 192

  public static func sites(_ model: Model, _ scheme: QuantizationScheme) -> [Site] {
    let facts = GraphFacts(model)
    let biases = CorrectBiases.sites(model, scheme)
    return scheme.layers.enumerated().compactMap { index, layer in
      let node = model.graph.nodes[layer.core]
      guard layer.isWeighted, let weights = facts.constant(node, 1),
        let input = layer.operands.first?.name, facts.constants[input] == nil,
        let rows = InputRows(node.operation, weights)
      else { return nil }
      return Site(
        layer: index, input: input, rows: rows, bias: biases.first { $0.layer == index })
    }
  }

  /// Puts weights that lie on int8 steps already in the place of a layer's own, and takes what that does
  /// to the means of its outputs out of its bias where it can have one.
  ///
  /// The largest weight of each output stays, so that the steps do.
  public static func apply(
    _ rows: InputRows, at site: Site, _ scheme: QuantizationScheme, to model: inout Model
  ) {
    let node = model.graph.nodes[scheme.layers[site.layer].core]
    guard let name = node.inputs[1], let weights = model.constants[name], rows.count > 1,
      var rounding = Rounding(weights, node.operation, rows, isCentred: site.bias != nil)
    else { return }
    rounding.run()
    guard let tensor = Tensor(.float32, weights.shape, elements: rounding.weights) else { return }
    model.replace(1, of: scheme.layers[site.layer].core, name, tensor)
    if let bias = site.bias { CorrectBiases.apply(rounding.shifts, at: bias, scheme, to: &model) }
  }

  /// The upper part of `M` in `matrix = M D M^T`, transposed: row `k` holds the feedback that column `k`
  /// gets from those before it.
  ///
  /// - Parameter matrix: `[n, n]`, symmetric, of which the upper part is read.
  static func feedback(_ matrix: [Double], _ n: Int) -> [Double] {
    var (rest, result) = (matrix, [Double](repeating: 0, count: n * n))
    var column = [Double](repeating: 0, count: n)
    rest.withUnsafeMutableBufferPointer { rest in
      for k in (0..<n).reversed() {
        let pivot = rest[k * n + k]
        guard pivot > 0 else { continue }
        for i in 0..<k {
          column[i] = rest[i * n + k]
          result[k * n + i] = column[i] / pivot
        }
        column.withUnsafeBufferPointer { column in
          for i in 0..<k where column[i] != 0 {
            let factor = column[i] / pivot
            for j in i..<k { rest[i * n + j] -= factor * column[j] }
          }
        }
      }
    }
    return result
  }
}

/// The weights of one layer on their way to int8 steps.
private struct Rounding {
  private(set) var weights: [Float]
  /// What the means of the outputs move by.
  private(set) var shifts: [Double]
  private let rows: InputRows
  private let means: [Double]
  private let scales: [Float]
  private let outputs: Int
  /// Whether one output's weights lie side by side; else those of one column do.
  private let isRowMajor: Bool

  init?(_ tensor: Tensor, _ operation: any Operator, _ rows: InputRows, isCentred: Bool) {
    let layout = WeightLayout(operation, tensor)
    let floors = [Float](repeating: 0, count: layout.channels)
    guard let plain = Int8Weights(tensor, layout, floors: floors), layout.channels > 0,
      layout.channels % rows.groups == 0, tensor.count == layout.channels * rows.depth
    else { return nil }
    (scales, outputs, isRowMajor, self.rows) = (
      plain.scales, layout.channels, layout.axis == 0, rows
    )
    weights = tensor.doubles.map { Float($0) }
    shifts = [Double](repeating: 0, count: layout.channels)
    let columns = rows.groups * rows.depth
    var sums = [Double](repeating: 0, count: columns)
    if isCentred {
      for row in 0..<rows.count {
        for column in 0..<columns { sums[column] += Double(rows.numbers[row * columns + column]) }
      }
    }
    means = sums.map { $0 / Double(rows.count) }
  }

  private func position(_ output: Int, _ column: Int) -> Int {
    isRowMajor ? output * rows.depth + column : column * outputs + output
  }

  mutating func run() {
    let parts = (rows.depth + RoundWeights.block - 1) / RoundWeights.block
    let size = (rows.depth + parts - 1) / parts
    for group in 0..<rows.groups {
      for start in stride(from: 0, to: rows.depth, by: size) {
        round(group, start..<min(start + size, rows.depth))
      }
    }
  }

  /// Columns of one group whose errors make up for each other.
  private mutating func round(_ group: Int, _ columns: Range<Int>) {
    var moments = moments(group * rows.depth + columns.lowerBound, columns.count)
    let n = columns.count
    // The largest first: those after it have all there is to make up for.
    let diagonal: [Double] = (0..<n).map { moments[$0 * n + $0] }
    let order: [Int] = (0..<n).sorted { (a: Int, b: Int) -> Bool in
      diagonal[a] == diagonal[b] ? a < b : diagonal[a] > diagonal[b]
    }
    let total = diagonal.reduce(0, +)
    guard total > 0, total.isFinite else { return }
    // Few rows say little of how columns go together.
    let kept = 1 - 0.5 * Double(n) / Double(n + rows.count)
    var sorted = [Double](repeating: 0, count: n * n)
    for (i, from) in order.enumerated() {
      for (j, to) in order.enumerated() where j > i {
        sorted[i * n + j] = moments[from * n + to] * kept
      }
      sorted[i * n + i] = diagonal[from] + 0.01 * total / Double(n)
    }
    moments = []
    let feedback = RoundWeights.feedback(sorted, n)
    let each = outputs / rows.groups
    for output in group * each..<(group + 1) * each {
      round(output, order.map { columns.lowerBound + $0 }, feedback)
    }
  }

  private mutating func round(_ output: Int, _ order: [Int], _ feedback: [Double]) {
    let scale = Double(scales[output])
    let n = order.count
    var errors = [Double](repeating: 0, count: n)
    let offset = output / (outputs / rows.groups) * rows.depth
    for (k, column) in order.enumerated() {
      let at = position(output, column)
      let weight = Double(weights[at])
      var wanted = weight
      for j in 0..<k { wanted += errors[j] * feedback[k * n + j] }
      // Nothing larger than the largest weight, and that one as it is.
      let isLargest = (weight / scale).magnitude >= 126.999
      let steps = ((isLargest ? weight : wanted) / scale).rounded(.toNearestOrEven)
      guard steps.isFinite else { continue }
      let rounded = Float(min(max(steps, -127), 127)) * scales[output]
      errors[k] = weight - Double(rounded)
      shifts[output] -= errors[k] * means[offset + column]
      weights[at] = rounded
    }
  }

  /// Second moments `[n, n]` of columns of the rows, the upper part.
  private func moments(_ first: Int, _ n: Int) -> [Double] {
    var result = [Double](repeating: 0, count: n * n)
    var row = [Double](repeating: 0, count: n)
    let columns = rows.groups * rows.depth
    result.withUnsafeMutableBufferPointer { result in
      row.withUnsafeMutableBufferPointer { row in
        for index in 0..<rows.count {
          for i in 0..<n {
            row[i] = Double(rows.numbers[index * columns + first + i]) - means[first + i]
          }
          for i in 0..<n where row[i] != 0 {
            let x = row[i]
            for j in i..<n { result[i * n + j] += x * row[j] }
          }
        }
      }
    }
    // The lower part too, for columns in another order.
    for i in 0..<n { for j in 0..<i { result[i * n + j] = result[j * n + i] } }
    return result.map { $0 / Double(rows.count) }
  }
}
