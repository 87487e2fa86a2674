import WherryBytes
import WherryGraph

/// What each version of each ONNX operator takes.
///
/// - Source: the operator schemas of the `onnx` package; `OperatorFacts.generated.swift`.
enum OperatorFacts {
  struct Attribute: Sendable {
    let kind: AttributeKind
    let isRequired: Bool
    /// What an absent attribute stands for; nil when nothing.
    let standard: AttributeValue?
  }

  struct Version: Sendable {
    /// The first operator set with this version.
    let since: Int64
    let isDeprecated: Bool
    let inputs: ClosedRange<Int>
    let outputs: ClosedRange<Int>
    /// What each formal input and output takes; the last one goes on for variadic ones.
    let inputTypes: [TypeMask]
    let outputTypes: [TypeMask]
    let attributes: [String: Attribute]
  }

  /// A set of types of values, shapes aside.
  struct TypeMask: Sendable {
    let bits: UInt64

    /// Whether a value of this type is taken; unknown types are.
    func allows(_ type: ValueType?) -> Bool {
      switch type?.plain {
      case .tensor(let element, _)?: bits & 1 << UInt64(element.rawValue) != 0
      case .sequence?: bits & 1 << 40 != 0
      case .optional?: bits & 1 << 41 != 0
      case .map?: bits & 1 << 42 != 0
      case .sparseTensor?: bits & 1 << 43 != 0
      default: true
      }
    }
  }

  /// By operator, oldest version first.
  static let table: [OperatorName: [Version]] = parse()

  /// The newest operator set of ONNX's own domain.
  static var newest: Int64 { newestVersions[""] ?? 0 }

  /// The version of an operator that an operator set has; nil when it has none.
  static func version(_ name: OperatorName, in operatorSet: Int64) -> Version? {
    table[name]?.last { $0.since <= operatorSet }
  }

  /// The oldest IR version that may go with an operator set.
  static func irVersion(for operatorSet: Int64) -> Int64 {
    irVersions.last { $0.operatorSet <= operatorSet }?.ir ?? 3
  }

  private static func parse() -> [OperatorName: [Version]] {
    var table: [OperatorName: [Version]] = [:]
    var name = OperatorName("")
    for line in source[...].parts("\n") {
      guard line.utf8.first == UInt8(ascii: " ") else {
        let parts = line.parts(":")
        name = OperatorName(
          String(parts.last ?? ""), domain: parts.count > 1 ? String(parts[0]) : "")
        continue
      }
      let words = line.parts(" ")
      guard words.count >= 5 else { continue }
      var attributes: [String: Attribute] = [:]
      for word in words.dropFirst(5) {
        guard let (name, attribute) = attribute(word) else { continue }
        attributes[name] = attribute
      }
      for mark in words[0].parts(",") {
        let isDeprecated = mark.utf8.last == UInt8(ascii: "x")
        guard let since = Int64(isDeprecated ? mark.dropLast() : mark) else { continue }
        table[name, default: []].append(
          Version(
            since: since, isDeprecated: isDeprecated, inputs: range(words[1]),
            outputs: range(words[2]), inputTypes: masks(words[3]), outputTypes: masks(words[4]),
            attributes: attributes))
      }
    }
    return table.mapValues { $0.sorted { $0.since < $1.since } }
  }

  private static func range(_ word: Substring) -> ClosedRange<Int> {
    let ends = word.parts("-").map { Int($0) ?? Int(Int32.max) }
    guard ends.count == 2, ends[0] <= ends[1] else { return 0...Int(Int32.max) }
    return ends[0]...ends[1]
  }

  private static func masks(_ word: Substring) -> [TypeMask] {
    word.parts("/").compactMap { UInt64($0, radix: 16).map { TypeMask(bits: $0) } }
  }

  /// `name:kind`, then `!` when required, then `=default`.
  private static func attribute(_ word: Substring) -> (String, Attribute)? {
    let halves = word.parts("=", most: 2)
    let head = halves[0].parts(":")
    guard head.count == 2, let letter = head[1].first, let kind = kinds[letter] else { return nil }
    let standard = halves.count > 1 ? value(kind, halves[1]) : nil
    return (
      String(head[0]),
      Attribute(kind: kind, isRequired: head[1].hasSuffix("!"), standard: standard)
    )
  }

  private static func value(_ kind: AttributeKind, _ text: Substring) -> AttributeValue? {
    let items = text.parts(",")
    return switch kind {
    case .float: Float(text).map { .float($0) }
    case .int: Int64(text).map { .int($0) }
    case .string: .string(Bytes(text.utf8))
    case .floats: .floats(items.compactMap { Float($0) })
    case .ints: .ints(items.compactMap { Int64($0) })
    case .strings: .strings(items.map { Bytes($0.utf8) })
    default: nil
    }
  }

  private static let kinds: [Character: AttributeKind] = [
    "f": .float, "i": .int, "s": .string, "t": .tensor, "g": .graph, "p": .sparseTensor,
    "y": .type, "F": .floats, "I": .ints, "S": .strings, "T": .tensors, "G": .graphs,
    "P": .sparseTensors, "Y": .types,
  ]
}

extension Substring {
  /// What stands between separators, nothing left out; or the non-empty parts, if there may be any number
  /// of them. Bytes are compared, not characters: the table is parsed whenever a file is read.
  fileprivate func parts(_ separator: Unicode.Scalar, most: Int? = nil) -> [Substring] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: (most ?? .max) - 1,
      omittingEmptySubsequences: most == nil
    ).map { Substring($0) }
  }
}
