import WherryBytes
import WherryGraph

/// What a model has and ONNX has no field for, as entries of `metadata_props`:
///
/// - `wherry.labels:OUTPUT`: the class labels of an output, one a line;
/// - `wherry.column:INDEX:INPUT`: a column of a tabular input, one `key=value` a line with the keys
///   `name`, `categorical` (1), `category` (repeated), `lowest`, `highest`, `missing`.
///
/// In lines, a backslash stands before `n` for a line break and before another backslash.
enum ExtensionKeys {
  private static let labels = "wherry.labels:"
  private static let column = "wherry.column:"

  static func properties(of model: Model) -> [Property] {
    model.labels.map { Property(labels + $0.output, lines($0.labels)) }
      + model.schema.map { column in
        var pairs = ["name=\(column.name)"]
        if column.isCategorical { pairs.append("categorical=1") }
        pairs += column.categories.map { "category=\($0)" }
        if let lowest = column.lowest { pairs.append("lowest=\(lowest)") }
        if let highest = column.highest { pairs.append("highest=\(highest)") }
        if let missing = column.missing { pairs.append("missing=\(missing)") }
        return Property("\(Self.column)\(column.index):\(column.input)", lines(pairs))
      }
  }

  /// Moves such entries from the metadata to where they belong; others stay.
  static func restore(_ model: inout Model) {
    var rest: [Property] = []
    for property in model.metadata.properties {
      if property.key.hasPrefix(labels) {
        let output = String(property.key.dropFirst(labels.count))
        model.labels.append(ClassLabels(output: output, labels: items(property.value)))
      } else if property.key.hasPrefix(column), let found = inputColumn(property) {
        model.schema.append(found)
      } else {
        rest.append(property)
      }
    }
    model.metadata.properties = rest
  }

  private static func inputColumn(_ property: Property) -> InputColumn? {
    let parts = property.key.dropFirst(column.count).split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[0]) else { return nil }
    var found = InputColumn(input: String(parts[1]), index: index, name: "")
    for line in items(property.value) {
      let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { return nil }
      let value = String(pair[1])
      switch pair[0] {
      case "name": found.name = value
      case "categorical": found.isCategorical = value == "1"
      case "category": found.categories.append(value)
      case "lowest": found.lowest = Double(value)
      case "highest": found.highest = Double(value)
      case "missing": found.missing = value
      default: return nil
      }
    }
    return found
  }

  /// One line an item; each ends in a line break, so that no item and one empty item differ.
  private static func lines(_ items: [String]) -> String {
    var text = ""
    for item in items {
      for scalar in item.unicodeScalars {
        switch scalar {
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        default: text.unicodeScalars.append(scalar)
        }
      }
      text += "\n"
    }
    return text
  }

  private static func items(_ text: String) -> [String] {
    var items: [String] = []
    var item = String.UnicodeScalarView()
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if isEscaped {
        item.append(scalar == "n" ? "\n" : scalar)
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else if scalar == "\n" {
        items.append(String(item))
        item = String.UnicodeScalarView()
      } else {
        item.append(scalar)
      }
    }
    if !item.isEmpty { items.append(String(item)) }
    return items
  }
}
