import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Classes that `keras.applications` defines for itself, which other people's may be called like.
///
/// - Source: Keras 3 and tf_keras, `applications/convnext.py`, `applications/inception_resnet_v2.py`.
enum ApplicationClass {
  /// The settings that each class has besides those of every layer.
  static let settings: [String: Set<String>] = [
    "LayerScale": ["init_values", "projection_dim"], "StochasticDepth": ["drop_path_rate"],
    "CustomScaleLayer": ["scale"],
  ]

  /// The class that a file means: by its module where the file names one, else by its settings.
  static func name(of title: String, _ module: String?, _ config: JSONValue) -> String? {
    let name = title.hasPrefix("Custom>") ? String(title.dropFirst(7)) : title
    guard let own = settings[name] else { return nil }
    if let module, module.contains("keras") {
      return module.contains(".applications.") ? name : nil
    }
    let usual: Set<String> = ["name", "trainable", "dtype", "batch_input_shape"]
    return Set((config.members ?? []).map(\.key)).subtracting(usual) == own ? name : nil
  }
}

extension LayerBinding {
  static let applicationLayers: [LayerBinding] = [
    LayerBinding("LayerScale", slots: { (_) throws(DecodeError) in WeightSlot.list(["gamma"]) }) {
      (site) throws(DecodeError) in
      let x = try site.input()
      let form = x.position(x.rank - 1) == x.rank - 1 && !x.isFlat ? "" : "broadcast"
      let plain = x.isFlat ? KerasTensor(try site.plain(x)) : x
      let gamma = try site.constant("gamma", rank: 1, form: form) { tensor in
        form.isEmpty ? tensor : site.broadcast(tensor, to: plain)
      }
      return [plain.with(try site.emit(Mul(), [plain.wire, gamma]))]
    },
    // Whole branches are left out in training only.
    LayerBinding("StochasticDepth") { (site) throws(DecodeError) in
      [try site.map(Identity(), try site.input())]
    },
    LayerBinding("CustomScaleLayer") { (site) throws(DecodeError) in
      guard site.inputs.count == 2 else { throw site.invalid("\(site.inputs.count) inputs") }
      let (wires, order, isFlat) = try site.aligned(site.inputs)
      let scale = try site.scalar(
        try site.settings.number("scale"), site.inputs[1].element, "scale")
      let sum = try site.emit(Add(), [wires[0], try site.emit(Mul(), [wires[1], scale])])
      return [KerasTensor(sum, order: order, isFlat: isFlat)]
    },
  ]
}
