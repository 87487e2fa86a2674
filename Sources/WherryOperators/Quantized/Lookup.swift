import WherryGraph

/// `y = table[x]`: any function of one 8-bit value.
///
/// `x: [...] int8 or uint8`; `table: [256]`, entry `i` for `x = i - 128` (int8) or `x = i` (uint8);
/// `y: [...]` of the table's type.
public struct Lookup: Operator {
  public init() {}

  static let results = ElementSet(.int8, .uint8, .float32)
  public static let signature = Signature(
    "Lookup", domain: OperatorName.ownDomain,
    [.init("x", .bytes), .init("table", results)], [.init("y", results)])
  public static let fields: [Field<Lookup>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let table = site.shape(1) {
      guard table.rank == 1, Dimension.merge(table[0], 256) != nil else {
        throw TypeError(.shape("a table of \(table), not [256]"))
      }
    }
    site.set(0, site.element(1), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, table) = (try call.tensor(0), try call.tensor(1))
    guard ElementSet.bytes.contains(x.element) else {
      throw RunError(.badInput("x is \(x.element)"))
    }
    guard table.shape == [256] else {
      throw RunError(.badInput("a table of \(table.shape), not [256]"))
    }
    let least = ByteTable.least(x.element)
    let places = x.integers.map { Int($0 - least) }
    if table.element.isFloat {
      let entries = table.doubles
      return single(Tensor(table.element, x.shape, doubles: places.map { entries[$0] }))
    }
    let entries = table.integers
    return single(Tensor(table.element, x.shape, integers: places.map { entries[$0] }))
  }
}
