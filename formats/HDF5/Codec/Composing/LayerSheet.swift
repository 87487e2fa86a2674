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
    /// Where a function of `keras.ops` stands, if it is no layer.
    var module: String?
    /// What the layer shall be called if that is free.
    var hint: String

    /// Everything that it is given, in Keras's order.
    var sources: [Strand.Origin] { inputs + states }
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

  /// Keras 2 reads bfloat16 from float32 alone; no number changes.
  private static func stored(_ tensor: Tensor) -> Tensor {
    guard tensor.element == .bfloat16 else { return tensor }
    return Tensor(.float32, tensor.shape, doubles: tensor.doubles) ?? tensor
  }

  /// A finished model: its configuration and its weights.
  struct Page {
    var configuration: JSONValue
    var weights: WeightTable
    /// Names of the graph that Keras can't have, and what they became.
    var renamed: [(from: String, to: String)]
    /// What of it only Keras 3 reads.
    var thirdOnly: [String]
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
    let order = order(from: outputs.map(\.origin.layer), inputs: inputs.map(\.layer))
    for index in order where names[index] == nil { names[index] = unique(layers[index].hint) }
    var table = WeightTable()
    var list: [JSONValue] = []
    for index in order {
      let (layer, name) = (layers[index], names[index] ?? "")
      list.append(entry(layer, name) { names[$0] ?? "" })
      for weight in layer.weights {
        let path = weight.inner.map { "\(name)/\($0)" } ?? name
        let variable = WeightVariable(
          name: "\(path)/\(weight.key):0", tensor: Self.stored(weight.tensor))
        table.set(path, weight.key, variable)
      }
    }
    func references(_ origins: [Strand.Origin]) -> JSONValue {
      let list: [JSONValue] = origins.map {
        [.string(names[$0.layer] ?? ""), 0, .integer(Int64($0.output))]
      }
      // A single tensor stands without a list, and is called without one.
      return list.count == 1 ? list[0] : .array(list)
    }
    let config: JSONValue = [
      "name": .string(Self.plain(name.isEmpty ? "model" : name)), "trainable": true,
      "layers": .array(list), "input_layers": references(inputs.map { .init(layer: $0.layer) }),
      "output_layers": references(outputs.map(\.origin)),
    ]
    return Page(
      configuration: [
        "module": "keras", "class_name": "Model", "config": config, "registered_name": nil,
      ], weights: table, renamed: renamed,
      thirdOnly: thirdOnly(order))
  }

  private func thirdOnly(_ order: [Int]) -> [String] {
    var found: [String] = []
    if order.contains(where: { !layers[$0].states.isEmpty }) { found.append("initial states") }
    let functions = Set(order.filter { layers[$0].module != nil }.map { layers[$0].className })
    return found + functions.sorted().map { "the function \($0) between layers" }
  }

  /// The layers in the order that Keras gives them when it builds the model, by which it finds their
  /// weights: from the inputs down, those of one depth as they are met from the outputs. Layers that no
  /// output rests on are left out.
  ///
  /// - Source: Keras 3, `ops/function.py`, `map_graph`; Keras 2 does the same.
  private func order(from outputs: [Int], inputs: [Int]) -> [Int] {
    var met: [Int: Int] = [:]
    var finished: [Int] = []
    for output in outputs where met[output] == nil {
      met[output] = met.count
      var stack = [(layer: output, next: 0)]
      while let (layer, next) = stack.last {
        let sources = layers[layer].sources
        if next == sources.count {
          finished.append(layer)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let source = sources[next].layer
        if met[source] == nil {
          met[source] = met.count
          stack.append((source, 0))
        }
      }
    }
    var depths: [Int: Int] = [:]
    for layer in finished.reversed() {
      let depth = depths[layer, default: 0]
      depths[layer] = depth
      for source in layers[layer].sources {
        depths[source.layer] = max(depths[source.layer, default: 0], depth + 1)
      }
    }
    for input in inputs where depths[input] == nil { (depths[input], met[input]) = (0, -1) }
    return depths.sorted {
      ($1.value, met[$0.key] ?? 0, $0.key) < ($0.value, met[$1.key] ?? 0, $1.key)
    }.map(\.key)
  }

  /// A layer in the form that both Keras 2 and Keras 3 read.
  private func entry(_ layer: Layer, _ name: String, _ names: (Int) -> String) -> JSONValue {
    var config = [JSONMember("name", .string(name))]
    if layer.className != "InputLayer", layer.module == nil {
      config.append(JSONMember("trainable", true))
    }
    if layer.module == nil { config.append(JSONMember("dtype", .string(layer.element.name))) }
    config += layer.settings.map { JSONMember($0.0, $0.1) }
    func reference(_ origin: Strand.Origin) -> [JSONValue] {
      [.string(names(origin.layer)), 0, .integer(Int64(origin.output))]
    }
    let call: JSONValue
    if layer.states.isEmpty, layer.module == nil {
      call = .array(layer.inputs.map { .array(reference($0) + [.object([])]) })
    } else {
      // Tensors by keyword have a form in each generation; this is Keras 3's.
      func tensor(_ origin: Strand.Origin) -> JSONValue {
        [
          "class_name": "__keras_tensor__",
          "config": [
            "shape": [], "dtype": .string(layers[origin.layer].element.name),
            "keras_history": .array(reference(origin)),
          ],
        ]
      }
      call = [
        "args": .array(layer.inputs.map(tensor)),
        "kwargs": layer.states.isEmpty
          ? [:] : ["initial_state": .array(layer.states.map(tensor))],
      ]
    }
    return [
      "module": .string(layer.module ?? "keras.layers"),
      "registered_name": layer.module == nil ? nil : .string(layer.className),
      "class_name": .string(layer.className), "name": .string(name), "config": .object(config),
      "inbound_nodes": layer.inputs.isEmpty ? [] : [call],
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
