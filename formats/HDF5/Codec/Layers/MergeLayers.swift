import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let mergeLayers: [LayerBinding] = [
    LayerBinding("Add") { (site) throws(DecodeError) in [try site.folded(Add(), Sum())] },
    LayerBinding("Subtract") { (site) throws(DecodeError) in
      guard site.inputs.count == 2 else { throw site.invalid("\(site.inputs.count) inputs") }
      return [try site.folded(Sub(), Sum())]
    },
    LayerBinding("Multiply") { (site) throws(DecodeError) in [try site.folded(Mul(), nil as Sum?)]
    },
    LayerBinding("Average") { (site) throws(DecodeError) in [try site.folded(nil as Add?, Mean())]
    },
    LayerBinding("Maximum") { (site) throws(DecodeError) in [try site.folded(nil as Add?, Max())] },
    LayerBinding("Minimum") { (site) throws(DecodeError) in [try site.folded(nil as Add?, Min())] },
    LayerBinding("Concatenate") { (site) throws(DecodeError) in
      [try site.concatenated(axis: try site.settings.integer("axis", -1))]
    },
    LayerBinding("Dot") { (site) throws(DecodeError) in [try site.dotProduct()] },
  ]
}

extension LayerSite {
  /// The inputs with axes of extent 1 behind the batch where some have fewer axes than others.
  private func levelled() throws(DecodeError) -> [KerasTensor] {
    let rank = inputs.map(\.rank).max() ?? 0
    var result: [KerasTensor] = []
    for input in inputs {
      guard input.rank < rank else {
        result.append(input)
        continue
      }
      let axes = Array(1..<1 + rank - input.rank)
      result.append(KerasTensor(try emit(Unsqueeze(), [try plain(input), try vector(axes)])))
    }
    return result
  }

  /// Broadcasts the inputs and joins them element by element.
  ///
  /// - Parameters:
  ///   - pair: the operator for two; nil when `several` serves them too.
  ///   - several: the operator for any number; nil when pairs are chained.
  func folded(
    _ pair: (some Operator)?, _ several: (some Operator)?
  ) throws(DecodeError) -> KerasTensor {
    guard inputs.count >= 2 else { throw invalid("\(inputs.count) inputs to merge") }
    let tensors = try levelled()
    let (wires, order, isFlat) = try aligned(tensors)
    let mask = merged(inputs.map(\.mask))
    func result(_ wire: Wire) -> KerasTensor {
      KerasTensor(wire, order: order, isFlat: isFlat, mask: mask)
    }
    if let pair, wires.count == 2 || several == nil {
      var sum = wires[0]
      for wire in wires.dropFirst() { sum = try emit(pair, [sum, wire]) }
      return result(sum)
    }
    guard let several else { throw invalid("\(inputs.count) inputs to merge") }
    return result(try emit(several, wires))
  }

  /// Which steps of a merged value count. Up to Keras 2 those that do in every input that tells; from
  /// Keras 3 on those that do in one, where all inputs tell.
  private func merged(_ masks: [SequenceMask?]) -> SequenceMask? {
    let given = masks.compactMap { $0 }
    guard given.count > 1 else {
      return generation == .three && masks.count > 1 ? nil : given.first
    }
    if generation == .three {
      return given.count == masks.count ? combined(given, by: Or()) : nil
    }
    return combined(given, by: And())
  }

  private func combined(_ masks: [SequenceMask], by operation: some Operator) -> SequenceMask {
    SequenceMask { () throws(DecodeError) in
      guard let first = masks.first else { throw invalid("no mask") }
      var all = try first.wire()
      for mask in masks.dropFirst() {
        let other = try mask.wire()
        if other.name != all.name { all = try emit(operation, [all, other], "Mask") }
      }
      return all
    }
  }

  /// Which steps of a concatenated value count: those that do in every part, or those of the parts.
  private func joined(_ masks: [SequenceMask?], axis: Int, rank: Int) -> SequenceMask? {
    let given = masks.compactMap { $0 }
    guard !given.isEmpty else { return nil }
    if axis == rank - 1, rank == 3 { return combined(given, by: And()) }
    return SequenceMask { () throws(DecodeError) in
      guard axis == 1, given.count == masks.count else {
        throw unsupported("masks of some parts only, or along another axis than time")
      }
      var concat = Concat()
      concat.axis = 1
      return try emit(
        concat, try given.map { (mask) throws(DecodeError) in try mask.wire() }, "Mask")
    }
  }

  /// The inputs one after the other along one of Keras's axes.
  func concatenated(axis: Int) throws(DecodeError) -> KerasTensor {
    guard let first = inputs.first else { throw invalid("no inputs") }
    let axis = axis < 0 ? axis + first.rank : axis
    guard axis >= 0, axis < first.rank, inputs.allSatisfy({ $0.rank == first.rank }) else {
      throw invalid("axis \(axis) of inputs of different rank")
    }
    if inputs.count == 1 { return first }
    let (wires, order, _) = try aligned(inputs, keepsFlat: false)
    var concat = Concat()
    concat.axis = order.firstIndex(of: axis) ?? axis
    return KerasTensor(
      try emit(concat, wires), order: order,
      mask: layer.isOperation ? nil : joined(inputs.map(\.mask), axis: axis, rank: first.rank))
  }

  /// Products summed over one axis of each input, perhaps of vectors scaled to length 1.
  fileprivate func dotProduct() throws(DecodeError) -> KerasTensor {
    guard inputs.count == 2 else { throw invalid("\(inputs.count) inputs") }
    let axes = try settings.extents("axes", 2, least: -8)
    var wires = [try plain(inputs[0]), try plain(inputs[1])]
    var positions: [Int] = []
    for index in 0..<2 {
      let axis = axes[index] < 0 ? axes[index] + wires[index].rank : axes[index]
      guard axis > 0, axis < wires[index].rank else {
        throw settings.fault("axes", "axis \(axes[index])")
      }
      positions.append(axis)
      if try settings.flag("normalize") {
        wires[index] = try lengthOne(wires[index], axis, "dot \(index)")
      }
    }
    // The batch, then what remains of the first input, then what remains of the second.
    var letters = "bcdefghijklmnopqrstuvwxyz".map(String.init)[...]
    var names: [[String]] = []
    for index in 0..<2 {
      var name = ["a"]
      for axis in 1..<wires[index].rank {
        if axis == positions[index] {
          name.append("z")
        } else {
          name.append(letters.popFirst() ?? "y")
        }
      }
      names.append(name)
    }
    let rest = names.flatMap { $0.filter { $0 != "a" && $0 != "z" } }
    // Two vectors give a number, which Keras keeps as an axis of extent 1.
    if rest.isEmpty {
      let product = try emit(Mul(), wires)
      return KerasTensor(try emit(ReduceSum(), [product, try vector([1])]))
    }
    var einsum = Einsum()
    einsum.equation =
      names.map { $0.joined() }.joined(separator: ",") + "->a" + rest.joined()
    return KerasTensor(try emit(einsum, wires))
  }

  /// `x / sqrt(max(Σ x², 1e-12))` along an axis of the wire.
  func lengthOne(_ wire: Wire, _ axis: Int, _ role: String) throws(DecodeError) -> Wire {
    let squares = try emit(ReduceSumSquare(), [wire, try vector([axis])])
    let least = try emit(Max(), [squares, try scalar(1e-12, wire.element, "least square")])
    return try emit(Div(), [wire, try emit(Sqrt(), [least])])
  }
}
