import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Einstein sums of one or more operands, two at a time.
  static let einsteinSums: [Lowering] = [
    Lowering(Einsum.self) { (op, site) throws(CompileProblem) in try site.lower(op) }
  ]
}

/// A tensor with a name for each axis.
private struct Labelled {
  var value: Lowered
  var labels: [Character]
}

extension LoweringSite {
  fileprivate func lower(_ op: Einsum) throws(CompileProblem) {
    let unsupported = CompileProblem(.unsupported("Einsum \"\(op.equation)\""))
    let text = op.equation.filter { $0 != " " }
    let parts = text.split(separator: ">", omittingEmptySubsequences: false)
    let terms = (parts.first ?? "").split(separator: ",", omittingEmptySubsequences: false).map {
      $0.filter { $0 != "-" }
    }
    guard parts.count <= 2, terms.count == inputCount, !text.contains("."),
      terms.allSatisfy({ Set($0).count == $0.count })
    else { throw unsupported }
    let all = terms.joined()
    let wanted =
      parts.count == 2
      ? Array(parts[1]) : Set(all).filter { label in all.count { $0 == label } == 1 }.sorted()
    var operands: [Labelled] = []
    for (index, term) in terms.enumerated() {
      try require(.float32, index)
      let value = try value(index)
      guard value.shape.count == term.count else { throw unsupported }
      operands.append(Labelled(value: value, labels: Array(term)))
    }
    guard var total = operands.first else { throw unsupported }
    for index in 1..<max(operands.count, 1) {
      let later = Set(operands[(index + 1)...].flatMap(\.labels)).union(wanted)
      total = try contract(total, operands[index], keeping: later)
    }
    total = try summed(total, keeping: Set(wanted))
    guard total.labels.count == wanted.count else { throw unsupported }
    try finish(0, permuted(total, wanted).value)
  }

  /// The same tensor with its axes in another order; no work.
  private func permuted(_ x: Labelled, _ labels: [Character]) -> Labelled {
    let places = labels.compactMap { x.labels.firstIndex(of: $0) }
    var value = x.value
    value.shape = places.map { x.value.shape[$0] }
    value.order = x.value.order.compactMap { places.firstIndex(of: $0) }
    return Labelled(value: value, labels: labels)
  }

  private func summed(_ x: Labelled, keeping kept: Set<Character>) throws(CompileProblem)
    -> Labelled
  {
    let axes = x.labels.indices.filter { !kept.contains(x.labels[$0]) }
    if axes.isEmpty { return x }
    let value = try reduce(WH_REDUCE_SUM, x.value, axes: axes, keepAxes: false)
    return Labelled(value: value, labels: x.labels.filter { kept.contains($0) })
  }

  /// The product of two tensors, summed over what nobody needs any more.
  private func contract(
    _ a: Labelled, _ b: Labelled, keeping kept: Set<Character>
  ) throws(CompileProblem) -> Labelled {
    let x = try summed(a, keeping: kept.union(b.labels))
    let y = try summed(b, keeping: kept.union(a.labels))
    let shared = x.labels.filter { y.labels.contains($0) }
    let batch = shared.filter { kept.contains($0) }
    let inner = shared.filter { !kept.contains($0) }
    let rows = x.labels.filter { !shared.contains($0) }
    let columns = y.labels.filter { !shared.contains($0) }
    let (left, right) = (permuted(x, batch + rows + inner), permuted(y, batch + inner + columns))
    for label in shared {
      let extents = [x, y].map { $0.value.shape[$0.labels.firstIndex(of: label) ?? 0] }
      guard extents[0] == extents[1] else {
        throw CompileProblem(.unsupported("Einsum that broadcasts \(label)"))
      }
    }
    func extents(_ x: Labelled, _ labels: [Character]) -> [Int] {
      labels.map { x.value.shape[x.labels.firstIndex(of: $0) ?? 0] }
    }
    let (b0, m, k, n) = (
      extents(left, batch), extents(left, rows), extents(left, inner), extents(right, columns)
    )
    let (mAll, kAll, nAll) = (m.reduce(1, *), k.reduce(1, *), n.reduce(1, *))
    let result = try product(
      try reshape(left.value, b0 + [mAll, kAll]), try reshape(right.value, b0 + [kAll, nAll]))
    return Labelled(
      value: try reshape(result, b0 + m + n), labels: batch + rows + columns)
  }
}
