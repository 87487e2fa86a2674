import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// What an operator's counterpart in Keras sees: the node, its inputs as tensors between layers.
struct NodeSite {
  let node: Node
  let place: Place
  let composer: GraphComposer

  /// What new layers are called after: the first output.
  var hint: String { node.outputs.first.flatMap { $0 } ?? node.operation.name.name }

  /// What of the operator Keras can't say.
  func refusal(_ what: String) -> EncodeError { EncodeError(.inexpressible(what), place) }

  private func name(_ index: Int) -> String? {
    index < node.inputs.count ? node.inputs[index] : nil
  }

  func has(_ index: Int) -> Bool { name(index) != nil }

  /// The constant that input `index` is; nil when it isn't one.
  func constant(_ index: Int) -> Tensor? { name(index).flatMap { composer.constant($0) } }

  /// The number that all elements of input `index` are, however many.
  func uniform(_ index: Int) -> Double? { name(index).flatMap { composer.uniform($0) } }

  /// The type of the elements of input `index`.
  func element(_ index: Int) -> ElementType? {
    guard case .tensor(let element, _)? = name(index).flatMap({ composer.type($0)?.plain }) else {
      return nil
    }
    return element
  }

  /// The constant that input `index` has to be.
  func known(_ index: Int) throws(EncodeError) -> Tensor {
    guard let tensor = constant(index) else {
      throw refusal("\(node.operation.name) whose input \(index) is no constant")
    }
    return tensor
  }

  /// The integers of a constant input; nil when it is left out.
  func integers(_ index: Int) throws(EncodeError) -> [Int]? {
    guard has(index) else { return nil }
    return try known(index).integers.map { Int($0) }
  }

  func strand(_ index: Int = 0) throws(EncodeError) -> Strand {
    guard let name = name(index) else { throw refusal("a missing input \(index)") }
    return try composer.strand(name, at: place)
  }

  /// A floating-point input.
  func numbers(_ index: Int = 0) throws(EncodeError) -> Strand {
    let strand = try strand(index)
    guard strand.element.isComputed else {
      throw refusal("\(node.operation.name) of \(strand.element) elements")
    }
    return strand
  }

  /// Whether nobody but this node sees what the layer of input `index` gives.
  func isMadeFor(_ index: Int, _ strand: Strand) -> Bool {
    guard let name = name(index) else { return false }
    return composer.isUsedOnce(name) && composer.isMade(strand.origin.layer, as: name)
  }

  func isUsed(output: Int) -> Bool {
    guard output < node.outputs.count, let name = node.outputs[output] else { return false }
    return composer.isUsed(name)
  }

  /// The extents of an output as far as they are known.
  func outputShape(_ index: Int = 0) -> [Dimension]? {
    guard index < node.outputs.count else { return nil }
    return node.outputs[index].flatMap { composer.type($0)?.shape?.dimensions }
  }

  /// An axis counted from the front.
  func axis(_ axis: Int, _ rank: Int) throws(EncodeError) -> Int {
    let front = axis < 0 ? axis + rank : axis
    guard front >= 0, front < rank else { throw refusal("axis \(axis)") }
    return front
  }

  /// The position of the graph's axis in the tensor.
  ///
  /// - Throws: `EncodeError.inexpressible` for the batch's axis, which no layer works on.
  func position(_ axis: Int, of strand: Strand) throws(EncodeError) -> Int {
    guard let position = strand.axes[axis], position > 0 else {
      throw refusal("\(node.operation.name) along the batch")
    }
    return position
  }

  /// Adds a layer that touches every element alone.
  func map(
    _ strand: Strand, _ className: String, _ settings: [(String, JSONValue)],
    _ weights: [LayerSheet.Weight] = []
  ) -> Strand {
    composer.map(strand, className, settings, weights: weights, named: hint)
  }

  func activation(_ name: String, _ strand: Strand) -> Strand {
    map(strand, "Activation", [("activation", .string(name))])
  }

  /// `scale · x + offset`.
  func rescaled(_ strand: Strand, _ scale: Double, _ offset: Double) -> Strand {
    map(strand, "Rescaling", [("scale", .number(scale)), ("offset", .number(offset))])
  }

  /// `x` where it is above 0, and at most `highest`.
  func rectified(_ strand: Strand, highest: Double? = nil) -> Strand {
    var result = map(
      strand, "ReLU",
      [
        ("max_value", highest.map { .number($0) } ?? .null), ("negative_slope", 0.0),
        ("threshold", 0.0),
      ])
    result.isNonNegative = true
    return result
  }

  /// Joins tensors whose axes stand alike.
  func merged(_ strands: [Strand], _ className: String) throws(EncodeError) -> Strand {
    let aligned = try aligned(strands)
    guard let first = aligned.first else { throw refusal("no inputs") }
    let extents = first.extents.indices.map { axis -> Int? in
      let all = aligned.map { $0.extents[axis] }
      if let wide = all.first(where: { $0 != nil && $0 != 1 }) { return wide }
      return all.contains(nil) ? nil : 1
    }
    var result = composer.layer(className, [], aligned, extents: extents, named: hint)
    result.axes = first.axes
    return result
  }

  /// The tensors with as many axes each, in one order.
  func aligned(_ strands: [Strand]) throws(EncodeError) -> [Strand] {
    let rank = strands.map(\.rank).max() ?? 0
    var level: [Strand] = []
    for strand in strands {
      var strand = strand
      strand.axes = Array(repeating: nil, count: rank - strand.rank) + strand.axes
      level.append(strand)
    }
    // The one of most elements keeps its order.
    guard let leader = level.max(by: { $0.extents.count < $1.extents.count }) else { return [] }
    let absent = leader.axes.indices.filter { leader.axes[$0] == nil }
    let wanted = leader.order + absent
    var result: [Strand] = []
    for strand in level { result.append(try composer.arranged(strand, wanted, at: place)) }
    return result
  }
}
