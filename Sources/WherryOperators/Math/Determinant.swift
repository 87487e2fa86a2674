import WherryGraph

/// Determinants of square matrices: `X: [..., M, M]` gives `Y: [...]`.
/// - Source: ONNX operator specification, Det-22.
public struct Det: Operator {
  public init() {}
  public static let signature = Signature.unary("Det")
  public static let fields: [Field<Det>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else { return site.set(0, site.element(0), nil) }
    try site.requireRank(0, 2...)
    guard Dimension.merge(shape[shape.rank - 1], shape[shape.rank - 2]) != nil else {
      throw TypeError(.shape("\(shape) holds no square matrices"))
    }
    site.set(0, site.element(0), Shape(shape.dimensions.dropLast(2)))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank >= 2, x.shape[x.rank - 1] == x.shape[x.rank - 2] else {
      throw RunError(.badInput("\(x.shape) holds no square matrices"))
    }
    let size = x.shape[x.rank - 1]
    let shape = Array(x.shape.dropLast(2))
    let values = x.doubles
    let y = (0..<(try checkedCount(shape))).map { index in
      Self.determinant(Array(values[index * size * size..<(index + 1) * size * size]), size)
    }
    return single(Tensor(x.element, shape, doubles: y))
  }

  /// By elimination with the greatest pivot of each column.
  private static func determinant(_ matrix: [Double], _ size: Int) -> Double {
    var matrix = matrix
    var result = 1.0
    for column in 0..<size {
      let pivot = (column..<size).reduce(column) {
        matrix[$1 * size + column].magnitude > matrix[$0 * size + column].magnitude ? $1 : $0
      }
      if pivot != column {
        for index in 0..<size { matrix.swapAt(pivot * size + index, column * size + index) }
        result = -result
      }
      let head = matrix[column * size + column]
      result *= head
      if head == 0 { return 0 }
      for row in column + 1..<max(size, column + 1) {
        let factor = matrix[row * size + column] / head
        for index in column..<size {
          matrix[row * size + index] -= factor * matrix[column * size + index]
        }
      }
    }
    return result
  }
}
