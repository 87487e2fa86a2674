import WherryBytes
import WherryText

/// Reads how a layer is applied: `inbound_nodes` in the form of Keras 1 and 2 and in that of Keras 3.
enum CallReader {
  static func calls(_ json: JSONValue?, at place: Place) throws(DecodeError) -> [LayerCall] {
    guard let json, !json.isNull else { return [] }
    guard let nodes = json.array else {
      throw DecodeError(.invalid("a list is expected"), place.inside("setting", "inbound_nodes"))
    }
    var calls: [LayerCall] = []
    for (index, node) in nodes.enumerated() {
      let here = place.inside("call", at: index)
      if node["args"] != nil || node["kwargs"] != nil {
        calls.append(try named(node))
      } else if let list = node.array {
        // A single tensor or constant may stand without its list.
        let entries = Reference(node) != nil ? [node] : list
        calls.append(try positional(entries, at: here))
      } else {
        throw DecodeError(.invalid("a call is expected"), here)
      }
    }
    return calls
  }

  /// `[[layer, call, output, {keywords}], …]`
  private static func positional(
    _ entries: [JSONValue], at place: Place
  ) throws(DecodeError) -> LayerCall {
    var call = LayerCall()
    var parts: [LayerArgument] = []
    for entry in entries {
      guard let reference = Reference(entry) else {
        throw DecodeError(.invalid("a tensor is expected"), place)
      }
      parts.append(reference.argument(in: &call))
      for member in entry.array?.dropFirst(3).first?.members ?? [] {
        call.keywords.append((member.key, keyword(member.value, &call)))
      }
    }
    // Layers of several inputs take them as one list.
    call.arguments = [parts.count == 1 ? parts[0] : .list(parts)]
    return call
  }

  private enum Reference {
    case tensor(TensorReference)
    case constant(JSONValue)

    init?(_ json: JSONValue) {
      if let parts = json.array, parts.count >= 3, parts[0].string == "_CONSTANT_VALUE" {
        self = .constant(parts[2])
      } else if let reference = TensorReference(json) {
        self = .tensor(reference)
      } else {
        return nil
      }
    }

    func argument(in call: inout LayerCall) -> LayerArgument {
      switch self {
      case .constant(let value): return .constant(value)
      case .tensor(let reference):
        call.tensors.append(reference)
        return .tensor(call.tensors.count - 1)
      }
    }
  }

  private static func keyword(_ json: JSONValue, _ call: inout LayerCall) -> LayerArgument {
    if let reference = Reference(json) { return reference.argument(in: &call) }
    if let parts = json.array, !parts.isEmpty, parts.contains(where: { Reference($0) != nil }) {
      return .list(parts.map { keyword($0, &call) })
    }
    return .constant(json)
  }

  /// `{"args": […], "kwargs": {…}}` with tensors as `__keras_tensor__`.
  private static func named(_ node: JSONValue) throws(DecodeError) -> LayerCall {
    var call = LayerCall()
    call.arguments = (node["args"]?.array ?? []).map { argument($0, &call) }
    for member in node["kwargs"]?.members ?? [] {
      call.keywords.append((member.key, argument(member.value, &call)))
    }
    return call
  }

  private static func argument(_ json: JSONValue, _ call: inout LayerCall) -> LayerArgument {
    if json["class_name"]?.string == "__keras_tensor__",
      let reference = json["config"]?["keras_history"].flatMap({ TensorReference($0) })
    {
      call.tensors.append(reference)
      return .tensor(call.tensors.count - 1)
    }
    if json["class_name"]?.string == "__tuple__", let items = json["config"]?["items"]?.array {
      return .list(items.map { argument($0, &call) })
    }
    if let parts = json.array { return .list(parts.map { argument($0, &call) }) }
    return .constant(json)
  }
}

/// Which call of a model within a model a reference means.
///
/// A nested model begins with a call of its own, made when it was built. Keras 1 and 2 count it in
/// every reference, except where the model was not built then; Keras 3 counts it in the outputs of the
/// outer model, for functional ones only.
enum CallNumbering {
  static func normalize(_ model: inout ModelDescription, _ generation: KerasGeneration) {
    var calls: [String: (count: Int, kind: ModelDescription.Kind?)] = [:]
    for layer in model.layers { calls[layer.name] = (layer.calls.count, layer.model?.kind) }
    let inner = model.layers.flatMap { $0.calls.flatMap(\.tensors) }
    let shifts =
      generation == .three
      ? (
        shifts(inner, calls) { _ in 0 }, shifts(model.outputs, calls) { $0 == .functional ? 1 : 0 }
      )
      : {
        let all = Self.shifts(inner + model.outputs, calls) { _ in 1 }
        return (all, all)
      }()
    for layer in model.layers.indices {
      for call in model.layers[layer].calls.indices {
        for tensor in model.layers[layer].calls[call].tensors.indices {
          shift(&model.layers[layer].calls[call].tensors[tensor], shifts.0)
        }
      }
    }
    for index in model.outputs.indices { shift(&model.outputs[index], shifts.1) }
  }

  private static func shift(_ reference: inout TensorReference, _ shifts: [String: Int]) {
    reference.call -= min(shifts[reference.layer] ?? 0, reference.call)
  }

  /// By how much the references to each nested model are too large.
  private static func shifts(
    _ references: [TensorReference],
    _ calls: [String: (count: Int, kind: ModelDescription.Kind?)],
    usual: (ModelDescription.Kind) -> Int
  ) -> [String: Int] {
    var ranges: [String: ClosedRange<Int>] = [:]
    for reference in references {
      let range = ranges[reference.layer] ?? reference.call...reference.call
      ranges[reference.layer] =
        min(range.lowerBound, reference.call)...max(range.upperBound, reference.call)
    }
    var shifts: [String: Int] = [:]
    for (name, range) in ranges {
      guard let (count, kind) = calls[name], let kind, range.lowerBound > 0 else { continue }
      shifts[name] = range.upperBound >= count ? 1 : usual(kind)
    }
    return shifts
  }
}
