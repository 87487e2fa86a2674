import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// What a layer sees when it is turned into nodes: its settings, weights and inputs.
struct LayerSite {
  let layer: LayerDescription
  /// Applies the layers inside this one.
  let assembler: ModelAssembler
  let generation: KerasGeneration
  let builder: GraphBuilder
  let weights: WeightTable
  var inputs: [KerasTensor]
  /// The call, with its arguments by position and by name.
  let call: LayerCall
  /// The tensors of the call, by the index they have there.
  let arguments: [KerasTensor]

  var settings: LayerSettings { layer.settings }
  var path: String { layer.path }
  var place: Place { layer.place }

  /// The only input.
  ///
  /// - Throws: `DecodeError.invalid` when there are none or several.
  func input() throws(DecodeError) -> KerasTensor {
    guard inputs.count == 1 else {
      throw DecodeError(.invalid("\(inputs.count) inputs where one is expected"), place)
    }
    return inputs[0]
  }

  /// An input whose rank is as expected.
  func input(rank: ClosedRange<Int>) throws(DecodeError) -> KerasTensor {
    let input = try input()
    guard rank.contains(input.rank) else {
      throw DecodeError(.invalid("an input of rank \(input.rank)"), place)
    }
    return input
  }

  /// The arguments given by one keyword.
  func keyword(_ name: String) -> LayerArgument? {
    call.keywords.last { $0.name == name }?.value
  }

  /// The tensor given by a keyword; nil when none is.
  func tensor(keyword name: String) -> KerasTensor? {
    keyword(name)?.tensors.first.flatMap { $0 < arguments.count ? arguments[$0] : nil }
  }

  /// Which steps of the only input count: a mask given by name, or the one that comes with the input.
  func stepMask() -> SequenceMask? {
    guard let given = tensor(keyword: "mask") else { return inputs.first?.mask }
    return SequenceMask { () throws(DecodeError) in try plain(given) }
  }

  /// The flag given by a keyword.
  func flag(keyword name: String) -> Bool {
    if case .constant(let value)? = keyword(name) { value.bool ?? false } else { false }
  }

  func invalid(_ what: String) -> DecodeError { DecodeError(.invalid(what), place) }
  func unsupported(_ what: String) -> DecodeError { DecodeError(.unsupported(what), place) }
}

// Weights.
extension LayerSite {
  /// A weight of the layer.
  ///
  /// - Parameter rank: what its rank must be.
  func weight(_ key: String, rank: Int? = nil) throws(DecodeError) -> WeightVariable {
    guard let weight = weights[path][key] else { throw DecodeError(.missing(key), place) }
    if let rank, weight.shape.count != rank {
      throw DecodeError(
        .invalid("rank \(weight.shape.count) instead of \(rank)"), place.inside("weight", key))
    }
    builder.use(path, key)
    return weight
  }

  /// A weight as a constant of the graph, perhaps rearranged.
  ///
  /// - Parameter form: names the rearrangement, so that several of one weight are told apart.
  func constant(
    _ key: String, rank: Int? = nil, form: String = "",
    _ change: (Tensor) -> Tensor? = { $0 }
  ) throws(DecodeError) -> Wire {
    let weight = try weight(key, rank: rank)
    let wire = try builder.constant(
      "\(path)/\(key)\(form.isEmpty ? "" : "/\(form)")", weight: weight.name
    ) { () throws(DecodeError) in
      let stored = try weight.tensor()
      guard let tensor = change(stored) else {
        throw DecodeError(.invalid("shape \(weight.shape)"), place.inside("weight", key))
      }
      // A copy and its pages of the file would count twice.
      if tensor.bytes.store !== stored.bytes.store { stored.bytes.releasePages() }
      return tensor
    }
    return try computing(wire)
  }

  /// A floating-point value as the layer computes with it: with a mixed policy that is another type than
  /// the one it is stored in.
  func computing(_ wire: Wire) throws(DecodeError) -> Wire {
    guard wire.element.isFloat, let element = try settings.element(), element.isFloat,
      element != wire.element
    else { return wire }
    return try builder.converted(wire.name, [-1 - Int(element.rawValue)]) {
      () throws(DecodeError) in
      var cast = Cast()
      cast.target = element
      return try emit(cast, [wire])
    }
  }

  /// A constant that follows from the settings.
  func constant(made role: String, _ tensor: Tensor?) throws(DecodeError) -> Wire {
    try builder.constant("\(path)/\(role)") { () throws(DecodeError) in
      guard let tensor else { throw invalid(role) }
      return tensor
    }
  }

  /// A number of an element type, as a scalar.
  func scalar(_ value: Double, _ element: ElementType, _ role: String) throws(DecodeError) -> Wire {
    try constant(
      made: "\(role)\(element == .float32 ? "" : "/\(element)")",
      Tensor(element, [], doubles: [value]))
  }

  /// Integers as operators take extents and axes.
  func vector(_ values: [Int]) throws(DecodeError) -> Wire {
    try builder.constant("\(path)/" + values.map(String.init).joined(separator: ",")) {
      () throws(DecodeError) in Tensor(vector: values)
    }
  }
}

// Nodes.
extension LayerSite {
  /// Adds a node of one output; it is named after the layer and its role in it.
  func emit(
    _ operation: some Operator, _ inputs: [Wire?], _ role: String? = nil
  ) throws(DecodeError) -> Wire {
    try builder.emit(
      operation, inputs, named: "\(path)/\(role ?? operation.name.name)", at: place)[0]
  }

  func emit(
    _ operation: some Operator, _ inputs: [Wire?], outputs: Int
  ) throws(DecodeError) -> [Wire] {
    try builder.emit(
      operation, inputs, named: "\(path)/\(operation.name.name)", outputs: outputs, at: place)
  }

  /// Applies an operator to every element alone.
  func map(_ operation: some Operator, _ tensor: KerasTensor) throws(DecodeError) -> KerasTensor {
    tensor.with(try emit(operation, [tensor.wire]))
  }

  /// Applies an operator to every element and a constant.
  func map(
    _ operation: some Operator, _ tensor: KerasTensor, _ value: Double, _ role: String
  ) throws(DecodeError) -> KerasTensor {
    let constant = try scalar(value, tensor.element, role)
    return tensor.with(try emit(operation, [tensor.wire, constant]))
  }
}
