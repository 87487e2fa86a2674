import WherryBytes
import WherryGraph
import WherryOperators

/// Applies the layers of a model, and of the models inside it, in the order of their connections.
final class ModelAssembler {
  let builder: GraphBuilder
  private let generation: KerasGeneration
  private let weights: WeightTable
  private(set) var errors: [DecodeError] = []
  private(set) var losses: [Loss] = []
  /// How often each layer was applied.
  private var counts: [String: Int] = [:]
  /// Every application of a layer that is no model, in order; those inside wrappers left out.
  private(set) var applications: [LayerApplication] = []
  private var steps: Int

  /// Layers applied at most: nested models can multiply without end.
  private static let mostSteps = 1 << 17

  init(_ builder: GraphBuilder, _ generation: KerasGeneration, _ weights: WeightTable) {
    (self.builder, self.generation, self.weights) = (builder, generation, weights)
    steps = Self.mostSteps
  }

  /// The model's outputs; nil for those that rest on a layer with an error.
  func apply(
    _ model: ModelDescription, to inputs: [KerasTensor?], at place: Place
  ) -> [KerasTensor?] {
    switch model.kind {
    case .sequential: sequential(model, inputs)
    case .functional: functional(model, inputs, place)
    }
  }

  private func sequential(_ model: ModelDescription, _ inputs: [KerasTensor?]) -> [KerasTensor?] {
    var tensors = inputs
    for layer in model.layers {
      let call = LayerCall(
        tensors: [],
        arguments: [tensors.count == 1 ? .tensor(0) : .list(tensors.indices.map { .tensor($0) })])
      tensors = apply(layer, call, tensors)
    }
    return tensors
  }

  private func functional(
    _ model: ModelDescription, _ inputs: [KerasTensor?], _ place: Place
  ) -> [KerasTensor?] {
    var known: [TensorReference: KerasTensor?] = [:]
    for (reference, input) in zip(model.inputs, inputs) { known[reference] = input }
    // Each call waits for its tensors; `waiting` lists the calls by what they wait for.
    struct Call { var layer: Int, index: Int, missing: Int }
    var calls: [Call] = []
    var makers: [String: Int] = [:]
    var waiting: [String: [Int]] = [:]
    var firstCall: [Int] = []
    for (position, layer) in model.layers.enumerated() {
      makers[layer.name] = position
      firstCall.append(calls.count)
      for index in layer.calls.indices {
        calls.append(Call(layer: position, index: index, missing: 0))
      }
    }
    var done = [Bool](repeating: false, count: calls.count)
    for index in calls.indices {
      let call = model.layers[calls[index].layer].calls[calls[index].index]
      for key in Set(call.tensors.map { "\($0.call) \($0.layer)" }) {
        let reference = call.tensors.first { "\($0.call) \($0.layer)" == key }
        guard let reference, let maker = makers[reference.layer] else {
          let missing = reference?.layer ?? key
          errors.append(
            DecodeError(.missing(missing), model.layers[calls[index].layer].place))
          calls[index].missing += 1
          continue
        }
        // Input layers are applied by nobody.
        guard !model.layers[maker].calls.isEmpty else { continue }
        calls[index].missing += 1
        waiting[key, default: []].append(index)
      }
    }
    for index in calls.indices {
      var ready = !done[index] && calls[index].missing == 0 ? [index] : []
      while let next = ready.popLast() {
        done[next] = true
        let layer = model.layers[calls[next].layer]
        let call = layer.calls[calls[next].index]
        var tensors: [KerasTensor?] = []
        for reference in call.tensors {
          if let tensor = known[reference] {
            tensors.append(tensor)
          } else {
            errors.append(
              DecodeError(.missing("\(reference.layer) output \(reference.output)"), layer.place))
            tensors.append(nil)
          }
        }
        let outputs = apply(layer, call, tensors)
        for (output, tensor) in outputs.enumerated() {
          known[TensorReference(layer: layer.name, call: calls[next].index, output: output)] =
            tensor
        }
        for dependent in waiting["\(calls[next].index) \(layer.name)"] ?? [] {
          calls[dependent].missing -= 1
          // Later calls come up by themselves, which keeps the file's order.
          if calls[dependent].missing == 0, dependent < index { ready.append(dependent) }
        }
      }
    }
    if let stuck = done.firstIndex(of: false), errors.isEmpty {
      errors.append(
        DecodeError(
          .invalid("the layer waits for its own output"), model.layers[calls[stuck].layer].place))
    }
    return model.outputs.map { reference in
      if let tensor = known[reference] { return tensor }
      if errors.isEmpty { errors.append(DecodeError(.missing(reference.layer), place)) }
      return nil
    }
  }

