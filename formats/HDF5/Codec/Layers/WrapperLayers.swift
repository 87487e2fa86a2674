import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

extension LayerBinding {
  static let wrapperLayers: [LayerBinding] = [
    LayerBinding("Bidirectional") { (site) throws(DecodeError) in try site.bothWays() },
    LayerBinding("TimeDistributed") { (site) throws(DecodeError) in [try site.everyStep()] },
    // Its class is replaced by that of the layer that runs the cell.
    LayerBinding("RNN") { (site) throws(DecodeError) in throw site.unsupported("class RNN") },
  ]
}

extension LayerSite {
  /// The site of a layer inside this one, with other inputs.
  func inside(_ layer: LayerDescription, _ inputs: [KerasTensor]) -> LayerSite {
    LayerSite(
      layer: layer, assembler: assembler, generation: generation, builder: builder,
      weights: weights, inputs: inputs, call: call, arguments: arguments)
  }

  /// One recurrent layer over the sequence and one over its reverse, joined.
  fileprivate func bothWays() throws(DecodeError) -> [KerasTensor] {
    guard layer.inner.count == 2 else { throw invalid("directions are missing") }
    let sites = layer.inner.map { inside($0.layer, inputs) }
    let net = try RecurrentNet(sites)
    let first = sites[0].settings
    guard try !first.flag("go_backwards"), try sites[1].settings.flag("go_backwards") else {
      throw unsupported("directions that are the same")
    }
    let count = net.kind == .lstm ? 2 : 1
    let sequence = try RecurrentSequence(sites[0], try sequenceInput())
    let run = try sequence.run(net, states: try initialStatesBothWays(count))
    var outputs: [KerasTensor]
    let mode =
      settings.json["merge_mode"]?.string ?? (settings.json["merge_mode"] == nil ? "concat" : "")
    if try first.flag("return_sequences") {
      outputs = try steps(sequence, run, mode)
    } else {
      outputs = try merged(run.last[0], mode, axis: 0, order: nil)
    }
    if try first.flag("return_state") {
      for direction in 0..<2 {
        for state in run.last {
          outputs.append(KerasTensor(try picked(state, direction, axis: 0)))
        }
      }
    }
    return outputs
  }

  private func initialStatesBothWays(_ count: Int) throws(DecodeError) -> [Wire?] {
    let states = try initialStates(inputs.dropFirst().map { $0 }, count: 2 * count)
    guard !states.isEmpty else { return [] }
    var concat = Concat()
    concat.axis = 0
    return try (0..<count).map { (index) throws(DecodeError) in
      try emit(concat, [states[index], states[count + index]])
    }
  }

  private func picked(_ wire: Wire, _ index: Int, axis: Int) throws(DecodeError) -> Wire {
    let constant = try constant(
      made: "index \(index)", Tensor(.int64, [], integers: [Int64(index)]))
    var gather = Gather()
    gather.axis = axis
    return try emit(gather, [wire, constant])
  }

  /// The steps of both directions, joined.
  private func steps(
    _ sequence: RecurrentSequence, _ run: RecurrentSequence.Run, _ mode: String
  ) throws(DecodeError) -> [KerasTensor] {
    guard let mask = stepMask() else {
      return try merged(run.all, mode, axis: 1, order: try settingsOrder())
    }
    let parts = [
      try sequence.steps(run, direction: 0, isReversed: false),
      try sequence.steps(run, direction: 1, isReversed: true),
    ]
    guard mode != "" else { return parts }
    var both = inside(layer, parts)
    both.inputs = parts
    var result =
      mode == "concat" ? try both.concatenated(axis: 2) : try both.combined(mode)
    result.mask = mask
    return [result]
  }

  private func combined(_ mode: String) throws(DecodeError) -> KerasTensor {
    switch mode {
    case "sum": try folded(Add(), Sum())
    case "mul": try folded(Mul(), nil as Sum?)
    case "ave": try folded(nil as Add?, Mean())
    default: throw settings.unsupported("merge_mode", "merge_mode \(mode)")
    }
  }

