import WherryBytes
import WherryGraph
import WherryText

/// A configuration of Keras 2 as Keras 3 reads it too, where every setting means the same in both.
extension KerasFileDraft {
  /// - Returns: nil when a layer or a setting means something else in Keras 3, or its form differs.
  func lifted() -> KerasFileDraft? {
    guard let json = try? JSONValue(parsing: facts.configuration),
      let className = json["class_name"]?.string, let config = json["config"],
      let kind = ConfigurationReader.modelKind(className),
      let own = kind == .sequential ? Self.sequential(config) : Self.functional(config)
    else { return nil }
    var facts = facts
    facts.configuration =
      JSONValue.object([
        JSONMember("class_name", json["class_name"] ?? nil), JSONMember("config", own),
      ]).text
    return KerasFileDraft(facts: facts, description: description, weights: weights)
  }

  /// Layers that both generations configure and compute alike.
  private static let alike: Set<String> = [
    "InputLayer", "Dense", "Activation", "Embedding", "Masking", "Conv1D", "Conv2D", "Conv3D",
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D",
    "SeparableConv1D", "SeparableConv2D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAveragePooling3D", "BatchNormalization",
    "LayerNormalization", "UnitNormalization", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax",
    "Flatten", "Reshape", "Permute", "RepeatVector", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "UpSampling1D", "UpSampling2D",
    "UpSampling3D", "Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
    "Dot", "SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
    "Bidirectional", "TimeDistributed", "Dropout",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise",
    "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Rescaling",
  ]

  /// Settings of Keras 2 alone, with the values at which they say nothing.
  private static let dropped: [String: [JSONValue]] = [
    "time_major": [false], "implementation": [0, 1, 2], "input_length": [],
    "experimental_autocast": [true], "renorm": [false], "fused": [nil, true, false],
    "virtual_batch_size": [nil], "adjustment": [nil], "ragged": [false], "sparse": [false],
  ]

  private static func functional(_ config: JSONValue) -> JSONValue? {
    guard let layers = config["layers"]?.array else { return nil }
    let isMasked = layers.contains { layer in
      layer["class_name"] == "Masking" || layer["config"]?["mask_zero"] == true
    }
    var list: [JSONValue] = []
    for entry in layers {
      guard let layer = layer(entry), case .object(var members) = layer else { return nil }
      let calls = entry["inbound_nodes"]?.array ?? []
      let isMerging = merging.contains(entry["class_name"]?.string ?? "")
      // Masks of some inputs only become others.
      if isMerging, isMasked { return nil }
      guard calls.allSatisfy({ isPlain($0, isMerging) }) else { return nil }
      members.append(JSONMember("name", entry["name"] ?? nil))
      members.append(JSONMember("inbound_nodes", .array(calls)))
      list.append(.object(members))
    }
    /// A single tensor stands without a list.
    func references(_ key: String) -> JSONValue? {
      guard let parts = config[key]?.array else { return nil }
      if parts.count == 1, parts[0].array != nil { return parts[0] }
      return .array(parts)
    }
    guard let inputs = references("input_layers"), let outputs = references("output_layers") else {
      return nil
    }
    return [
      "name": config["name"] ?? "model", "trainable": config["trainable"] ?? true,
      "layers": .array(list), "input_layers": inputs, "output_layers": outputs,
    ]
  }

  private static func sequential(_ config: JSONValue) -> JSONValue? {
    guard let layers = config["layers"]?.array ?? config.array, let first = layers.first else {
      return nil
    }
    var list: [JSONValue] = []
    if first["class_name"]?.string != "InputLayer" {
      // The first layer says what comes in.
      guard let shape = first["config"]?["batch_input_shape"],
        let name = first["config"]?["name"]?.string
      else { return nil }
      let isEmbedding = first["class_name"]?.string == "Embedding"
      list.append([
        "class_name": "InputLayer",
        "config": [
          "batch_input_shape": shape, "sparse": false, "ragged": false,
          "dtype": isEmbedding ? "int32" : first["config"]?["dtype"] ?? "float32",
          "name": .string("\(name)_input"),
        ],
      ])
    }
    for entry in layers {
      guard let layer = layer(entry) else { return nil }
      list.append(layer)
    }
    return ["name": config["name"] ?? "sequential", "layers": .array(list)]
  }

  /// Layers of several tensors; others take states and the like in a form of each generation.
  private static let merging: Set<String> = [
    "Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot",
  ]

  /// Whether a call takes nothing but tensors.
  private static func isPlain(_ call: JSONValue, _ isMerging: Bool) -> Bool {
    guard let tensors = call.array, isMerging || tensors.count == 1 else { return false }
    return tensors.allSatisfy { tensor in
      guard let parts = tensor.array, (3...4).contains(parts.count), parts[0].string != nil,
        parts[0].string != "_CONSTANT_VALUE", parts[1].integer != nil
      else { return false }
      return parts.count == 3 || parts[3].members?.isEmpty == true
    }
  }

  /// A layer without what only Keras 2 says; nil when that has a meaning.
  private static func layer(_ entry: JSONValue) -> JSONValue? {
    guard let className = entry["class_name"]?.string, alike.contains(className),
      let members = entry["config"]?.members
    else { return nil }
    var settings: [JSONMember] = []
    for member in members {
      switch member.key {
      case "batch_input_shape" where className != "InputLayer": continue
      case "ragged" where className == "InputLayer", "sparse" where className == "InputLayer":
        guard member.value == false else { return nil }
        settings.append(member)
      case let key where dropped[key] != nil:
        let usual = dropped[key] ?? []
        guard usual.isEmpty || usual.contains(member.value) else { return nil }
      case "groups" where className.hasPrefix("Conv") && !className.hasSuffix("Transpose"):
        settings.append(member)
      case "groups": guard member.value == 1 else { return nil }
      case "noise_shape" where className.hasPrefix("Spatial"): continue
      case "trainable" where className.hasPrefix("SpatialDropout"): continue
      case let key where className.hasPrefix("Separable") && key.hasPrefix("kernel_"):
        if key == "kernel_size" { settings.append(member) }
      case "dtype":
        guard let name = member.value.string, name != "float16" else { return nil }
        settings.append(member)
      case "activation", "recurrent_activation":
        guard let name = member.value.string, name != "hard_sigmoid" else { return nil }
        settings.append(member)
      case "axis" where className == "BatchNormalization":
        let parts = member.value.array ?? member.value["items"]?.array
        guard let axis = parts == nil ? member.value : parts?.first, parts?.count ?? 1 == 1 else {
          return nil
        }
        settings.append(JSONMember("axis", axis))
      case "layer", "backward_layer":
        guard let inner = layer(member.value) else { return nil }
        settings.append(JSONMember(member.key, inner))
      case let key where member.value.members != nil:
        guard let value = object(member.value, key) else { return nil }
        settings.append(JSONMember(key, value))
      default: settings.append(member)
      }
    }
    return ["class_name": .string(className), "config": .object(settings)]
  }

  /// An initializer, regularizer or constraint with its module.
  private static func object(_ value: JSONValue, _ key: String) -> JSONValue? {
    let modules = [
      "initializer": "keras.initializers", "regularizer": "keras.regularizers",
      "constraint": "keras.constraints",
    ]
    guard let module = modules.first(where: { key.hasSuffix($0.key) })?.value,
      let name = value["class_name"]?.string, let config = value["config"]
    else { return nil }
    return [
      "module": .string(module), "class_name": .string(name), "config": config,
      "registered_name": nil,
    ]
  }
}
