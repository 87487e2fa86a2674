import WherryBytes
import WherryGraph

/// A table of text cells.
///
/// - Source: RFC 4180; line ends may be LF, and a byte-order mark is skipped.
public struct CSVTable: Sendable {
  /// Column names, or nil when the first row is data: when every cell of it is a number.
  public let header: [String]?
  public let rows: [[String]]

  /// - Throws: `DecodeError` with line and column for an open quote, text after a closing quote, or a
  ///   row of another length than the first.
  public init(_ bytes: Bytes) throws(DecodeError) {
    var records = try Self.records(bytes)
    if let first = records.first, first.contains(where: { !$0.isEmpty && Self.number($0) == nil }) {
      header = first
      records.removeFirst()
    } else {
      header = nil
    }
    rows = records
  }

  /// The number a cell holds; nil when it is none. Blanks around it are ignored.
  public static func number(_ cell: String) -> Double? {
    let trimmed = cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
    return Double(String(trimmed))
  }

  private static func records(_ bytes: Bytes) throws(DecodeError) -> [[String]] {
    guard bytes.text != nil else { throw DecodeError(.notUTF8, .line(1, column: 1)) }
    var all = bytes.array[...]
    if all.starts(with: [0xEF, 0xBB, 0xBF]) { all = all.dropFirst(3) }
    var records: [[String]] = []
    var record: [String] = []
    var cell: [UInt8] = []
    var isQuoted = false
    var wasQuoted = false
    var (line, column) = (1, 0)
    func finishCell() {
      record.append(String(decoding: cell, as: UTF8.self))
      cell = []
      wasQuoted = false
    }
    func finishRecord() throws(DecodeError) {
      finishCell()
      defer { record = [] }
      if record == [""] { return }
      if let first = records.first, first.count != record.count {
        let what = "\(record.count) cells in a row, \(first.count) in the first"
        throw DecodeError(.inconsistent(what), .line(line, column: column))
      }
      records.append(record)
    }
    var index = all.startIndex
    while index < all.endIndex {
      let byte = all[index]
      index += 1
      column += 1
      if isQuoted {
        if byte == 0x22 {
          if index < all.endIndex, all[index] == 0x22 {
            cell.append(byte)
            index += 1
            column += 1
          } else {
            isQuoted = false
            wasQuoted = true
          }
        } else {
          cell.append(byte)
          if byte == 0x0A { (line, column) = (line + 1, 0) }
        }
        continue
      }
      switch byte {
      case 0x22 where cell.isEmpty && !wasQuoted: isQuoted = true
      case 0x2C: finishCell()
      case 0x0D where index < all.endIndex && all[index] == 0x0A: continue
      case 0x0A:
        try finishRecord()
        (line, column) = (line + 1, 0)
      default:
        guard !wasQuoted else {
          throw DecodeError(.invalid("text after a closing quote"), .line(line, column: column))
        }
        cell.append(byte)
      }
    }
    guard !isQuoted else {
      throw DecodeError(.invalid("an open quote"), .line(line, column: column))
    }
    if !cell.isEmpty || !record.isEmpty || wasQuoted { try finishRecord() }
    return records
  }

  /// Text of tensors, one line a row of the first axis, one column an element of the rest.
  public static func write(_ outputs: [(name: String, tensor: Tensor)]) -> String {
    var names: [String] = []
    var columns: [[String]] = []
    var rows = 0
    for (name, tensor) in outputs {
      let count = tensor.rank == 0 ? 1 : tensor.shape[0]
      let width = count == 0 ? 0 : tensor.count / count
      rows = max(rows, count)
      let cells = TensorText.elements(tensor)
      for column in 0..<width {
        names.append(quoted(width == 1 ? name : "\(name)_\(column)"))
        columns.append((0..<count).map { quoted(cells[$0 * width + column]) })
      }
    }
    var text = names.joined(separator: ",") + "\n"
    for row in 0..<rows {
      text += columns.map { row < $0.count ? $0[row] : "" }.joined(separator: ",") + "\n"
    }
    return text
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return cell }
    return "\""
      + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}

/// Elements as text: shortest decimals that read back to the same value.
public enum TensorText {
  public static func elements(_ tensor: Tensor) -> [String] {
    switch tensor.element {
    case .string: tensor.strings.map { String(decoding: $0.array, as: UTF8.self) }
    case .float32: tensor.doubles.map { "\(Float($0))" }
    case .uint64: tensor.integers.map { "\(UInt64(bitPattern: $0))" }
    case let element where element.isInteger || element == .bool: tensor.integers.map { "\($0)" }
    default: tensor.doubles.map { "\($0)" }
    }
  }
}