  /// The order of axes of the sequences that the wrapped layer gives.
  private func settingsOrder() throws(DecodeError) -> [Int] {
    try layer.inner[0].layer.settings.flag("time_major") ? [0, 1, 2] : [1, 0, 2]
  }

  /// Joins the two directions along `axis`: `[…, 2, batch, units]`.
  private func merged(
    _ wire: Wire, _ mode: String, axis: Int, order: [Int]?
  ) throws(DecodeError) -> [KerasTensor] {
    let axes = try vector([axis])
    func tensor(_ wire: Wire) -> KerasTensor { KerasTensor(wire, order: order) }
    switch mode {
    case "concat":
      let beside = Array(0..<axis) + [axis + 1, axis, axis + 2]
      let moved = try permuted(wire, beside)
      guard axis > 0 else { return [tensor(try emit(Flatten(), [moved]))] }
      let shape = try vector(Array(repeating: 0, count: axis + 1) + [-1])
      return [tensor(try emit(Reshape(), [moved, shape]))]
    case "sum":
      var sum = ReduceSum()
      sum.keepsAxes = false
      return [tensor(try emit(sum, [wire, axes]))]
    case "ave":
      var mean = ReduceMean()
      mean.keepsAxes = false
      return [tensor(try emit(mean, [wire, axes]))]
    case "mul":
      var product = ReduceProd()
      product.keepsAxes = false
      return [tensor(try emit(product, [wire, axes]))]
    case "":
      return [
        tensor(try picked(wire, 0, axis: axis)), tensor(try picked(wire, 1, axis: axis)),
      ]
    default: throw settings.unsupported("merge_mode", "merge_mode \(mode)")
    }
  }
}

extension LayerSite {
  /// Layers that do the same to every step without being told.
  private static let stepless: Set<String> = [
    "Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "Identity", "GaussianNoise",
  ]

  /// A layer on every step of a sequence: time becomes a part of the batch.
  fileprivate func everyStep() throws(DecodeError) -> KerasTensor {
    guard let inner = layer.inner.first?.layer else { throw invalid("the layer is missing") }
    var x = try input()
    guard x.rank >= 3 else { throw invalid("an input of rank \(x.rank)") }
    if x.isFlat { x = KerasTensor(try plain(x)) }
    if Self.stepless.contains(inner.className) {
      return try assembler.applyInside(inner, [x])[0]
    }
    // Batch and time stand in front, the others as they are.
    let order = [0, 1] + x.order.filter { $0 > 1 }
    let wire = try arranged(x, order)
    let rest = wire.shape.dimensions.dropFirst(2)
    let folded = try reshaped(wire, [.unknown] + rest)
    let outputs = try assembler.applyInside(
      inner, [KerasTensor(folded, order: [0] + order.dropFirst(2).map { $0 - 1 })])
    guard let first = outputs.first else { throw invalid("a layer without an output") }
    let output = first.isFlat ? KerasTensor(try plain(first)) : first
    guard output.position(0) == 0 else { throw unsupported("a layer that moves the batch") }
    let result = try unfolded(output.wire, wire)
    let back = KerasTensor(result, order: [0, 1] + output.order.dropFirst().map { $0 + 1 })
    return back
  }

  /// Splits the first axis into batch and time again, as `source` has them.
  private func unfolded(_ wire: Wire, _ source: Wire) throws(DecodeError) -> Wire {
    let target = Array(source.shape.dimensions.prefix(2)) + wire.shape.dimensions.dropFirst()
    if target.filter({ $0.extent == nil }).count <= 1 { return try reshaped(wire, target) }
    var shape = ShapeOperator()
    (shape.start, shape.end) = (0, 2)
    let front = try emit(shape, [source])
    var behind = ShapeOperator()
    behind.start = 1
    var concat = Concat()
    concat.axis = 0
    let whole = try emit(concat, [front, try emit(behind, [wire], "Rest")])
    return try emit(Reshape(), [wire, whole])
  }
}
