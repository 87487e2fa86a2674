import Glibc
import WherryBytes
import WherryGraph

/// Numbers as text: how `Cast` reads and writes them.
///
/// - Source: ONNX operator specification, Cast-28: plain or scientific notation, and `INF`, `+INF`,
///   `-INF` and `NaN` in any case.
enum NumberText {
  /// The number that `text` denotes; nil when it is none.
  static func number(_ text: String) -> Double? {
    let bare = trimmed(text)
    switch bare.lowercased() {
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    case "nan", "+nan", "-nan": return .nan
    // Swift also reads hexadecimal floats and NaN payloads, which are no number here.
    case let lower where lower.contains("x") || lower.contains("n"): return nil
    default: return Double(bare)
    }
  }

  /// An integer of at most 64 bits, as its bit pattern.
  static func integer(_ text: String) -> Int64? {
    let bare = trimmed(text)
    return Int64(bare) ?? UInt64(bare).map { Int64(bitPattern: $0) }
  }

  private static func trimmed(_ text: String) -> String {
    let isSpace = { (byte: UInt8) in byte == 32 || (9...13).contains(byte) }
    let bytes = text.utf8.drop(while: isSpace)
    let end = bytes.lastIndex { !isSpace($0) }.map { bytes.index(after: $0) } ?? bytes.startIndex
    return String(bytes[..<end]) ?? text
  }

  /// Every element: floats with the fewest digits that tell them from their neighbours.
  static func write(_ x: Tensor) -> [Bytes] {
    let texts: [String] =
      switch x.element {
      case .string: []
      case .bool: x.booleans.map { $0 ? "1" : "0" }
      case .uint64: x.integers.map { String(UInt64(bitPattern: $0)) }
      case .float32: x.doubles.map { special($0) ?? Float($0).description }
      case .float64: x.doubles.map { special($0) ?? $0.description }
      default:
        x.element.isFloat
          ? x.doubles.map { special($0) ?? shortest($0, x.element) }
          : x.integers.map { String($0) }
      }
    return texts.map { Bytes($0.utf8) }
  }

  private static func special(_ value: Double) -> String? {
    if value.isNaN { return "NaN" }
    return value.isInfinite ? (value > 0 ? "INF" : "-INF") : nil
  }

  /// The decimal of fewest digits that rounds to `value` in a narrow type.
  private static func shortest(_ value: Double, _ element: ElementType) -> String {
    guard value != 0, let layout = SmallFloat(element) else { return value.description }
    let pattern = layout.encode(value, saturate: false)
    let magnitude = Int(log10(value.magnitude).rounded(.down))
    for digits in 1..<9 {
      // Powers of ten up to 10^22 are exact, so the quotient is the double nearest to the decimal.
      let shift = digits - 1 - magnitude
      guard shift.magnitude <= 22 else { break }
      let scale = pow(10, Double(shift.magnitude))
      let scaled = (shift < 0 ? value / scale : value * scale).rounded()
      let decimal = shift < 0 ? scaled * scale : scaled / scale
      if layout.encode(decimal, saturate: false) == pattern { return decimal.description }
    }
    return Float(value).description
  }
}
