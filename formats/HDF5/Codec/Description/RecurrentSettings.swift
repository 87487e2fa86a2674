import WherryText

/// How the settings of recurrent layers, cells and wrappers become those of one another.
enum RecurrentSettings {
  /// The layer that runs a cell over time.
  static let layerOfCell = ["LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"]

  /// The settings of an `RNN` and of its cell as those of one layer.
  static func merged(_ layer: JSONValue, cell: JSONValue) -> JSONValue {
    let outer = (layer.members ?? []).filter { $0.key != "cell" }
    let names = Set(outer.map(\.key))
    return .object(outer + (cell.members ?? []).filter { !names.contains($0.key) })
  }

  /// A recurrent layer's description with the direction of time turned round.
  static func reversed(_ layer: JSONValue) -> JSONValue {
    let isReversed = layer["config"]?["go_backwards"]?.bool ?? false
    return replacing("config", in: layer) { config in
      replacing("go_backwards", in: config) { _ in .bool(!isReversed) }
    }
  }

  private static func replacing(
    _ key: String, in object: JSONValue, with change: (JSONValue) -> JSONValue
  ) -> JSONValue {
    var members = (object.members ?? []).filter { $0.key != key }
    members.append(JSONMember(key, change(object[key] ?? .object([]))))
    return .object(members)
  }
}
