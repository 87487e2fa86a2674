import CWherryKernels
import WherryBytes

@testable import WherryHDF5

/// Everything in an HDF5 file, one line a thing, in the form of `formats/HDF5/oracle/digests.py`.
struct FileDump {
  private(set) var lines: [String] = []
  private var seen: Set<Int> = []
  private let file: HDF5File
  /// Larger data sets are dumped without their values.
  private let mostBytes: Int

  init(
    _ bytes: Bytes, limits: Limits = .standard, mostBytes: Int = 1 << 26,
    verifiesChecksums: Bool = true
  ) throws(DecodeError) {
    file = try HDF5File(bytes, limits: limits, verifiesChecksums: verifiesChecksums)
    self.mostBytes = mostBytes
    do throws(DecodeError) {
      let root = try file.root()
      seen.insert(root.address)
      walk(.group(root), path: "")
    } catch {
      lines.append("group / \(error)")
    }
  }

  private mutating func walk(_ object: HDF5Object, path: String) {
    switch object {
    case .dataset(let dataset):
      lines.append(
        value("dataset \(path)", dataset.type, dataset.space) { () throws(DecodeError) in
          try dataset.read()
        })
    case .type(let type): lines.append("type \(path) \(Self.describe(type.type))")
    case .group: lines.append("group \(path.isEmpty ? "/" : path)")
    }
    walkAttributes(object, path: path.isEmpty ? "/" : path)
    if case .group(let group) = object { walkLinks(group, path: path) }
  }

  private mutating func walkAttributes(_ object: HDF5Object, path: String) {
    do throws(DecodeError) {
      for attribute in try object.attributes().sorted(by: { $0.name < $1.name }) {
        let head = "attribute \(path)@\(Self.quoted(attribute.name.bytes))"
        do throws(DecodeError) {
          let (type, space) = (try attribute.type(), try attribute.space())
          lines.append(
            value(head, type, space) { () throws(DecodeError) in try attribute.read() })
        } catch {
          lines.append("\(head) \(error)")
        }
      }
    } catch {
      lines.append("attributes \(path) \(error)")
    }
  }

  private mutating func walkLinks(_ group: HDF5Group, path: String) {
    do throws(DecodeError) {
      for link in try group.links().sorted(by: { $0.name < $1.name }) {
        let inner = "\(path)/\(Self.quoted(link.name.bytes))"
        switch link.target {
        case .soft(let target): lines.append("soft \(inner) \(Self.quoted(target.bytes))")
        case .external(let file, let inside):
          lines.append(
            "external \(inner) \(Self.quoted(file.bytes)) \(Self.quoted(inside.bytes))")
        case .userDefined: lines.append("user-defined \(inner)")
        case .hard(let address):
          guard seen.insert(address).inserted else {
            lines.append("again \(inner)")
            continue
          }
          do throws(DecodeError) {
            walk(try group.open(link), path: inner)
          } catch {
            // Which kind of line the object would have had is unknown.
            for kind in ["dataset", "group", "type"] { lines.append("\(kind) \(inner) \(error)") }
          }
        }
      }
    } catch {
      lines.append("links \(path) \(error)")
    }
  }

  private func value(
    _ head: String, _ type: HDF5Type, _ space: HDF5Space,
    _ read: () throws(DecodeError) -> HDF5Array
  ) -> String {
    var line = "\(head) \(Self.describe(type)) \(Self.describe(space)) "
    do throws(DecodeError) {
      let count = space.shape.map { Checked.product($0 + [type.size]) ?? .max } ?? 0
      line += count > mostBytes ? "large" : try Self.digest(try read())
    } catch {
      line += error.description
    }
    return line
  }

  static func quoted(_ bytes: Bytes) -> String {
    bytes.array.map { byte in
      if byte >= 0x21, byte < 0x7F, byte != 0x25 { return String(UnicodeScalar(byte)) }
      let hex = String(byte, radix: 16, uppercase: true)
      return "%" + (hex.count < 2 ? "0" : "") + hex
    }.joined()
  }

  private static func quoted(_ text: String) -> String { quoted(Bytes(Array(text.utf8))) }

  private static func describe(_ space: HDF5Space) -> String {
    switch space {
    case .null: return "null"
    case .scalar: return "scalar"
    case .simple(let extents, let maximum):
      return zip(extents, maximum).map { "\($0)/\($1.map(String.init) ?? "*")" }
        .joined(separator: ",")
    }
  }

  private static func describe(_ bits: HDF5Bits) -> String {
    let order = [HDF5ByteOrder.little: "<", .big: ">", .vax: "v"][bits.order] ?? "?"
    return "\(bits.size)\(order)o\(bits.offset)p\(bits.precision)"
  }

