/// A regular expression as a program that follows all its ways at once: time grows with the product of
/// the pattern's and the text's lengths, never faster.
struct RegularExpression: Sendable {
  private enum Step: Sendable {
    case take(ScalarSet)
    case fork(Int, Int)
    case check(RegexAssertion)
    case end
  }
  private var steps: [Step] = []
  /// Longest program, in steps.
  private static let longest = 20_000

  /// - Throws: `RegexError` when the pattern is not RE2's, or too large.
  init(_ pattern: String) throws(RegexError) {
    try add(RegexParser.parse(pattern))
    steps.append(.end)
  }

  /// Appends the program of `node`, which ends at the step after it.
  private mutating func add(_ node: RegexNode) throws(RegexError) {
    guard steps.count < Self.longest else { throw RegexError(reason: "the pattern is too large") }
    switch node {
    case .set(let set): steps.append(.take(set))
    case .assertion(let assertion): steps.append(.check(assertion))
    case .sequence(let parts): for part in parts { try add(part) }
    case .choice(let options):
      var exits: [Int] = []
      for (index, option) in options.enumerated() {
        let fork = steps.count
        if index < options.count - 1 { steps.append(.fork(fork + 1, 0)) }
        try add(option)
        guard index < options.count - 1 else { break }
        exits.append(steps.count)
        steps.append(.fork(0, 0))
        steps[fork] = .fork(fork + 1, steps.count)
      }
      for exit in exits { steps[exit] = .fork(steps.count, steps.count) }
    case .repetition(let inner, let least, let most):
      for _ in 0..<least {
        let before = steps.count
        try add(inner)
        // What matches nothing but the empty text needs no repetition.
        if steps.count == before { return }
      }
      guard let most else {
        let fork = steps.count
        steps.append(.end)
        try add(inner)
        steps.append(.fork(fork, fork))
        steps[fork] = .fork(fork + 1, steps.count)
        return
      }
      var forks: [Int] = []
      for _ in least..<max(most, least) {
        forks.append(steps.count)
        steps.append(.end)
        try add(inner)
      }
      for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
    }
  }

  /// Whether the whole text is one that the pattern describes.
  func matches(_ string: String) -> Bool {
    let text = Array(string.unicodeScalars)
    var active = [0]
    for position in 0...text.count {
      var reached = [Bool](repeating: false, count: steps.count)
      var pending = active
      var next: [Int] = []
      var isQueued = [Bool](repeating: false, count: steps.count)
      while let at = pending.popLast() {
        guard !reached[at] else { continue }
        reached[at] = true
        switch steps[at] {
        case .fork(let a, let b): pending += [a, b]
        case .check(let assertion):
          if assertion.holds(in: text, at: position) { pending.append(at + 1) }
        case .take(let set):
          guard position < text.count, !isQueued[at + 1], set.contains(text[position]) else {
            break
          }
          isQueued[at + 1] = true
          next.append(at + 1)
        case .end: if position == text.count { return true }
        }
      }
      if next.isEmpty { return false }
      active = next
    }
    return false
  }
}

extension RegexAssertion {
  fileprivate func holds(in text: [Unicode.Scalar], at position: Int) -> Bool {
    func isWord(_ index: Int) -> Bool {
      text.indices.contains(index) && ScalarSet.word.contains(text[index])
    }
    return switch self {
    case .textStart: position == 0
    case .textEnd: position == text.count
    case .lineStart: position == 0 || text[position - 1] == "\n"
    case .lineEnd: position == text.count || text[position] == "\n"
    case .wordBoundary: isWord(position - 1) != isWord(position)
    case .noWordBoundary: isWord(position - 1) == isWord(position)
    }
  }
}
