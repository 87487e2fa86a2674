import WherryBytes
import WherryGraph

/// The same elements under other extents: `reshaped` has the extents that `shape: [R] int64` lists.
///
/// At most one extent is -1 and takes what the others leave. 0 keeps the input's extent on that axis or,
/// with `allowzero`, means 0.
/// - Source: ONNX operator specification, Reshape-25.
public struct Reshape: Operator {
  public var allowzero = false

  public init() {}

  public static let signature = Signature(
    "Reshape", [.init("data", .movable), .init("shape", .int64)], [.init("reshaped", .movable)])

  public static let fields: [Field<Reshape>] = [Field("allowzero", \.allowzero)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let wanted = site.dimensions(1) else {
      site.set(0, site.element(0), site.length(1).flatMap { $0 <= 64 ? .unknown(rank: $0) : nil })
      return
    }
    if let shape = site.shape(0) {
      site.set(0, site.element(0), try target(of: shape, wanted))
      return
    }
    let open = wanted.map { dimension -> Dimension in
      guard let extent = dimension.extent else { return dimension }
      return extent > 0 || extent == 0 && allowzero ? dimension : .unknown
    }
    site.set(0, site.element(0), Shape(open))
  }

  /// The extents of the result.
  func target(of data: Shape, _ wanted: [Dimension]) throws(TypeError) -> Shape {
    var (result, rest, hole) = (wanted, data.dimensions.map { Optional($0) }, Int?.none)
    var others: [Dimension] = []
    for (axis, dimension) in wanted.enumerated() {
      switch dimension {
      case .fixed(0) where !allowzero:
        guard axis < data.rank else {
          throw TypeError(.shape("a 0 at axis \(axis) has no extent of \(data) to keep"))
        }
        result[axis] = data[axis]
        rest[axis] = nil
      case .fixed(-1):
        guard hole == nil, !(allowzero && wanted.contains(.fixed(0))) else {
          throw TypeError(.shape("\(Shape(wanted)) leaves more than one extent open"))
        }
        hole = axis
      case .fixed(let extent) where extent < 0:
        throw TypeError(.shape("\(extent) is no extent"))
      default: others.append(dimension)
      }
    }
    var left = rest.compactMap { $0 }
    others.removeAll { other in
      guard case .symbolic = other, let at = left.firstIndex(of: other) else { return false }
      left.remove(at: at)
      return true
    }
    let (have, need) = (Dimension.product(left), Dimension.product(others))
    if let hole {
      guard let divisor = need.extent else {
        result[hole] = .unknown
        return Shape(result)
      }
      result[hole] = try Self.quotient(have, left, divisor)
    } else if let have = have.extent, let need = need.extent, have != need,
      !(data.isEmpty && Shape(result).isEmpty)
    {
      throw TypeError(.shape("\(data) can't be reshaped to \(Shape(wanted))"))
    }
    return Shape(result)
  }

  private static func quotient(
    _ have: Dimension, _ factors: [Dimension], _ divisor: Int
  ) throws(TypeError) -> Dimension {
    guard let extent = have.extent else {
      // One named extent survives when the fixed ones cancel.
      let named = factors.filter { $0.extent == nil }
      let fixed = Dimension.product(factors.filter { $0.extent != nil })
      return named.count == 1 && fixed.extent == divisor ? named[0] : .unknown
    }
    guard divisor > 0, extent % divisor == 0 else {
      throw TypeError(.shape("\(extent) elements can't be divided by \(divisor)"))
    }
    return .fixed(extent / divisor)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let shape = try extents(call)
    guard let result = data.reshaped(shape) else {
      throw RunError(.badValue("\(data.shape) can't be reshaped to \(shape)"))
    }
    return [.tensor(result)]
  }
}

extension Shape {
  /// Whether an extent is known to be 0.
  var isEmpty: Bool { dimensions.contains(.fixed(0)) }
}

/// The input as a matrix `[d0 * … * d(axis-1), d(axis) * … ]`.
///
/// - Source: ONNX operator specification, Flatten-25.
public struct Flatten: Operator {
  /// In `-rank ... rank`.
  public var axis = 1

  public init() {}

  public static let signature = Signature(
    "Flatten", [.init("input", .movable)], [.init("output", .movable)])

  public static let fields: [Field<Flatten>] = [Field("axis", \.axis)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), .unknown(rank: 2))
      return
    }
    guard axis >= -shape.rank, axis <= shape.rank else {
      throw TypeError(.attribute("axis", "\(axis) is outside a rank of \(shape.rank)"))
    }
    let split = axis < 0 ? axis + shape.rank : axis
    site.set(
      0, site.element(0),
      Shape([.product(shape.dimensions[..<split]), .product(shape.dimensions[split...])]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard let result = try call.tensor(0).reshaped(try extents(call)) else {
      throw RunError(.badValue("extents can't be multiplied"))
    }
    return [.tensor(result)]
  }
}