  static func describe(_ type: HDF5Type) -> String {
    switch type {
    case .integer(let bits, let isSigned): return "i\(describe(bits))\(isSigned ? "s" : "u")"
    case .float(let bits, let x):
      let form = [HDF5FloatLayout.Normalization.implied: "i", .stored: "s", .none: "n"]
      let fields = [x.sign, x.exponent, x.exponentBits, x.mantissa, x.mantissaBits, x.bias]
      return "f\(describe(bits))(\(fields.map(String.init).joined(separator: ",")))"
        + (form[x.normalization] ?? "?")
    case .time(let bits): return "t\(bits.size)"
    case .string(let size, let padding, let set):
      return "s\(size)p\(padding.rawValue)c\(set.rawValue)"
    case .variableString(_, let padding, let set):
      return "s*p\(padding.rawValue)c\(set.rawValue)"
    case .bitfield(let bits): return "b\(describe(bits))"
    case .opaque(let size, let tag): return "o\(size):\(quoted(tag))"
    case .compound(let size, let members):
      // In memory libhdf5's pointers have another size than in the file.
      guard !hasPointers(type) else {
        return
          "c{\(members.map { "\(quoted($0.name)):\(describe($0.type))" }.joined(separator: ";"))}"
      }
      let parts = members.map { "\(quoted($0.name)):\($0.offset):\(describe($0.type))" }
      return "c\(size){\(parts.joined(separator: ";"))}"
    case .reference(let kind, _): return kind == .object ? "ro" : kind == .region ? "rr" : "r?"
    case .enumeration(let base, let cases):
      let names = cases.map { "\(quoted($0.name))=\(number($0.value, base))" }
      return "e(\(describe(base))){\(names.joined(separator: ";"))}"
    case .sequence(let base, _): return "v(\(describe(base)))"
    case .array(let base, let extents):
      return "a[\(extents.map(String.init).joined(separator: ","))](\(describe(base)))"
    case .complex(let base): return "x(\(describe(base)))"
    }
  }

  private static func hasPointers(_ type: HDF5Type) -> Bool {
    switch type {
    case .variableString, .sequence: true
    case .compound(_, let members): members.contains { hasPointers($0.type) }
    case .array(let base, _): hasPointers(base)
    default: false
    }
  }

  private static func number(_ bytes: Bytes, _ base: HDF5Type) -> String {
    guard case .integer(let bits, let isSigned) = base else { return "?" }
    let ordered = bits.order == .little ? bytes.array.reversed() : bytes.array
    var value: Int64 = isSigned && (ordered.first ?? 0) >= 0x80 ? -1 : 0
    for byte in ordered { value = value << 8 | Int64(byte) }
    return String(value)
  }

  /// SHA-256 over the values in canonical form, shortened.
  private static func digest(_ array: HDF5Array) throws(DecodeError) -> String {
    var hash = wh_sha256()
    wh_sha256_begin(&hash)
    for value in try array.values() {
      var writer = ByteWriter()
      write(value, to: &writer)
      writer.bytes.withUnsafeBytes { wh_sha256_add(&hash, $0.baseAddress, $0.count) }
    }
    var digest = [UInt8](repeating: 0, count: 32)
    wh_sha256_end(&hash, &digest)
    return digest.prefix(16).map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
  }

  private static func write(_ value: HDF5Value, to writer: inout ByteWriter) {
    switch value {
    case .signed(let number): writer.integer(number)
    case .unsigned(let number): writer.integer(number)
    case .float(let number):
      writer.integer(number.isNaN ? 0x7FF8_0000_0000_0000 : number.bitPattern)
    case .string(let bytes), .bytes(let bytes):
      writer.integer(UInt32(bytes.count))
      writer.raw(bytes)
    case .compound(let parts), .array(let parts): for part in parts { write(part, to: &writer) }
    case .sequence(let parts):
      writer.integer(UInt32(parts.count))
      for part in parts { write(part, to: &writer) }
    case .object(let address): writer.integer(UInt64(address ?? 0))
    case .noRegion: writer.integer(UInt64(0))
    case .region(let address, let selection):
      writer.integer(UInt64(address))
      write(selection, to: &writer)
    }
  }

  private static func write(_ selection: HDF5Selection, to writer: inout ByteWriter) {
    switch selection {
    case .nothing: writer.raw("n".utf8)
    case .everything: writer.raw("a".utf8)
    case .points(let points):
      writer.raw("p".utf8)
      for number in points.joined() { writer.integer(UInt64(number)) }
    case .blocks(let blocks): write(blocks, to: &writer)
    case .pattern(let strides):
      var blocks = [HDF5Selection.Block(first: [], last: [])]
      for stride in strides {
        blocks = blocks.flatMap { block in
          (0..<stride.count).map { index in
            let first = stride.start + index * stride.stride
            return .init(
              first: block.first + [first], last: block.last + [first + stride.block - 1])
          }
        }
      }
      write(blocks, to: &writer)
    }
  }

  private static func write(_ blocks: [HDF5Selection.Block], to writer: inout ByteWriter) {
    let encoded = blocks.map { block in
      var writer = ByteWriter()
      for number in block.first + block.last { writer.integer(UInt64(number)) }
      return writer.bytes
    }
    writer.raw("b".utf8)
    for bytes in encoded.sorted(by: { $0.lexicographicallyPrecedes($1) }) { writer.raw(bytes) }
  }
}
