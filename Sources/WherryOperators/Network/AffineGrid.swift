import WherryGraph

/// The grid of places that affine maps give to the elements of an image, for `GridSample`.
///
/// `theta: [N, 2, 3]` with `size: (N, C, H, W)` gives `grid: [N, H, W, 2]`; `[N, 3, 4]` with
/// `(N, C, D, H, W)` gives `[N, D, H, W, 3]`.
/// - Source: ONNX operator specification, AffineGrid-20.
public struct AffineGrid: Operator {
  /// Whether -1 and 1 are the centres of the outermost elements instead of their edges.
  public var alignCorners = false

  public init() {}

  public static let signature = Signature(
    "AffineGrid", [.init("theta", .floats), .init("size", .int64)], [.init("grid", .floats)])

  public static let fields: [Field<AffineGrid>] = [Field("align_corners", \.alignCorners)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank != 3 { throw TypeError(.rank(input: 0, rank, expected: "3")) }
    if let size = site.integers(1) {
      guard size.count == 4 || size.count == 5, size.allSatisfy({ $0 >= 0 }) else {
        throw TypeError(.shape("a size of \(size)"))
      }
      let extents = [size[0]] + size.dropFirst(2) + [size.count - 2]
      return site.set(0, site.element(0), Shape(fixed: extents))
    }
    let count = site.shape(1)?.dimensions.first?.extent ?? site.shape(0)?[1].extent.map { $0 + 2 }
    guard let count, count == 4 || count == 5 else { return site.set(0, site.element(0), nil) }
    let inner: [Dimension] = Array(repeating: .unknown, count: count - 2)
    site.set(
      0, site.element(0), Shape([site.shape(0)?[0] ?? .unknown] + inner + [.fixed(count - 2)]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let theta = try call.tensor(0)
    let size = try call.tensor(1).integers.map { Int($0) }
    guard size.count == 4 || size.count == 5, size.allSatisfy({ $0 >= 0 }),
      theta.shape == [size[0], size.count - 2, size.count - 1]
    else { throw RunError(.badInput("theta \(theta.shape) for a size of \(size)")) }
    let (axes, extents) = (size.count - 2, Array(size.dropFirst(2)))
    let shape = [size[0]] + extents + [axes]
    let count = try RunError.count(shape)
    let matrix = theta.doubles
    var grid: [Double] = []
    grid.reserveCapacity(count)
    for image in 0..<size[0] {
      for index in 0..<extents.reduce(1, *) {
        // Coordinates go last axis first.
        let place = zip(unflattened(index, extents), extents).map {
          coordinate(Double($0), Double($1))
        }
        for row in 0..<axes {
          let start = (image * axes + row) * (axes + 1)
          var sum = matrix[start + axes]
          for (column, value) in place.reversed().enumerated() {
            sum += matrix[start + column] * value
          }
          grid.append(sum)
        }
      }
    }
    return [Tensor(theta.element, shape, doubles: grid).map { .tensor($0) }]
  }

  private func coordinate(_ index: Double, _ extent: Double) -> Double {
    guard alignCorners else { return (2 * index + 1) / extent - 1 }
    return extent == 1 ? 0 : 2 * index / (extent - 1) - 1
  }
}
