/// What a regular expression is made of.
indirect enum RegexNode: Sendable {
  case set(ScalarSet)
  case sequence([RegexNode])
  case choice([RegexNode])
  case repetition(RegexNode, least: Int, most: Int?)
  case assertion(RegexAssertion)
}

/// A condition on a position between characters.
enum RegexAssertion: Sendable {
  case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
}

/// Why a pattern is not supported.
struct RegexError: Error {
  let reason: String
}

/// Reads RE2's syntax: no look-around, no references to groups.
///
/// - Source: RE2, "Syntax".
struct RegexParser {
  private struct Flags {
    var ignoresCase = false
    var multiline = false
    var dotTakesNewline = false
  }

  private let text: [Unicode.Scalar]
  private var at = 0
  private var depth = 0
  private var flags = Flags()

  private static let deepest = 100
  /// Largest count in braces, as in RE2.
  private static let mostRepeats = 1000

  static func parse(_ pattern: String) throws(RegexError) -> RegexNode {
    var parser = RegexParser(text: Array(pattern.unicodeScalars))
    let node = try parser.choice()
    guard parser.at == parser.text.count else { throw RegexError(reason: "\")\" without \"(\"") }
    return node
  }

  private init(text: [Unicode.Scalar]) { self.text = text }

  private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

  private func isAhead(_ string: String) -> Bool {
    text[at...].starts(with: string.unicodeScalars)
  }

  private mutating func take(_ string: String) -> Bool {
    guard isAhead(string) else { return false }
    at += string.unicodeScalars.count
    return true
  }

