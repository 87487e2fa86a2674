import WherryBytes
import WherryGraph

/// NumPy's array file: one dense tensor.
///
/// - Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays", versions 1.0 to 3.0.
public enum Npy {
  private static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  public static func recognizes(_ bytes: Bytes) -> Bool {
    bytes.slice(0..<6)?.array == magic
  }

  /// The tensor of a file; contents in C order are shared, Fortran order and big-endian are rearranged.
  ///
  /// - Throws: `DecodeError` for a malformed header, a type that is no tensor element (objects,
  ///   structures, dates) or contents of another size than the shape's.
  public static func read(_ bytes: Bytes) throws(DecodeError) -> Tensor {
    var reader = ByteReader(bytes)
    guard try reader.take(6).array == magic else {
      throw DecodeError(.notThisFormat("an npy file"), .byte(0))
    }
    let major = try reader.integer(UInt8.self)
    try reader.skip(1)
    guard (1...3).contains(major) else {
      throw DecodeError(.unsupportedVersion("npy \(major)"), .byte(6))
    }
    let length =
      major == 1 ? Int(try reader.integer(UInt16.self)) : Int(try reader.integer(UInt32.self))
    let start = reader.offset
    guard let text = try reader.take(length).text, let header = NpyHeader(text) else {
      throw DecodeError(.invalid("npy header"), .byte(start))
    }
    guard let (element, isSwapped, width) = NpyHeader.element(header.type) else {
      throw DecodeError(.unsupported("npy type \(header.type)"), .byte(start))
    }
    guard let count = Checked.product(header.shape), let size = Checked.multiply(count, width)
    else {
      throw DecodeError(.invalid("npy shape \(header.shape)"), .byte(start))
    }
    let content = try reader.take(size)
    if element == .string {
      let strings = NpyHeader.strings(content, count: count, width: width, type: header.type)
      guard let tensor = Tensor(header.shape, strings: strings) else {
        throw DecodeError(.invalid("npy strings"), .byte(start))
      }
      return tensor
    }
    let native =
      isSwapped ? swapped(content, width: element.isComplex ? width / 2 : width) : content
    let ordered = header.isFortran ? rowMajor(native, header.shape, width: width) : native
    guard let tensor = Tensor(element, header.shape, bytes: ordered) else {
      throw DecodeError(.invalid("npy contents"), .byte(start))
    }
    return tensor
  }

  /// The file of a tensor, version 1.0.
  ///
  /// Types NumPy lacks are widened: bfloat16 and narrower floats to float32, 4- and 2-bit integers to
  /// 8 bits. Strings become fixed-width bytes.
  public static func write(_ tensor: Tensor) -> [UInt8] {
    let plain = widened(tensor)
    var body: [UInt8] = []
    var type = NpyHeader.name(plain.element)
    if plain.element == .string {
      let width = max(plain.strings.map(\.count).max() ?? 1, 1)
      type = "|S\(width)"
      for string in plain.strings {
        body += string.array + [UInt8](repeating: 0, count: width - string.count)
      }
    } else {
      body = plain.bytes.array
    }
    let extents = plain.shape.map(String.init).joined(separator: ", ")
    let shape = plain.shape.count == 1 ? "(\(extents),)" : "(\(extents))"
    var header = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }".utf8)
    let padding = (64 - (10 + header.count + 1) % 64) % 64
    header += [UInt8](repeating: 0x20, count: padding) + [0x0A]
    var writer = ByteWriter()
    writer.raw(magic + [1, 0])
    writer.integer(UInt16(truncatingIfNeeded: header.count))
    writer.raw(header)
    writer.raw(body)
    return writer.bytes
  }

  private static func widened(_ tensor: Tensor) -> Tensor {
    let element = tensor.element
    if element == .bfloat16 || element.isSmallFloat {
      return Tensor(.float32, tensor.shape, doubles: tensor.doubles) ?? tensor
    }
    if element.isInteger, element.bitWidth < 8 {
      let wide: ElementType = element.isSignedInteger ? .int8 : .uint8
      return Tensor(wide, tensor.shape, integers: tensor.integers) ?? tensor
    }
    return tensor
  }

  private static func swapped(_ bytes: Bytes, width: Int) -> Bytes {
    bytes.withUnsafeBytes { source in
      Bytes(count: source.count) { target in
        for start in stride(from: 0, to: source.count - source.count % width, by: width) {
          for index in 0..<width { target[start + index] = source[start + width - 1 - index] }
        }
      }
    }
  }

  private static func rowMajor(_ bytes: Bytes, _ shape: [Int], width: Int) -> Bytes {
    bytes.withUnsafeBytes { source in
      Bytes(count: source.count) { target in
        var index = [Int](repeating: 0, count: shape.count)
        for position in 0..<(source.count / max(width, 1)) {
          var from = 0
          for axis in shape.indices.reversed() { from = from * shape[axis] + index[axis] }
          for byte in 0..<width { target[position * width + byte] = source[from * width + byte] }
          for axis in shape.indices.reversed() {
            index[axis] += 1
            if index[axis] < shape[axis] { break }
            index[axis] = 0
          }
        }
      }
    }
  }
}

