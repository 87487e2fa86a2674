import FoundationEssentials
import WherryBytes
import WherryGraph

/// One sample a line: an object of nested arrays by input name, or an array for a single input.
public enum JSONLines {
  /// The lines as values.
  ///
  /// - Throws: `DecodeError` naming the line that is not JSON.
  static func read(_ bytes: Bytes) throws(DecodeError) -> [Nested] {
    var result: [Nested] = []
    let lines = bytes.array.split(separator: 0x0A, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
      do {
        result.append(try JSONDecoder().decode(Nested.self, from: Data(line)))
      } catch {
        throw DecodeError(.invalid("JSON"), .line(index + 1, column: 1))
      }
    }
    return result
  }

  /// One object a row of the first axis, outputs by name as nested arrays.
  public static func write(_ outputs: [(name: String, tensor: Tensor)]) -> String {
    let rows = outputs.map { $0.tensor.rank == 0 ? 1 : $0.tensor.shape[0] }.max() ?? 0
    var text = ""
    let parts = outputs.map { (Self.quoted($0.name), $0.tensor, TensorText.elements($0.tensor)) }
    for row in 0..<rows {
      var fields: [String] = []
      for (name, tensor, cells) in parts {
        let count = tensor.rank == 0 ? 1 : tensor.shape[0]
        guard row < count else { continue }
        let width = tensor.count / count
        let own = cells[row * width..<(row + 1) * width].map { literal($0, tensor.element) }
        fields.append("\(name):" + nested(own[...], Array(tensor.shape.dropFirst())))
      }
      text += "{" + fields.joined(separator: ",") + "}\n"
    }
    return text
  }

  private static func nested(_ cells: ArraySlice<String>, _ shape: [Int]) -> String {
    guard let extent = shape.first else { return cells.first ?? "null" }
    let width = extent == 0 ? 0 : cells.count / extent
    let parts = (0..<extent).map { index in
      nested(
        cells[cells.startIndex + index * width..<cells.startIndex + (index + 1) * width],
        Array(shape.dropFirst()))
    }
    return "[" + parts.joined(separator: ",") + "]"
  }

  private static func literal(_ cell: String, _ element: ElementType) -> String {
    switch element {
    case .string: quoted(cell)
    case .bool: cell == "0" ? "false" : "true"
    default:
      switch cell {
      case "nan": "\"NaN\""
      case "inf": "\"Infinity\""
      case "-inf": "\"-Infinity\""
      default: cell
      }
    }
  }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

/// A JSON value as data sets use it.
indirect enum Nested: Decodable, Sendable {
  case object([String: Nested])
  case list([Nested])
  case integer(Int64)
  case number(Double)
  case text(String)
  case missing

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .missing
    } else if let flag = try? value.decode(Bool.self) {
      self = .integer(flag ? 1 : 0)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let list = try? value.decode([Nested].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: Nested].self))
    }
  }

  /// Extents of nested arrays and their leaves in order; nil when they are ragged.
  func flattened() -> (shape: [Int], leaves: [Nested])? {
    guard case .list(let parts) = self else { return ([], [self]) }
    var shape: [Int] = []
    var leaves: [Nested] = []
    for (index, part) in parts.enumerated() {
      guard let inner = part.flattened(), index == 0 || inner.shape == shape else { return nil }
      shape = inner.shape
      leaves += inner.leaves
    }
    return ([parts.count] + shape, leaves)
  }

  /// The leaf as a cell of text, as a CSV file would hold it.
  var cell: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): value
    default: ""
    }
  }
}
