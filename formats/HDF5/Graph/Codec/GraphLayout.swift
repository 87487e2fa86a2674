import WherryGraph
import WherryHDF5
import WherryKeras

/// What writer and reader of the graph layout agree on.
///
/// - Source: `formats/HDF5/README.md`, "The graph layout".
enum GraphLayout {
  /// The value of the root's attribute `format`.
  static let marker = "wherry-graph"
  /// The value of the root's attribute `version` in files of this writer.
  static let version: Int64 = 1

  /// A value of more bytes than this is no attribute but a data set of that name.
  static let longestAttribute = 1 << 15

  /// The most extents an HDF5 data set can have.
  static let mostExtents = 32

  /// Stands in `extents` for an axis of which nothing is known.
  static let unknownExtent: Int64 = -1
  /// Stands in `extents` for an axis that has a name, in `symbols`.
  static let symbolicExtent: Int64 = -2

  /// A name that HDF5 takes for an attribute or link: percent signs, slashes, zero bytes, and names of
  /// nothing or one dot are written as percent escapes.
  static func escaped(_ name: String) -> String {
    switch name {
    case "": return "%"
    case ".": return "%2E"
    default: break
    }
    guard name.utf8.contains(where: { [0, 0x25, 0x2F].contains($0) }) else { return name }
    var result = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "%": result += "%25"
      case "/": result += "%2F"
      case "\0": result += "%00"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The name that `escaped` was made from; nil for what it never gives.
  static func unescaped(_ text: String) -> String? {
    if text == "%" { return "" }
    guard text.utf8.contains(0x25) else { return text }
    let parts = text.split(separator: "%", omittingEmptySubsequences: false)
    var result = String(parts.first ?? "")
    for part in parts.dropFirst() {
      switch part.prefix(2) {
      case "25": result += "%"
      case "2F": result += "/"
      case "00": result += "\0"
      case "2E": result += "."
      default: return nil
      }
      result += part.dropFirst(2)
    }
    return escaped(result) == text ? result : nil
  }

  /// The type whose elements have the same bytes as a tensor's; nil where HDF5 has none, and the packed
  /// bytes are kept as they are.
  static func type(of element: ElementType) -> HDF5Type? {
    switch element {
    case .complex64: complex(.float32)
    case .complex128: complex(.float64)
    default: element.stored
    }
  }

  /// Two members, as h5py writes complex numbers.
  private static func complex(_ part: HDF5Type) -> HDF5Type {
    .compound(
      size: 2 * part.size,
      [HDF5Member("r", offset: 0, part), HDF5Member("i", offset: part.size, part)])
  }

  /// The element type of which `type(of:)` gives this.
  static func element(of type: HDF5Type) -> ElementType? {
    elements[type]
  }

  private static let elements: [HDF5Type: ElementType] = {
    var found: [HDF5Type: ElementType] = [:]
    for element in ElementType.allCases {
      if let type = type(of: element) { found[type] = element }
    }
    return found
  }()
}