  private mutating func choice() throws(RegexError) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw RegexError(reason: "groups are nested too deep") }
    var options = [try sequence()]
    while take("|") { options.append(try sequence()) }
    return options.count == 1 ? options[0] : .choice(options)
  }

  private mutating func sequence() throws(RegexError) -> RegexNode {
    var parts: [RegexNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if take("\\Q") {
        var quoted: [RegexNode] = []
        while at < text.count, !take("\\E") {
          quoted.append(.set(literal(text[at])))
          at += 1
        }
        // What follows repeats the last character only.
        if let last = quoted.popLast() { parts += quoted + [try repeated(last)] }
        continue
      }
      guard let atom = try atom() else { continue }
      parts.append(try repeated(atom))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  /// nil for a group that only sets flags.
  private mutating func atom() throws(RegexError) -> RegexNode? {
    guard let scalar = next else { return .sequence([]) }
    at += 1
    switch scalar {
    case "(": return try group()
    case "[": return .set(try bracket())
    case ".":
      return .set(flags.dotTakesNewline ? ScalarSet().negated : ScalarSet("\n").negated)
    case "^": return .assertion(flags.multiline ? .lineStart : .textStart)
    case "$": return .assertion(flags.multiline ? .lineEnd : .textEnd)
    case "*", "+", "?": throw RegexError(reason: "nothing to repeat before \"\(scalar)\"")
    case "\\": return try escape()
    default: return .set(literal(scalar))
    }
  }

  private func literal(_ scalar: Unicode.Scalar) -> ScalarSet {
    var set = ScalarSet(scalar)
    set.ignoresCase = flags.ignoresCase
    return set
  }

  private mutating func group() throws(RegexError) -> RegexNode? {
    let outer = flags
    if take("?") {
      if take("P<") || take("<") && !isAhead("=") && !isAhead("!") {
        while let scalar = next, scalar != ">" {
          guard ScalarSet.word.contains(scalar) else { throw RegexError(reason: "group name") }
          at += 1
        }
        guard take(">") else { throw RegexError(reason: "group name without \">\"") }
      } else if !take(":") {
        try readFlags()
        if take(")") { return nil }
        guard take(":") else { throw RegexError(reason: "this kind of group") }
      }
    }
    let node = try choice()
    guard take(")") else { throw RegexError(reason: "\"(\" without \")\"") }
    flags = outer
    return node
  }

  private mutating func readFlags() throws(RegexError) {
    var isOn = true
    while let scalar = next, scalar != ")", scalar != ":" {
      switch scalar {
      case "i": flags.ignoresCase = isOn
      case "m": flags.multiline = isOn
      case "s": flags.dotTakesNewline = isOn
      case "U": break
      case "-": isOn = false
      default: throw RegexError(reason: "group \"(?\(scalar)\"")
      }
      at += 1
    }
  }

  private mutating func repeated(_ atom: RegexNode) throws(RegexError) -> RegexNode {
    var node = atom
    var count = 0
    while let bounds = try repetition() {
      count += 1
      guard count == 1 else { throw RegexError(reason: "a repetition of a repetition") }
      node = .repetition(node, least: bounds.least, most: bounds.most)
      _ = take("?")
    }
    return node
  }

  private mutating func repetition() throws(RegexError) -> (least: Int, most: Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    guard next == "{" else { return nil }
    // Braces that hold no counts are ordinary characters.
    let start = at
    at += 1
    guard let least = number() else {
      at = start
      return nil
    }
    var most: Int? = least
    if take(",") { most = number() }
    guard take("}") else {
      at = start
      return nil
    }
    guard least <= Self.mostRepeats, most ?? 0 <= Self.mostRepeats, least <= most ?? .max else {
      throw RegexError(reason: "a repetition of \(least) to \(most ?? least)")
    }
    return (least, most)
  }

  private mutating func number() -> Int? {
    let start = at
    while let scalar = next, ScalarSet.digits.contains(scalar) { at += 1 }
    guard at > start, at - start <= 9 else { return nil }
    return Int(String(String.UnicodeScalarView(text[start..<at])))
  }

  private mutating func escape() throws(RegexError) -> RegexNode {
    switch next {
    case "A":
      at += 1
      return .assertion(.textStart)
    case "z":
      at += 1
      return .assertion(.textEnd)
    case "b":
      at += 1
      return .assertion(.wordBoundary)
    case "B":
      at += 1
      return .assertion(.noWordBoundary)
    default:
      var set = try escapedSet()
      set.ignoresCase = flags.ignoresCase
      return .set(set)
    }
  }

  /// What a backslash, already read, makes of the characters after it.
  private mutating func escapedSet() throws(RegexError) -> ScalarSet {
    guard let scalar = next else { throw RegexError(reason: "\"\\\" at the end") }
    at += 1
    switch scalar {
    case "d": return .digits
    case "D": return ScalarSet.digits.negated
    case "w": return .word
    case "W": return ScalarSet.word.negated
    case "s": return .space
    case "S": return ScalarSet.space.negated
    case "a": return ScalarSet("\u{7}")
    case "f": return ScalarSet("\u{c}")
    case "t": return ScalarSet("\t")
    case "n": return ScalarSet("\n")
    case "r": return ScalarSet("\r")
    case "v": return ScalarSet("\u{b}")
    case "p": return try category()
    case "P": return try category().negated
    case "x": return ScalarSet(try hexadecimal())
    case "0": return ScalarSet(octal())
    default:
      guard !ScalarSet.word.contains(scalar), scalar.isASCII else {
        throw RegexError(reason: "\"\\\(scalar)\"")
      }
      return ScalarSet(scalar)
    }
  }

  private mutating func octal() -> Unicode.Scalar {
    var value: UInt8 = 0
    for _ in 0..<2 {
      guard let scalar = next, ("0"..."7").contains(scalar) else { break }
      value = value * 8 + UInt8(scalar.value - 48)
      at += 1
    }
    return Unicode.Scalar(value)
  }

  private mutating func hexadecimal() throws(RegexError) -> Unicode.Scalar {
    let isBraced = take("{")
    var digits = ""
    while let scalar = next, scalar.properties.isASCIIHexDigit,
      digits.utf8.count < (isBraced ? 6 : 2)
    {
      digits.unicodeScalars.append(scalar)
      at += 1
    }
    guard !isBraced || take("}"), isBraced || digits.utf8.count == 2,
      let scalar = UInt32(digits, radix: 16).flatMap({ Unicode.Scalar($0) })
    else { throw RegexError(reason: "\"\\x\(digits)\"") }
    return scalar
  }

  private mutating func category() throws(RegexError) -> ScalarSet {
    var name = ""
    if take("{") {
      while let scalar = next, scalar != "}" {
        name.unicodeScalars.append(scalar)
        at += 1
      }
      guard take("}") else { throw RegexError(reason: "\"\\p{\" without \"}\"") }
    } else if let scalar = next {
      name.unicodeScalars.append(scalar)
      at += 1
    }
    let isNegated = name.hasPrefix("^")
    if isNegated { name.removeFirst() }
    let known: Set<String> = [
      "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc",
      "Pd",
      "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc",
      "Cf", "Cs", "Co",
    ]
    guard known.contains(name) else { throw RegexError(reason: "\"\\p{\(name)}\"") }
    let set = ScalarSet([.category(prefix: name)])
    return isNegated ? set.negated : set
  }

  /// A class in brackets, of which the first is already read.
  private mutating func bracket() throws(RegexError) -> ScalarSet {
    var set = ScalarSet()
    set.isNegated = take("^")
    set.ignoresCase = flags.ignoresCase
    var isFirst = true
    while isFirst || next != "]" {
      isFirst = false
      if take("[:") {
        set.parts.append(.set(try posix()))
        continue
      }
      let low = try bracketed()
      guard next == "-", at + 1 < text.count, text[at + 1] != "]" else {
        set.parts.append(.set(low))
        continue
      }
      at += 1
      let high = try bracketed()
      guard let first = low.single, let last = high.single, first <= last else {
        throw RegexError(reason: "a range of characters")
      }
      set.parts.append(.range(first...last))
    }
    at += 1
    return set
  }

  private mutating func bracketed() throws(RegexError) -> ScalarSet {
    guard let scalar = next else { throw RegexError(reason: "\"[\" without \"]\"") }
    at += 1
    return scalar == "\\" ? try escapedSet() : ScalarSet(scalar)
  }

  private mutating func posix() throws(RegexError) -> ScalarSet {
    let isNegated = take("^")
    var name = ""
    while let scalar = next, scalar != ":" {
      name.unicodeScalars.append(scalar)
      at += 1
    }
    guard take(":]"), let set = ScalarSet.posix(name) else {
      throw RegexError(reason: "\"[:\(name):]\"")
    }
    return isNegated ? set.negated : set
  }
}

extension ScalarSet {
  /// The only scalar of a set that names one.
  fileprivate var single: UInt32? {
    guard parts.count == 1, !isNegated, case .range(let range) = parts[0],
      range.lowerBound == range.upperBound
    else { return nil }
    return range.lowerBound
  }
}
