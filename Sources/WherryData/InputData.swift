import WherryBytes
import WherryGraph
import WherryZip

/// Data files turned into the inputs a model declares.
public struct InputData: Sendable {
  /// The inputs to fill: name, element type and shape.
  private let declared: [ValueInfo]
  private let schema: [InputColumn]
  /// Whether arrays of another element type than the input's are converted.
  private let isCasting: Bool
  public private(set) var tensors: [String: Tensor] = [:]

  public init(_ model: Model, isCasting: Bool = false) {
    let constants = Set(model.graph.initializers.map(\.name))
    declared = model.graph.inputs.filter { !constants.contains($0.name) }
    (schema, self.isCasting) = (model.schema, isCasting)
  }

  /// Adds a file, recognized by content first and by the ending of `path` second: npy, npz, csv, json
  /// lines, or raw little-endian elements.
  ///
  /// - Parameter input: the input it is for; nil when the file names its inputs or there is only one.
  /// - Throws: `DecodeError` when the data doesn't fit the input.
  public mutating func add(_ bytes: Bytes, path: String, input: String?) throws(DecodeError) {
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    if Npy.recognizes(bytes) {
      try put(try Npy.read(bytes), into: try target(input))
    } else if ZipArchive.recognizes(bytes) {
      let arrays = try Npz.read(bytes)
      for (name, tensor) in arrays {
        if let input {
          guard arrays.count == 1 || name == input else { continue }
          try put(tensor, into: try target(input))
        } else if declared.contains(where: { $0.name == name }) || arrays.count == 1 {
          try put(tensor, into: try target(arrays.count == 1 && declared.count == 1 ? nil : name))
        }
      }
    } else if ending == "csv" || ending == "tsv" {
      try add(CSVTable(bytes), input: input)
    } else if ending == "jsonl" || ending == "json" || ending == "ndjson" {
      try add(try JSONLines.read(bytes), input: input)
    } else {
      try addRaw(bytes, input: input)
    }
  }

  /// Inputs still without data.
  public var missing: [String] { declared.map(\.name).filter { tensors[$0] == nil } }

  private func target(_ name: String?) throws(DecodeError) -> ValueInfo {
    if let name {
      guard let input = declared.first(where: { $0.name == name }) else {
        throw DecodeError(.missing(name), Place().inside("inputs"))
      }
      return input
    }
    let open = declared.filter { tensors[$0.name] == nil }
    guard let only = open.first, declared.count == 1 || open.count == 1 else {
      throw DecodeError(.invalid("the model has \(declared.count) inputs; say NAME=FILE"))
    }
    return only
  }

  private mutating func put(_ tensor: Tensor, into input: ValueInfo) throws(DecodeError) {
    let place = Place().inside("input", input.name)
    guard let element = input.type.element else {
      tensors[input.name] = tensor
      return
    }
    var tensor = tensor
    if tensor.element != element {
      guard isCasting, let converted = Self.convert(tensor, to: element) else {
        let what = "the data is \(tensor.element), the input \(element) (--cast converts)"
        throw DecodeError(.inconsistent(what), place)
      }
      tensor = converted
    }
    if let shape = input.type.shape {
      let fits =
        shape.rank == tensor.rank
        && zip(shape.dimensions, tensor.shape).enumerated().allSatisfy { axis, pair in
          // The first axis may hold several batches.
          axis == 0 || pair.0.extent == nil || pair.0.extent == pair.1
        }
      guard fits else {
        throw DecodeError(.inconsistent("the data is \(tensor.shape), the input \(shape)"), place)
      }
    }
    tensors[input.name] = tensor
  }

  private static func convert(_ tensor: Tensor, to element: ElementType) -> Tensor? {
    if tensor.element == .string || element == .string { return nil }
    if !tensor.element.isFloat, !element.isFloat {
      return Tensor(element, tensor.shape, integers: tensor.integers)
    }
    return Tensor(element, tensor.shape, doubles: tensor.doubles)
  }

