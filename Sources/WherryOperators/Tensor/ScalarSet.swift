/// A set of Unicode scalars, as a regular expression's class names it.
struct ScalarSet: Sendable, Hashable {
  indirect enum Part: Sendable, Hashable {
    case range(ClosedRange<UInt32>)
    case category(prefix: String)
    case set(ScalarSet)
  }
  var parts: [Part]
  var isNegated = false
  /// Whether a letter stands for its other case too.
  var ignoresCase = false

  init(_ parts: [Part] = []) { self.parts = parts }

  init(_ scalar: Unicode.Scalar) { parts = [.range(scalar.value...scalar.value)] }

  /// Ranges given by their first and last characters: `"azAZ"`.
  init(ranges: String) {
    let bounds = ranges.unicodeScalars.map(\.value)
    parts = stride(from: 0, to: bounds.count - 1, by: 2).map { .range(bounds[$0]...bounds[$0 + 1]) }
  }

  var negated: ScalarSet {
    var result = self
    result.isNegated.toggle()
    return result
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    var isIn = holds(scalar)
    if !isIn, ignoresCase {
      isIn = Self.otherCases(scalar).contains { holds($0) }
    }
    return isIn != isNegated
  }

  private func holds(_ scalar: Unicode.Scalar) -> Bool {
    parts.contains { part in
      switch part {
      case .range(let range): range.contains(scalar.value)
      case .category(let prefix): scalar.properties.generalCategory.code.hasPrefix(prefix)
      case .set(let set): set.contains(scalar)
      }
    }
  }

  private static func otherCases(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap { text in
      let scalars = text.unicodeScalars
      return scalars.count == 1 && scalars.first != scalar ? scalars.first : nil
    }
  }

  static let digits = ScalarSet(ranges: "09")
  static let word = ScalarSet(ranges: "09AZaz__")
  static let space = ScalarSet(ranges: "\t\n\u{c}\r  ")

  /// The classes that stand in brackets as `[:name:]`.
  static func posix(_ name: String) -> ScalarSet? {
    switch name {
    case "alnum": ScalarSet(ranges: "09AZaz")
    case "alpha": ScalarSet(ranges: "AZaz")
    case "ascii": ScalarSet(ranges: "\0\u{7f}")
    case "blank": ScalarSet(ranges: "\t\t  ")
    case "cntrl": ScalarSet(ranges: "\0\u{1f}\u{7f}\u{7f}")
    case "digit": digits
    case "graph": ScalarSet(ranges: "!~")
    case "lower": ScalarSet(ranges: "az")
    case "print": ScalarSet(ranges: " ~")
    case "punct": ScalarSet(ranges: "!/:@[`{~")
    case "space": ScalarSet(ranges: "\t\r  ")
    case "upper": ScalarSet(ranges: "AZ")
    case "word": word
    case "xdigit": ScalarSet(ranges: "09AFaf")
    default: nil
    }
  }
}

extension Unicode.GeneralCategory {
  /// The category's two letters, such as `Lu`.
  fileprivate var code: String {
    switch self {
    case .uppercaseLetter: "Lu"
    case .lowercaseLetter: "Ll"
    case .titlecaseLetter: "Lt"
    case .modifierLetter: "Lm"
    case .otherLetter: "Lo"
    case .nonspacingMark: "Mn"
    case .spacingMark: "Mc"
    case .enclosingMark: "Me"
    case .decimalNumber: "Nd"
    case .letterNumber: "Nl"
    case .otherNumber: "No"
    case .connectorPunctuation: "Pc"
    case .dashPunctuation: "Pd"
    case .openPunctuation: "Ps"
    case .closePunctuation: "Pe"
    case .initialPunctuation: "Pi"
    case .finalPunctuation: "Pf"
    case .otherPunctuation: "Po"
    case .mathSymbol: "Sm"
    case .currencySymbol: "Sc"
    case .modifierSymbol: "Sk"
    case .otherSymbol: "So"
    case .spaceSeparator: "Zs"
    case .lineSeparator: "Zl"
    case .paragraphSeparator: "Zp"
    case .control: "Cc"
    case .format: "Cf"
    case .surrogate: "Cs"
    case .privateUse: "Co"
    case .unassigned: "Cn"
    @unknown default: "Cn"
    }
  }
}
