import WherryBytes
import WherryGraph

/// Columns of sliding blocks added back into the image they were cut from.
///
/// `input: [N, C * block, L]`, `image_shape` and `block_shape: [n]`; `output: [N, C, image…]`.
/// - Source: ONNX operator specification, Col2Im-18.
public struct Col2Im: Operator {
  public var dilations: [Int]?
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "Col2Im",
    [.init("input", .byteWide), .init("image_shape", .int64), .init("block_shape", .int64)],
    [.init("output", .byteWide)])

  public static let fields: [Field<Col2Im>] = [
    Field("dilations", \.dilations), Field("pads", \.pads), Field("strides", \.strides),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank != 3 { throw TypeError(.rank(input: 0, rank, expected: "3")) }
    var output: [Dimension] = [site.shape(0)?[0] ?? .unknown, .unknown]
    let block = site.integers(2)
    if let block, let rows = site.shape(0)?[1].extent {
      guard let taps = Checked.product(block), taps > 0, rows % taps == 0 else {
        throw TypeError(.shape("\(rows) rows in blocks of \(block)"))
      }
      output[1] = .fixed(rows / taps)
    }
    if let image = site.integers(1), image.allSatisfy({ $0 >= 0 }) {
      output += image.map { .fixed($0) }
    } else if let count = block?.count ?? site.shape(1)?.dimensions.first?.extent
      ?? site.shape(2)?.dimensions.first?.extent, count < 64
    {
      output += Array(repeating: .unknown, count: count)
    } else {
      return site.set(0, site.element(0), nil)
    }
    site.set(0, site.element(0), Shape(output))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let image = try call.tensor(1).integers.map { Int($0) }
    let block = try call.tensor(2).integers.map { Int($0) }
    guard x.rank == 3, image.count == block.count, let taps = Checked.product(block), taps > 0,
      x.shape[1] % taps == 0, image.allSatisfy({ $0 >= 0 })
    else { throw RunError(.badInput("\(x.shape) in blocks of \(block) for an image of \(image)")) }
    let window = try RunError.typed { () throws(TypeError) in
      try Window(kernel: block, strides: strides, dilations: dilations, pads: pads).placed(
        on: image)
    }
    guard Checked.product(window.output) == x.shape[2] else {
      throw RunError(.badInput("\(x.shape[2]) columns for \(window.output) blocks"))
    }
    let shape = [x.shape[0], x.shape[1] / taps] + image
    let count = try RunError.count(shape)
    if x.element.isFloat {
      let y = add(
        x.doubles, window, planes: shape[0] * shape[1], to: Array(repeating: 0, count: count)
      ) {
        $0 + $1
      }
      return [Tensor(x.element, shape, doubles: y).map { .tensor($0) }]
    }
    guard x.element.isInteger else { throw RunError(.unsupported("sums of \(x.element)")) }
    let zeros = [Int64](repeating: 0, count: count)
    let y = add(x.integers, window, planes: shape[0] * shape[1], to: zeros) { $0 &+ $1 }
    return [Tensor(x.element, shape, integers: y).map { .tensor($0) }]
  }

  private func add<T>(
    _ columns: [T], _ window: PlacedWindow, planes: Int, to image: [T], _ sum: (T, T) -> T
  ) -> [T] {
    var image = image
    let (taps, positions, size) = (window.tapCount, window.outputCount, window.inputCount)
    let step = window.strides.last ?? 1
    window.forEachRun(in: 0..<positions) { tap, position, offset, count in
      for plane in 0..<planes {
        let source = (plane * taps + tap) * positions + position
        for index in 0..<count {
          let target = plane * size + offset + index * step
          image[target] = sum(image[target], columns[source + index])
        }
      }
    }
    return image
  }
}