  private mutating func addRaw(_ bytes: Bytes, input: String?) throws(DecodeError) {
    let input = try target(input)
    let place = Place().inside("input", input.name)
    guard let element = input.type.element, let shape = input.type.shape else {
      throw DecodeError(.unsupported("raw data for an input without a type"), place)
    }
    let open = shape.dimensions.filter { $0.extent == nil }.count
    let known = shape.dimensions.compactMap(\.extent)
    guard let row = Checked.product(known), let size = element.byteCount(of: row), size > 0,
      open <= 1, bytes.count % size == 0, open == 1 || bytes.count == size
    else {
      throw DecodeError(.inconsistent("\(bytes.count) bytes for \(element)\(shape)"), place)
    }
    let extents = shape.dimensions.map { $0.extent ?? bytes.count / size }
    guard let tensor = Tensor(element, extents, bytes: bytes) else {
      throw DecodeError(.inconsistent("\(bytes.count) bytes for \(element)\(shape)"), place)
    }
    tensors[input.name] = tensor
  }

  private mutating func add(_ table: CSVTable, input: String?) throws(DecodeError) {
    if input == nil, declared.count > 1 {
      guard let header = table.header else {
        throw DecodeError(.missing("header with the inputs' names"), .line(1, column: 1))
      }
      for declared in declared {
        guard let column = header.firstIndex(of: declared.name) else {
          throw DecodeError(.missing(declared.name), .line(1, column: 1))
        }
        try fill(declared, rows: table.rows.map { [$0[column]] }, firstLine: 2)
      }
      return
    }
    let input = try target(input)
    var rows = table.rows
    let wanted = schema.filter { $0.input == input.name }.sorted { $0.index < $1.index }
    if let header = table.header, !wanted.isEmpty {
      var order: [Int] = []
      for column in wanted {
        guard let position = header.firstIndex(of: column.name) else {
          throw DecodeError(.missing(column.name), .line(1, column: 1))
        }
        order.append(position)
      }
      rows = rows.map { row in order.map { row[$0] } }
    }
    try fill(input, rows: rows, firstLine: table.header == nil ? 1 : 2)
  }

  private mutating func add(_ lines: [Nested], input: String?) throws(DecodeError) {
    var rows: [String: (cells: [[String]], shape: [Int])] = [:]
    for (index, line) in lines.enumerated() {
      let fields: [String: Nested]
      if case .object(let object) = line {
        fields = object
      } else {
        fields = [try target(input).name: line]
      }
      for (name, value) in fields {
        guard let (shape, leaves) = value.flattened() else {
          throw DecodeError(
            .invalid("ragged arrays"), .line(index + 1, column: 1).inside("input", name))
        }
        rows[name, default: ([], shape)].cells.append(leaves.map(\.cell))
      }
    }
    for declared in declared {
      guard let (cells, _) = rows[declared.name] else { continue }
      try fill(declared, rows: cells, firstLine: 1)
    }
  }

  /// One row of text cells a sample; an empty cell is a missing value: NaN, or an empty string.
  private mutating func fill(
    _ input: ValueInfo, rows: [[String]], firstLine: Int
  ) throws(DecodeError) {
    let place = Place().inside("input", input.name)
    let element = input.type.element ?? .float32
    let width = rows.first?.count ?? 0
    var shape = [rows.count, width]
    if let declared = input.type.shape {
      let inner = declared.dimensions.dropFirst()
      let product = Checked.product(inner.compactMap(\.extent))
      if declared.rank == 1, width == 1 {
        shape = [rows.count]
      } else if inner.allSatisfy({ $0.extent != nil }), let product {
        if product == width {
          shape = [rows.count] + inner.compactMap(\.extent)
        } else {
          throw DecodeError(.inconsistent("\(width) values a row, the input is \(declared)"), place)
        }
      }
    }
    if element == .string {
      let strings = rows.flatMap { $0.map { Bytes($0.utf8) } }
      tensors[input.name] = Tensor(shape, strings: strings)
      return
    }
    var doubles: [Double] = []
    var integers: [Int64] = []
    for (index, row) in rows.enumerated() {
      for (column, cell) in row.enumerated() {
        let here = Place.line(firstLine + index, column: column + 1).inside("input", input.name)
        if element.isFloat {
          guard let number = cell.isEmpty ? .nan : CSVTable.number(cell) else {
            throw DecodeError(.invalid("\"\(cell)\" is not a number"), here)
          }
          doubles.append(number)
        } else {
          guard let number = Int64(cell) ?? UInt64(cell).map({ Int64(bitPattern: $0) }) else {
            throw DecodeError(.invalid("\"\(cell)\" is not an integer"), here)
          }
          integers.append(number)
        }
      }
    }
    guard
      let tensor = element.isFloat
        ? Tensor(element, shape, doubles: doubles) : Tensor(element, shape, integers: integers)
    else { throw DecodeError(.inconsistent("rows of different lengths"), place) }
    tensors[input.name] = tensor
  }
}
