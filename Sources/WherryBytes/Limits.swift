/// What a reader may spend on one file. Every reader takes one and stops with `DecodeError.limit`.
public struct Limits: Sendable {
  /// Bytes of a whole file.
  public var fileBytes = 1 << 40
  /// Bytes a reader may allocate beyond those that the file itself holds.
  public var expandedBytes = 8 << 30
  /// Nesting of messages, objects, subgraphs and types.
  public var depth = 100
  /// Nodes, values, tensors, attributes: any one list.
  public var elements = 16 << 20
  /// Problems collected before a reader gives up on the rest.
  public var problems = 100

  public init() {}
  public static let standard = Limits()
}

/// Arithmetic on sizes that come from a file: nil instead of overflow.
public enum Checked {
  /// The product of extents, each at least 0.
  public static func product(_ extents: some Sequence<Int>) -> Int? {
    var result = 1
    var isEmpty = false
    for extent in extents {
      guard extent >= 0 else { return nil }
      if extent == 0 {
        isEmpty = true
        continue
      }
      let (next, overflow) = result.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      result = next
    }
    return isEmpty ? 0 : result
  }

  public static func multiply(_ a: Int, _ b: Int) -> Int? {
    let (result, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? nil : result
  }

  public static func add(_ a: Int, _ b: Int) -> Int? {
    let (result, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : result
  }
}
