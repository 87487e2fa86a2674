import WherryBytes
import WherryGraph
import WherryOperators

// Orders of axes.
extension LayerSite {
  /// The value's wire with the axes in the given order.
  func arranged(_ tensor: KerasTensor, _ order: [Int]) throws(DecodeError) -> Wire {
    let tensor = tensor.isFlat ? KerasTensor(try plain(tensor)) : tensor
    guard order.count == tensor.order.count else {
      throw invalid("an order of \(order.count) axes for a value of \(tensor.order.count)")
    }
    let permutation = order.map { tensor.position($0) }
    return try permuted(tensor.wire, permutation)
  }

  /// The value's wire as Keras has it.
  func plain(_ tensor: KerasTensor) throws(DecodeError) -> Wire {
    let identity = Array(0..<tensor.order.count)
    let wire = try permuted(tensor.wire, identity.map { tensor.position($0) })
    return tensor.isFlat ? try flattened(wire) : wire
  }

  /// The wire with axis `permutation[i]` as axis `i`.
  func permuted(_ wire: Wire, _ permutation: [Int]) throws(DecodeError) -> Wire {
    if permutation == Array(0..<permutation.count) { return wire }
    return try builder.converted(wire.name, permutation) { () throws(DecodeError) in
      let shape = permutation.map { wire.shape[$0] }
      if let target = Self.reshaping(wire.shape.dimensions, permutation, shape) {
        return try emit(Reshape(), [wire, try vector(target)])
      }
      var transpose = Transpose()
      transpose.perm = permutation
      return try emit(transpose, [wire])
    }
  }

  /// The target of a reshaping that does what the permutation does: one that moves only axes of extent
  /// 1. nil when there is none.
  private static func reshaping(
    _ shape: [Dimension], _ permutation: [Int], _ result: [Dimension]
  ) -> [Int]? {
    let moved = permutation.filter { shape[$0] != 1 }
    guard moved == moved.sorted() else { return nil }
    let unknown = result.filter { $0.extent == nil }.count
    guard unknown <= 1, !result.contains(0) else { return nil }
    return result.map { $0.extent ?? -1 }
  }

  /// The wire with all axes but the first as one.
  func flattened(_ wire: Wire) throws(DecodeError) -> Wire {
    wire.rank == 2 ? wire : try emit(Flatten(), [wire])
  }

  /// Several values with their axes in one order, that of most of them.
  ///
  /// - Parameter keepsFlat: whether the result may still be in need of flattening.
  func aligned(
    _ tensors: [KerasTensor], keepsFlat: Bool = true
  ) throws(DecodeError) -> (wires: [Wire], order: [Int], isFlat: Bool) {
    guard let first = tensors.first else { throw invalid("no inputs") }
    let isFlat = first.isFlat
    let sameForm = tensors.allSatisfy {
      $0.isFlat == isFlat && $0.order.count == first.order.count
        && (!isFlat || ($0.order == first.order && $0.wire.shape == first.wire.shape))
    }
    guard sameForm, keepsFlat || !isFlat else {
      var wires: [Wire] = []
      for tensor in tensors { wires.append(try plain(tensor)) }
      return (wires, Array(0..<first.rank), false)
    }
    let order = Self.commonOrder(tensors)
    var wires: [Wire] = []
    for tensor in tensors {
      wires.append(try permuted(tensor.wire, order.map { tensor.position($0) }))
    }
    return (wires, order, isFlat)
  }

  /// The order of most values; those that hold a single number for each channel don't count, since they
  /// are rearranged for nothing.
  private static func commonOrder(_ tensors: [KerasTensor]) -> [Int] {
    var votes: [[Int]: Int] = [:]
    for tensor in tensors {
      let wide = tensor.unflattened.dropFirst().filter { $0 != 1 }.count
      votes[tensor.order, default: 0] += wide > 1 ? 4 : 1
    }
    let best = votes.values.max() ?? 0
    // On a tie the channels stay in front, where the operators want them.
    let identity = Array(0..<(tensors.first?.order.count ?? 0))
    let candidates = tensors.map(\.order).filter { votes[$0] == best }
    return candidates.first { $0 != identity } ?? candidates.first ?? identity
  }
}
