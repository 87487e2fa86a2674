import WherryBytes
import WherryGraph
import WherryText

/// Makes the graph of an outermost model: its inputs, its layers, its outputs.
struct GraphAssembly {
  private let model: ModelDescription
  private let generation: KerasGeneration
  private let weights: WeightTable
  private let place: Place

  init(
    _ model: ModelDescription, _ generation: KerasGeneration, _ weights: WeightTable, _ place: Place
  ) {
    (self.model, self.generation, self.weights, self.place) = (model, generation, weights, place)
  }

  /// A finished graph and what else is known of it.
  struct Result {
    var graph: Graph
    /// The ONNX operator set that has all of its operators.
    var operatorSet: Int64
    /// What it does otherwise than Keras.
    var losses: [Loss]
    /// Names of the constants that hold weights.
    var weightConstants: Set<String>
    /// The weights that no constant holds, by layer and key.
    var unused: [(layer: String, key: String)]
    /// The layers as they were applied.
    var applications: [LayerApplication]
    var inputs: [ValueInfo]
    /// The layers that give the outputs; fewer than those when one is not known.
    var outputs: [LayerApplication.Source]
  }

  /// Makes the graph.
  ///
  /// - Parameter keeps: whether the graph keeps a constant that holds a weight, by name and content.
  /// - Throws: `ReadFailure` with the error of every layer that has one.
  func graph(
    keeps: @escaping (String, Tensor) -> Bool = { _, _ in true }
  ) throws(ReadFailure) -> Result {
    let builder = GraphBuilder(keeps: keeps)
    do {
      builder.reserve(Self.paths(model))
      let entries = try entries()
      var infos: [ValueInfo] = []
      var tensors: [KerasTensor?] = []
      for entry in entries {
        let wire = builder.input(entry.name, entry.element, entry.shape)
        infos.append(ValueInfo(entry.name, wire.type))
        var tensor = KerasTensor(wire)
        tensor.source = .init(path: entry.name, application: 0, output: 0)
        tensors.append(tensor)
      }
      let assembler = ModelAssembler(builder, generation, weights)
      let outputs = assembler.apply(model, to: tensors, at: place)
      guard assembler.errors.isEmpty else { throw ReadFailure(assembler.errors) }
      let names = outputNames(outputs.count)
      var results: [(wire: Wire, name: String)] = []
      var sources: [LayerApplication.Source?] = []
      for (index, output) in outputs.enumerated() {
        guard let output else { throw DecodeError(.missing(names[index]), place) }
        results.append((try plain(output, names[index], assembler), names[index]))
        sources.append(output.source)
      }
      let graph = try builder.finish(
        name: model.name, inputs: infos, outputs: results, at: place)
      return Result(
        graph: graph, operatorSet: builder.operatorSet, losses: assembler.losses,
        weightConstants: builder.weightConstants,
        unused: weights.order.filter { !builder.usedWeights.contains([$0.layer, $0.key]) },
        applications: assembler.applications, inputs: infos, outputs: sources.compactMap { $0 })
    } catch let error as ReadFailure {
      throw error
    } catch let error as DecodeError {
      throw ReadFailure(error)
    } catch {
      throw ReadFailure(DecodeError(.invalid("\(error)"), place))
    }
  }

  private static func paths(_ model: ModelDescription) -> [String] {
    model.layers.flatMap { layer in
      [layer.path] + (layer.model.map { paths($0) } ?? [])
    }
  }

  private struct Entry {
    var name: String
    var element: ElementType
    var shape: Shape
  }

  /// The model's inputs. The batch and other extents that Keras leaves open are named.
  private func entries() throws(DecodeError) -> [Entry] {
    switch model.kind {
    case .functional:
      var entries: [Entry] = []
      for reference in model.inputs {
        guard let layer = model.layers.first(where: { $0.name == reference.layer }) else {
          throw DecodeError(.missing(reference.layer), place.inside("setting", "input_layers"))
        }
        entries.append(try entry(layer, layer.name))
      }
      return entries
    case .sequential:
      guard let first = firstLayer(model.layers) else {
        throw DecodeError(.missing("layers"), place)
      }
      let name = first.className == "InputLayer" ? first.name : "\(first.name)_input"
      return [try entry(first, name, model.inputShape)]
    }
  }

  /// A sequential model may begin with models.
  private func firstLayer(_ layers: [LayerDescription]) -> LayerDescription? {
    guard let first = layers.first else { return nil }
    guard let inner = first.model else { return first }
    switch inner.kind {
    case .sequential: return firstLayer(inner.layers)
    case .functional: return inner.layers.first { $0.name == inner.inputs.first?.layer }
    }
  }

  private func entry(
    _ layer: LayerDescription, _ name: String, _ fallback: [Int?]? = nil
  ) throws(DecodeError) -> Entry {
    let settings = layer.settings
    var shape = try settings.shape("batch_input_shape")
    if shape == nil { shape = try settings.shape("batch_shape") }
    if shape == nil { shape = try Self.impliedShape(settings) ?? fallback }
    guard let shape else {
      throw DecodeError(.missing("batch_input_shape"), layer.place)
    }
    let dimensions = shape.enumerated().map { axis, extent -> Dimension in
      if let extent { return .fixed(extent) }
      return .symbolic(axis == 0 ? "batch" : "\(name)_\(axis)")
    }
    var element = try settings.element() ?? .float32
    if let named = settings["input_dtype"]?.string, let type = ElementType(name: named) {
      element = type
    }
    if layer.className == "Embedding", element != .float64 { element = .float32 }
    return Entry(name: name, element: element, shape: Shape(dimensions))
  }

  /// The input's shape of a first layer of Keras 1 and 2 that states only a part of it.
  private static func impliedShape(_ settings: LayerSettings) throws(DecodeError) -> [Int?]? {
    if let shape = try settings.shape("input_shape") { return [nil] + shape }
    guard settings["input_dim"] != nil else { return nil }
    let extent = try settings.integer("input_dim")
    guard settings["input_length"] != nil || settings["output_dim"] != nil else {
      return [nil, extent]
    }
    let length = settings["input_length"] == nil ? nil : try settings.integer("input_length")
    return settings["output_dim"] != nil ? [nil, length] : [nil, length, extent]
  }

  /// The names of the layers that give the outputs.
  private func outputNames(_ count: Int) -> [String] {
    switch model.kind {
    case .functional: model.outputs.map(\.layer)
    case .sequential: Array(repeating: model.layers.last?.name ?? "output", count: count)
    }
  }

  private func plain(
    _ tensor: KerasTensor, _ name: String, _ assembler: ModelAssembler
  ) throws(DecodeError) -> Wire {
    let layer = LayerDescription(
      className: "", classInFile: "", name: name, path: name,
      settings: LayerSettings(json: .null, place: place),
      isTrainable: true)
    return try LayerSite(
      layer: layer, assembler: assembler, generation: generation, builder: assembler.builder,
      weights: weights, inputs: [tensor], call: LayerCall(), arguments: [tensor]
    ).plain(tensor)
  }
}
