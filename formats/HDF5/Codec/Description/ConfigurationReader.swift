import WherryBytes
import WherryText

/// Reads a model's configuration: classes, names, settings and connections, nothing of the weights.
///
/// Every layer whose class has no counterpart is noted; reading goes on past it.
struct ConfigurationReader {
  let generation: KerasGeneration
  private(set) var errors: [DecodeError] = []

  init(_ generation: KerasGeneration) { self.generation = generation }

  /// The outermost model; what is wrong with it is in `errors`.
  mutating func model(_ json: JSONValue, at place: Place) throws(DecodeError) -> ModelDescription {
    guard let className = json["class_name"]?.string else {
      throw DecodeError(.missing("class_name"), place)
    }
    guard let kind = Self.modelKind(className) else {
      throw DecodeError(.unsupported("class \(className) as a model"), place)
    }
    return try model(kind, json, path: "", at: place)
  }

  static func modelKind(_ className: String) -> ModelDescription.Kind? {
    switch className {
    case "Sequential": .sequential
    case "Functional", "Model": .functional
    default: nil
    }
  }

  private mutating func model(
    _ kind: ModelDescription.Kind, _ json: JSONValue, path: String, at place: Place
  ) throws(DecodeError) -> ModelDescription {
    let config = json["config"] ?? .null
    // Before 2.2.3 a sequential model's configuration was the bare list of its layers.
    guard let list = (config["layers"] ?? config).array else {
      throw DecodeError(.missing("layers"), place)
    }
    var model = ModelDescription(
      kind: kind, name: config["name"]?.string ?? "model", layers: [], inputs: [], outputs: [])
    var names: Set<String> = []
    for (index, entry) in list.enumerated() {
      let name = entry["config"]?["name"]?.string ?? entry["name"]?.string
      let here = place.inside("layer", at: index, name)
      do throws(DecodeError) {
        var layer = try layer(entry, within: path, at: here)
        layer.sharedObject = entry["shared_object_id"]?.integer
        guard names.insert(layer.name).inserted else {
          throw DecodeError(.duplicate(layer.name), here)
        }
        model.layers.append(layer)
      } catch {
        errors.append(error)
      }
    }
    switch kind {
    case .sequential:
      model.inputShape = try Self.sequentialShape(json, config, at: place)
    case .functional:
      model.inputs = try Self.references(config["input_layers"], at: place, "input_layers")
      model.outputs = try Self.references(config["output_layers"], at: place, "output_layers")
      CallNumbering.normalize(&model, generation)
    }
    return model
  }

  /// The shape that a sequential model was built on, where it is noted beside the layers.
  private static func sequentialShape(
    _ json: JSONValue, _ config: JSONValue, at place: Place
  ) throws(DecodeError) -> [Int?]? {
    let settings = LayerSettings(json: config, place: place)
    if let shape = try settings.shape("build_input_shape") { return shape }
    guard let build = json["build_config"], build["input_shape"]?.array != nil else { return nil }
    return try LayerSettings(json: build, place: place).shape("input_shape")
  }

  private mutating func layer(
    _ json: JSONValue, within path: String, at place: Place
  ) throws(DecodeError) -> LayerDescription {
    guard let title = json["class_name"]?.string else {
      throw DecodeError(.missing("class_name"), place)
    }
    let config = json["config"] ?? .null
    let className = ApplicationClass.name(of: title, json["module"]?.string, config) ?? title
    guard let name = json["name"]?.string ?? config["name"]?.string, !name.isEmpty else {
      throw DecodeError(.missing("name"), place)
    }
    let own = path.isEmpty ? name : "\(path)/\(name)"
    if let kind = Self.modelKind(className) {
      let model = try model(kind, json, path: own, at: place)
      return LayerDescription(
        className: className, classInFile: className, name: name, path: own,
        settings: LayerSettings(json: config, place: place),
        isTrainable: config["trainable"]?.bool ?? true,
        calls: try CallReader.calls(json["inbound_nodes"], at: place), model: model)
    }
    if TensorFlowFunction.isLayer(className) {
      return try Self.function(json, config, name, own, at: place)
    }
    let module = json["module"]?.string ?? ""
    let isOperation =
      module.contains(".ops.")
      || (module.isEmpty && generation == .three && OperationBinding.isFunction(className, config))
    var current = isOperation ? className : LegacyConfiguration.className(className, config)
    var settings = LayerSettings(
      json: generation == .one ? LegacyConfiguration.settings(config, className) : config,
      place: place)
    let isKnown =
      isOperation
      ? OperationBinding.named(className) != nil : LayerBinding.named(current) != nil
    // The custom classes of other packages may bear the name of one of Keras.
    let isForeign =
      json["registered_name"]?.string.map { $0.contains(">") && !$0.hasPrefix("keras>") } == true
    let isApplied = ApplicationClass.settings[className] != nil
    guard
      isApplied
        ? ApplicationClass.name(of: title, module, config) != nil : isKnown && !isForeign
    else { throw DecodeError(.unsupported("class \(title)"), place) }
    if !isOperation { _ = try settings.element() }
    let inner = try innerLayers(&current, &settings, own, at: place)
    return LayerDescription(
      className: current, classInFile: title, name: name, path: own, settings: settings,
      isTrainable: config["trainable"]?.bool ?? true, isOperation: isOperation,
      calls: try CallReader.calls(json["inbound_nodes"], at: place), inner: inner)
  }