/// The dictionary at the start of an npy file.
struct NpyHeader {
  var type = ""
  var isFortran = false
  var shape: [Int] = []

  /// Reads the Python literal; nil when a key is missing or anything is malformed.
  init?(_ text: String) {
    guard let type = Self.value(of: "descr", in: text), type.first == "'" || type.first == "\""
    else {
      return nil
    }
    self.type = String(type.dropFirst().prefix { $0 != "'" && $0 != "\"" })
    guard let order = Self.value(of: "fortran_order", in: text) else { return nil }
    isFortran = order.hasPrefix("True")
    guard let tuple = Self.value(of: "shape", in: text), tuple.first == "(" else { return nil }
    for part in tuple.dropFirst().prefix(while: { $0 != ")" }).split(separator: ",") {
      let digits = part.filter { $0 != " " && $0 != "L" }
      if digits.isEmpty { continue }
      guard let extent = Int(digits), extent >= 0 else { return nil }
      shape.append(extent)
    }
  }

  private static func value(of key: String, in text: String) -> Substring? {
    for quote in ["'", "\""] {
      let name = Array("\(quote)\(key)\(quote)")
      let all = Array(text)
      guard all.count > name.count else { continue }
      for start in 0..<(all.count - name.count) where Array(all[start..<start + name.count]) == name
      {
        let rest = String(all[(start + name.count)...])
        return rest.drop { $0 == ":" || $0 == " " }
      }
    }
    return nil
  }

  /// Element type, whether bytes are big-endian, and bytes an element, of a NumPy type string.
  static func element(_ type: String) -> (ElementType, Bool, Int)? {
    guard let order = type.first, let kind = type.dropFirst().first,
      let width = Int(type.dropFirst(2)), width > 0, width < 1 << 20
    else { return nil }
    let element: ElementType? =
      switch (kind, width) {
      case ("f", 2): .float16
      case ("f", 4): .float32
      case ("f", 8): .float64
      case ("i", 1): .int8
      case ("i", 2): .int16
      case ("i", 4): .int32
      case ("i", 8): .int64
      case ("u", 1): .uint8
      case ("u", 2): .uint16
      case ("u", 4): .uint32
      case ("u", 8): .uint64
      case ("b", 1): .bool
      case ("c", 8): .complex64
      case ("c", 16): .complex128
      case ("S", _), ("U", _): .string
      default: nil
      }
    return element.map { ($0, order == ">" && width > 1, kind == "U" ? width * 4 : width) }
  }

  static func name(_ element: ElementType) -> String {
    switch element {
    case .float16: "<f2"
    case .float32: "<f4"
    case .float64: "<f8"
    case .int8: "|i1"
    case .int16: "<i2"
    case .int32: "<i4"
    case .int64: "<i8"
    case .uint8: "|u1"
    case .uint16: "<u2"
    case .uint32: "<u4"
    case .uint64: "<u8"
    case .bool: "|b1"
    case .complex64: "<c8"
    case .complex128: "<c16"
    default: "|S1"
    }
  }

  /// Fixed-width strings, zero-padded: bytes (`S`) or UCS-4 (`U`).
  static func strings(_ content: Bytes, count: Int, width: Int, type: String) -> [Bytes] {
    let isWide = type.dropFirst().first == "U"
    return (0..<count).map { index in
      let cell = content.slice(index * width..<(index + 1) * width)?.array ?? []
      guard isWide else { return Bytes(cell.reversed().drop { $0 == 0 }.reversed()) }
      var text = String.UnicodeScalarView()
      for start in stride(from: 0, to: cell.count, by: 4) {
        let bytes =
          type.first == ">"
          ? Array(cell[start..<start + 4].reversed()) : Array(cell[start..<start + 4])
        let code = bytes.enumerated().reduce(UInt32(0)) {
          $0 | UInt32($1.element) << UInt32($1.offset * 8)
        }
        guard code != 0, let scalar = Unicode.Scalar(code) else { break }
        text.append(scalar)
      }
      return Bytes(String(text).utf8)
    }
  }
}
