extension ValueType {
  /// The more specific of two descriptions of one value; nil when they contradict each other.
  public static func merge(_ a: ValueType, _ b: ValueType) -> ValueType? {
    switch (a.plain, b.plain) {
    case (.unspecified, _): return b
    case (_, .unspecified): return a
    case (.tensor(let x, let m), .tensor(let y, let n)):
      guard x == y, let shape = Shape.merge(m, n) else { return nil }
      return .tensor(x, shape.known)
    case (.sparseTensor(let x, let m), .sparseTensor(let y, let n)):
      guard x == y, let shape = Shape.merge(m, n) else { return nil }
      return .sparseTensor(x, shape.known)
    case (.sequence(let x), .sequence(let y)): return merge(x, y).map { .sequence($0) }
    case (.optional(let x), .optional(let y)): return merge(x, y).map { .optional($0) }
    case (.map(let x, let p), .map(let y, let q)):
      return x == y ? merge(p, q).map { .map(key: x, value: $0) } : nil
    default: return a.plain == b.plain ? a : nil
    }
  }

  /// The narrowest type that describes both: extents that differ are unknown, and so is the shape when the
  /// ranks differ; nil when nothing is common.
  public static func union(_ a: ValueType, _ b: ValueType) -> ValueType? {
    switch (a.plain, b.plain) {
    case (.tensor(let x, let m), .tensor(let y, let n)):
      guard x == y else { return nil }
      guard let m, let n, m.rank == n.rank else { return .tensor(x, nil) }
      return .tensor(
        x, Shape(zip(m.dimensions, n.dimensions).map { $0 == $1 ? $0 : .unknown }))
    case (.sequence(let x), .sequence(let y)): return union(x, y).map { .sequence($0) }
    case (.optional(let x), .optional(let y)): return union(x, y).map { .optional($0) }
    // A value may be handed on without its cover.
    case (.unspecified, _), (_, .unspecified), (.optional, _), (_, .optional): return .unspecified
    default: return a.plain == b.plain ? a.plain : nil
    }
  }
}

extension Shape {
  /// A shape that may say nothing.
  fileprivate struct Merged {
    let known: Shape?
  }

  fileprivate static func merge(_ a: Shape?, _ b: Shape?) -> Merged? {
    guard let a else { return Merged(known: b) }
    guard let b else { return Merged(known: a) }
    guard a.rank == b.rank else { return nil }
    var merged: [Dimension] = []
    for (x, y) in zip(a.dimensions, b.dimensions) {
      guard let dimension = Dimension.merge(x, y) else { return nil }
      merged.append(dimension)
    }
    return Merged(
      known: Shape(merged, denotations: a.denotations.isEmpty ? b.denotations : a.denotations))
  }
}