  /// A function of TensorFlow that Keras 2 keeps as a layer.
  private static func function(
    _ json: JSONValue, _ config: JSONValue, _ name: String, _ path: String, at place: Place
  ) throws(DecodeError) -> LayerDescription {
    guard let title = config["function"]?.string else {
      throw DecodeError(.missing("function"), place)
    }
    guard let function = TensorFlowFunction.named(title),
      OperationBinding.named(function.operation) != nil
    else { throw DecodeError(.unsupported("function tf.\(title)"), place) }
    let calls = try CallReader.calls(json["inbound_nodes"], at: place)
    return LayerDescription(
      className: function.operation, classInFile: json["class_name"]?.string ?? "", name: name,
      path: path,
      settings: LayerSettings(json: function.settings(config, calls.first), place: place),
      isTrainable: true, isOperation: true, calls: calls.map { function.call($0) })
  }

  /// The layers that a wrapper holds.
  private mutating func innerLayers(
    _ className: inout String, _ settings: inout LayerSettings, _ path: String, at place: Place
  ) throws(DecodeError) -> [InnerLayer] {
    func config(_ key: String) throws(DecodeError) -> JSONValue {
      guard let json = settings.json[key] else { throw DecodeError(.missing(key), place) }
      return json
    }
    switch className {
    case "TimeDistributed":
      let layer = try wrapped(try config("layer"), path, at: place.inside("setting", "layer"))
      return [InnerLayer(attribute: "layer", layer: layer)]
    case "Bidirectional":
      let forward = try config("layer")
      let backward = settings["backward_layer"] ?? RecurrentSettings.reversed(forward)
      let first = try wrapped(
        forward, "\(path)/forward", at: place.inside("setting", "layer"))
      let second = try wrapped(
        backward, "\(path)/backward", at: place.inside("setting", "backward_layer"))
      return [
        InnerLayer(attribute: "forward_layer", layer: first),
        InnerLayer(attribute: "backward_layer", layer: second),
      ]
    case "RNN":
      let cell = try config("cell")
      guard let kind = cell["class_name"]?.string, let layer = RecurrentSettings.layerOfCell[kind]
      else {
        let name = cell["class_name"]?.string ?? "without a name"
        throw DecodeError(.unsupported("class \(name)"), place.inside("setting", "cell"))
      }
      className = layer
      settings = LayerSettings(
        json: RecurrentSettings.merged(settings.json, cell: cell["config"] ?? .null), place: place)
      return []
    default: return []
    }
  }

  private mutating func wrapped(
    _ json: JSONValue, _ path: String, at place: Place
  ) throws(DecodeError) -> LayerDescription {
    try layer(json, within: path, at: place)
  }

  /// The tensors that a model takes or gives, in order; structures of them are flattened.
  private static func references(
    _ json: JSONValue?, at place: Place, _ key: String
  ) throws(DecodeError) -> [TensorReference] {
    var found: [TensorReference] = []
    func collect(_ json: JSONValue) -> Bool {
      if let reference = TensorReference(json) {
        found.append(reference)
        return true
      }
      // Keras takes the members of dictionaries in the order of their keys.
      if let members = json.members {
        return members.sorted { $0.key < $1.key }.allSatisfy { collect($0.value) }
      }
      return json.array?.allSatisfy { collect($0) } ?? false
    }
    guard let json, collect(json), !found.isEmpty else {
      throw DecodeError(.invalid("tensors of the model are expected"), place.inside("setting", key))
    }
    return found
  }
}

extension TensorReference {
  /// A layer's name, its call and the call's output: `["dense", 0, 0]`.
  init?(_ json: JSONValue) {
    guard let parts = json.array, parts.count >= 3, let layer = parts[0].string,
      let call = parts[1].integer, let output = parts[2].integer, call >= 0, output >= 0
    else { return nil }
    self.init(layer: layer, call: call, output: output)
  }
}