  /// Applies one layer; its outputs are nil where an input is.
  private func apply(
    _ layer: LayerDescription, _ call: LayerCall, _ tensors: [KerasTensor?]
  ) -> [KerasTensor?] {
    let given = tensors.compactMap { $0 }
    guard given.count == tensors.count else {
      return Array(repeating: nil, count: max(layer.model?.outputs.count ?? 1, 8))
    }
    guard steps > 0 else {
      if steps == 0 { errors.append(DecodeError(.limit("layers", Self.mostSteps), layer.place)) }
      steps = -1
      return []
    }
    steps -= 1
    do {
      if let model = layer.model {
        return apply(model, to: given, at: layer.place)
      }
      let index = counts[layer.path, default: 0]
      var outputs = try build(layer, call, given)
      applications.append(
        LayerApplication(
          layer: layer, index: index, sources: given.compactMap(\.source), call: call))
      for output in outputs.indices {
        outputs[output].source = .init(path: layer.path, application: index, output: output)
      }
      return outputs
    } catch {
      errors.append(error)
      return Array(repeating: nil, count: 8)
    }
  }

  private func build(
    _ layer: LayerDescription, _ call: LayerCall, _ tensors: [KerasTensor]
  ) throws(DecodeError) -> [KerasTensor] {
    // What is given by position is what most layers take; keywords are looked up by those that know
    // them, and the first one stands for a missing position.
    var positional = call.arguments.flatMap(\.tensors)
    if positional.isEmpty, let first = call.keywords.first(where: { !$0.value.tensors.isEmpty }) {
      positional = first.value.tensors
    }
    let outer = LayerSite(
      layer: layer, assembler: self, generation: generation, builder: builder, weights: weights,
      inputs: positional.compactMap { $0 < tensors.count ? tensors[$0] : nil }, call: call,
      arguments: tensors)
    let site = try autocast(outer)
    let binding =
      layer.isOperation
      ? OperationBinding.named(layer.className)?.build : LayerBinding.named(layer.className)?.build
    guard let binding else {
      throw DecodeError(.unsupported("class \(layer.className)"), layer.place)
    }
    let first = builder.nodes.count
    var outputs = try binding(site)
    // Functions forget which steps count.
    if layer.isOperation { for index in outputs.indices { outputs[index].mask = nil } }
    let application = counts[layer.path, default: 0]
    counts[layer.path] = application + 1
    let made = Set(builder.nodes[first...].flatMap { $0.outputs.compactMap { $0 } })
    for (index, output) in outputs.enumerated() where made.contains(output.wire.name) {
      let call = application == 0 ? "" : "@\(application)"
      builder.rename(output.wire.name, to: layer.path + call + (index == 0 ? "" : ":\(index)"))
    }
    return outputs
  }

  /// Applies a layer or model that stands inside another layer.
  func applyInside(
    _ layer: LayerDescription, _ tensors: [KerasTensor]
  ) throws(DecodeError) -> [KerasTensor] {
    let arguments = tensors.indices.map { LayerArgument.tensor($0) }
    let call = LayerCall(arguments: [tensors.count == 1 ? arguments[0] : .list(arguments)])
    guard let model = layer.model else { return try build(layer, call, tensors) }
    let before = errors.count
    let outputs = apply(model, to: tensors, at: layer.place).compactMap { $0 }
    guard errors.count == before, outputs.count >= 1 else {
      throw errors.popLast() ?? DecodeError(.invalid("a model without outputs"), layer.place)
    }
    return outputs
  }

  /// A layer takes floating-point inputs in the type that it computes in.
  private func autocast(_ site: LayerSite) throws(DecodeError) -> LayerSite {
    guard !site.layer.isOperation, site.layer.className != "InputLayer" else { return site }
    func cast(_ tensor: KerasTensor) throws(DecodeError) -> KerasTensor {
      tensor.with(try site.computing(tensor.wire))
    }
    let arguments = try site.arguments.map { (tensor) throws(DecodeError) in try cast(tensor) }
    let inputs = try site.inputs.map { (tensor) throws(DecodeError) in try cast(tensor) }
    return LayerSite(
      layer: site.layer, assembler: self, generation: generation, builder: builder,
      weights: weights, inputs: inputs, call: site.call, arguments: arguments)
  }

  /// Notes what the graph does otherwise than Keras.
  func note(_ loss: Loss) { losses.append(loss) }
}
