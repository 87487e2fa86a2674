import WherryBytes
import WherryGraph

/// How often each n-gram of a pool occurs in a row of tokens, perhaps weighted.
public enum TfIdfMode: String, AttributeConvertible {
  /// The count.
  case termFrequency = "TF"
  /// The weight where the count is not 0.
  case inverseDocumentFrequency = "IDF"
  /// The product of both.
  case both = "TFIDF"
}

/// `[C]` or `[N, C]` tokens, integers or strings, as counts of n-grams `[max(ngram_indexes) + 1]` or
/// `[N, …]` float32. An n-gram's tokens may stand up to `max_skip_count` tokens apart, all equally far.
///
/// - Source: ONNX operator specification, TfIdfVectorizer-9.
public struct TfIdfVectorizer: Operator {
  public var maxGramLength = 0
  public var maxSkipCount = 0
  public var minGramLength = 0
  public var mode = TfIdfMode.termFrequency
  /// Where in the pool the 1-grams, the 2-grams, … begin; ascending.
  public var ngramCounts: [Int] = []
  /// The output column of each n-gram; at least 0.
  public var ngramIndexes: [Int] = []
  public var poolInt64s: [Int]?
  public var poolStrings: [Bytes]?
  /// One weight an output column; all 1 when nil.
  public var weights: [Float]?

  public init() {}

  public static let signature = Signature(
    "TfIdfVectorizer", [.init("X", ElementSet(.int32, .int64, .string))],
    [.init("Y", ElementSet(.float32))])

  public static let fields: [Field<TfIdfVectorizer>] = [
    Field("max_gram_length", \.maxGramLength, required: true),
    Field("max_skip_count", \.maxSkipCount, required: true),
    Field("min_gram_length", \.minGramLength, required: true),
    Field("mode", \.mode, required: true),
    Field("ngram_counts", \.ngramCounts, required: true),
    Field("ngram_indexes", \.ngramIndexes, required: true),
    Field("pool_int64s", \.poolInt64s), Field("pool_strings", \.poolStrings),
    Field("weights", \.weights),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let last = ngramIndexes.max(), ngramIndexes.allSatisfy({ $0 >= 0 }),
      let columns = Checked.add(last, 1)
    else { throw TypeError(.attribute("ngram_indexes", "no columns, or negative ones")) }
    guard minGramLength >= 1, maxGramLength >= minGramLength, maxSkipCount >= 0 else {
      throw TypeError(.attribute("max_gram_length", "lengths or skips out of range"))
    }
    guard (poolInt64s == nil) != (poolStrings == nil) else {
      throw TypeError(.attribute("pool_int64s", "one pool must be set"))
    }
    if let element = site.element(0), (element == .string) != (poolStrings != nil) {
      throw TypeError(.element(input: 0, element))
    }
    guard let shape = site.shape(0) else {
      site.set(0, .float32, nil)
      return
    }
    guard shape.rank <= 2 else { throw TypeError(.rank(input: 0, shape.rank, expected: "1 or 2")) }
    site.set(
      0, .float32, shape.rank == 2 ? Shape([shape[0], .fixed(columns)]) : Shape([.fixed(columns)]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    let columns = extents[extents.count - 1]
    if let weights, mode != .termFrequency, weights.count < columns {
      throw RunError(.type(.attribute("weights", "\(weights.count) for \(columns) columns")))
    }
    let pool = try grams()
    let tokens = pool.tokens(data)
    let width = data.rank == 2 ? data.shape[1] : tokens.count
    let rows = extents.count == 2 ? extents[0] : 1
    var result = [Float](repeating: 0, count: rows * columns)
    for row in 0..<(width == 0 ? 0 : rows) {
      let line = tokens[row * width..<(row + 1) * width]
      count(Array(line), pool) { result[row * columns + $0] += 1 }
    }
    for index in result.indices {
      let weight = weights.map { $0[min(index % columns, $0.count - 1)] } ?? 1
      switch mode {
      case .termFrequency: break
      case .inverseDocumentFrequency: result[index] = result[index] > 0 ? weight : 0
      case .both: result[index] *= weight
      }
    }
    return [Tensor(.float32, extents, elements: result).map { .tensor($0) }]
  }

  private func count(_ line: [Int], _ pool: GramTree, found: (Int) -> Void) {
    var shortest = minGramLength
    // Tokens further apart than the line is long make no n-gram.
    for distance in 1...min(maxSkipCount, line.count) + 1 {
      for start in line.indices {
        var (node, length, at) = (0, 0, start)
        while at < line.count, length < maxGramLength, let next = pool.next(node, line[at]) {
          (node, length, at) = (next, length + 1, at + distance)
          if length >= shortest, let column = pool.columns[node] { found(column) }
        }
      }
      // Single tokens are the same at every distance.
      if shortest == 1 { shortest = 2 }
      if shortest > maxGramLength { break }
    }
  }

  /// - Throws: `RunError` when the attributes contradict each other.
  private func grams() throws(RunError) -> GramTree {
    var tree = GramTree(integers: poolInt64s, strings: poolStrings)
    var gram = 0
    for (step, start) in ngramCounts.enumerated() {
      let end = step + 1 < ngramCounts.count ? ngramCounts[step + 1] : tree.pool.count
      let length = step + 1
      guard start >= 0, start <= end, end <= tree.pool.count else {
        throw RunError(.type(.attribute("ngram_counts", "\(ngramCounts) leave the pool")))
      }
      for first in stride(from: start, through: end - length, by: length) {
        guard gram < ngramIndexes.count else {
          throw RunError(.type(.attribute("ngram_indexes", "fewer than n-grams")))
        }
        if length >= minGramLength, length <= maxGramLength {
          tree.add(first..<first + length, column: ngramIndexes[gram])
        }
        gram += 1
      }
    }
    return tree
  }
}

/// The n-grams of a pool as a tree of tokens; node 0 is the root.
private struct GramTree {
  /// The pool's tokens as numbers.
  private(set) var pool: [Int] = []
  /// Output columns of the nodes that end an n-gram.
  private(set) var columns: [Int: Int] = [:]
  private var integers: [Int64: Int] = [:]
  private var strings: [Bytes: Int] = [:]
  private struct Edge: Hashable {
    let node: Int
    let token: Int
  }
  private var edges: [Edge: Int] = [:]

  init(integers list: [Int]?, strings texts: [Bytes]?) {
    for number in list ?? [] {
      let token = integers[Int64(number)] ?? integers.count
      integers[Int64(number)] = token
      pool.append(token)
    }
    for text in texts ?? [] {
      let token = strings[text] ?? strings.count
      strings[text] = token
      pool.append(token)
    }
  }

  func next(_ node: Int, _ token: Int) -> Int? { edges[Edge(node: node, token: token)] }

  mutating func add(_ range: Range<Int>, column: Int) {
    var node = 0
    for token in pool[range] {
      let edge = Edge(node: node, token: token)
      node = edges[edge] ?? edges.count + 1
      edges[edge] = node
    }
    columns[node] = column
  }

  /// The elements of a tensor as tokens; -1 for those that the pool lacks.
  func tokens(_ data: Tensor) -> [Int] {
    data.element == .string
      ? data.strings.map { strings[$0] ?? -1 } : data.integers.map { integers[$0] ?? -1 }
  }
}
