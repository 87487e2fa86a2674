import WherryBytes
import WherryGraph
import WherryText

/// The layers of a functional model as they are put together, and the weights they hold.
final class LayerSheet {
  struct Weight {
    /// The layer inside a wrapper that holds it: `forward`.
    var inner: String?
    var key: String
    var tensor: Tensor

    init(_ key: String, _ tensor: Tensor, inner: String? = nil) {
      (self.key, self.tensor, self.inner) = (key, tensor, inner)
    }
  }

  struct Layer {
    var className: String
    var settings: [(String, JSONValue)]
    var element: ElementType
    var weights: [Weight]
    var inputs: [Strand.Origin]
    /// Tensors given by keyword.
    var states: [Strand.Origin] = []
    /// What the layer shall be called if that is free.
    var hint: String
  }

  private(set) var layers: [Layer] = []

  func add(_ layer: Layer) -> Int {
    layers.append(layer)
    return layers.count - 1
  }

  func change(_ index: Int, _ body: (inout Layer) -> Void) {
    guard layers.indices.contains(index) else { return }
    body(&layers[index])
  }

  /// A finished model: its configuration and its weights.
  struct Page {
    var configuration: JSONValue
    var weights: WeightTable
    /// Names of the graph that Keras can't have, and what they became.
    var renamed: [(from: String, to: String)]
  }

  /// Names the layers and joins them.
  ///
  /// - Parameters:
  ///   - inputs: the layers of the inputs, with the names these have in the graph.
  ///   - outputs: the same of the outputs.
  func page(
    name: String, inputs: [(name: String, layer: Int)],
    outputs: [(name: String, origin: Strand.Origin)]
  ) -> Page {
    var names = [String?](repeating: nil, count: layers.count)
    var taken: Set<String> = []
    var renamed: [(from: String, to: String)] = []
    func unique(_ wanted: String) -> String {
      let plain = Self.plain(wanted)
      var name = plain
      var count = 1
      while !taken.insert(name.lowercased()).inserted {
        name = "\(plain)_\(count)"
        count += 1
      }
      return name
    }
    for (wanted, layer) in inputs + outputs.map({ ($0.name, $0.origin.layer) })
    where names[layer] == nil {
      let name = unique(wanted)
      names[layer] = name
      if name != wanted { renamed.append((wanted, name)) }
    }
    for index in layers.indices where names[index] == nil {
      names[index] = unique(layers[index].hint)
    }
    var table = WeightTable()
    var list: [JSONValue] = []
    for (index, layer) in layers.enumerated() {
      let name = names[index] ?? ""
      list.append(entry(layer, name) { names[$0] ?? "" })
      for weight in layer.weights {
        let path = weight.inner.map { "\(name)/\($0)" } ?? name
        let variable = WeightVariable(name: "\(path)/\(weight.key):0", tensor: weight.tensor)
        table.set(path, weight.key, variable)
      }
    }
    func references(_ origins: [Strand.Origin]) -> JSONValue {
      .array(origins.map { [.string(names[$0.layer] ?? ""), 0, .integer(Int64($0.output))] })
    }
    let config: JSONValue = [
      "name": .string(Self.plain(name.isEmpty ? "model" : name)), "trainable": true,
      "layers": .array(list), "input_layers": references(inputs.map { .init(layer: $0.layer) }),
      "output_layers": references(outputs.map(\.origin)),
    ]
    return Page(
      configuration: [
        "module": "keras", "class_name": "Model", "config": config, "registered_name": nil,
      ], weights: table, renamed: renamed)
  }

  /// A layer in the form that both Keras 2 and Keras 3 read.
  private func entry(_ layer: Layer, _ name: String, _ names: (Int) -> String) -> JSONValue {
    var config = [JSONMember("name", .string(name))]
    if layer.className != "InputLayer" { config.append(JSONMember("trainable", true)) }
    config.append(JSONMember("dtype", .string(layer.element.name)))
    config += layer.settings.map { JSONMember($0.0, $0.1) }
    func reference(_ origin: Strand.Origin) -> [JSONValue] {
      [.string(names(origin.layer)), 0, .integer(Int64(origin.output))]
    }
    var keywords: [JSONMember] = []
    if !layer.states.isEmpty {
      keywords = [
        JSONMember("initial_state", .array(layer.states.map { .array(reference($0)) }))
      ]
    }
    let call = layer.inputs.enumerated().map { index, origin -> JSONValue in
      .array(reference(origin) + [.object(index == 0 ? keywords : [])])
    }
    return [
      "module": "keras.layers", "registered_name": nil, "class_name": .string(layer.className),
      "name": .string(name), "config": .object(config),
      "inbound_nodes": call.isEmpty ? [] : [.array(call)],
    ]
  }

  /// A name as Keras allows it: letters, digits and a few signs, none of them in front.
  static func plain(_ name: String) -> String {
    var text = ""
    for scalar in name.unicodeScalars {
      let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
      let isDigit = ("0"..."9").contains(scalar)
      let fits = isLetter || isDigit || (!text.isEmpty && "_.-".unicodeScalars.contains(scalar))
      text.unicodeScalars.append(fits ? scalar : "_")
    }
    if text.isEmpty || text.first == "_" { text = "layer\(text)" }
    return text
  }
}
