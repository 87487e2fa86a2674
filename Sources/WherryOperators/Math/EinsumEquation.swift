/// A parsed Einstein summation: which label each axis of each operand and of the result bears.
struct EinsumEquation: Sendable {
  /// A letter, or an axis that an ellipsis stands for, counted from the last one.
  enum Label: Hashable, Sendable {
    case letter(UInt8)
    case ellipsis(fromEnd: Int)
  }

  let operands: [[Label]]
  let result: [Label]

  private init(operands: [[Label]], result: [Label]) {
    (self.operands, self.result) = (operands, result)
  }

  /// The product of the first two operands, summed over what neither the others nor the result
  /// need, and what remains to be done with it as the first operand.
  func splitFirstPair() -> (pair: EinsumEquation, rest: EinsumEquation) {
    let others = operands.dropFirst(2)
    let needed = Set(others.joined()).union(result)
    var kept: [Label] = []
    for label in operands.prefix(2).joined() where needed.contains(label) && !kept.contains(label) {
      kept.append(label)
    }
    return (
      EinsumEquation(operands: Array(operands.prefix(2)), result: kept),
      EinsumEquation(operands: [kept] + others, result: result)
    )
  }

  /// nil when the equation is malformed or doesn't fit the operands' ranks.
  init?(_ equation: String, ranks: [Int]) {
    let text = equation.utf8.filter { $0 != UInt8(ascii: " ") }
    let sides = Self.split(text)
    let terms = sides.left.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard terms.count == ranks.count else { return nil }
    var operands: [[Label]] = []
    var widest = 0
    var hasEllipsis = false
    for (term, rank) in zip(terms, ranks) {
      guard let parsed = Self.parse(term) else { return nil }
      let width = rank - parsed.letters
      guard !parsed.hasEllipsis ? width == 0 : width >= 0 else { return nil }
      if parsed.hasEllipsis {
        hasEllipsis = true
        widest = max(widest, width)
      }
      operands.append(Self.labels(parsed, width: width))
    }
    self.operands = operands
    let known = Set(operands.joined())
    if let right = sides.right {
      guard let parsed = Self.parse(right) else { return nil }
      result = Self.labels(parsed, width: !parsed.hasEllipsis ? 0 : widest)
      guard Set(result).count == result.count, known.isSuperset(of: result) else { return nil }
    } else {
      var uses: [Label: Int] = [:]
      for label in operands.joined() { uses[label, default: 0] += 1 }
      let letters = (UInt8(0)...127).map { Label.letter($0) }.filter { uses[$0] == 1 }
      let leading = hasEllipsis ? (0..<widest).reversed().map { Label.ellipsis(fromEnd: $0) } : []
      result = leading + letters
    }
  }

  private static func split(_ text: [UInt8]) -> (left: ArraySlice<UInt8>, right: ArraySlice<UInt8>?)
  {
    for index in text.indices.dropLast()
    where text[index] == UInt8(ascii: "-") && text[index + 1] == UInt8(ascii: ">") {
      return (text[..<index], text[(index + 2)...])
    }
    return (text[...], nil)
  }

  private struct Term {
    var before: [UInt8] = []
    var after: [UInt8] = []
    /// Whether there is an ellipsis between the two.
    var hasEllipsis = false
    var letters: Int { before.count + after.count }
  }

  private static func parse(_ text: ArraySlice<UInt8>) -> Term? {
    var term = Term()
    var rest = text
    while let byte = rest.first {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
        if !term.hasEllipsis { term.before.append(byte) } else { term.after.append(byte) }
        rest = rest.dropFirst()
      case UInt8(ascii: "."):
        guard !term.hasEllipsis, rest.prefix(3).elementsEqual("...".utf8) else { return nil }
        term.hasEllipsis = true
        rest = rest.dropFirst(3)
      default: return nil
      }
    }
    return term
  }

  private static func labels(_ term: Term, width: Int) -> [Label] {
    term.before.map { .letter($0) }
      + (0..<width).reversed().map { .ellipsis(fromEnd: $0) }
      + term.after.map { .letter($0) }
  }
}
