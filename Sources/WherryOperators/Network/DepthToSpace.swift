import WherryGraph

/// How channels and positions within a block interleave.
public enum DepthOrder: String, AttributeConvertible {
  /// Channel = (row, column, depth).
  case depthColumnRow = "DCR"
  /// Channel = (depth, row, column).
  case columnRowDepth = "CRD"
}

/// Channels moved into square blocks of pixels: `[N, C * b * b, H, W]` to `[N, C, H * b, W * b]`.
///
/// - Source: ONNX operator specification, DepthToSpace-28.
public struct DepthToSpace: Operator {
  /// At least 1.
  public var blocksize = 1
  public var mode = DepthOrder.depthColumnRow

  public init() {}

  public static let signature = Signature(
    "DepthToSpace", [.init("input", .byteWide)], [.init("output", .byteWide)])

  public static let fields: [Field<DepthToSpace>] = [
    Field("blocksize", \.blocksize, required: true), Field("mode", \.mode),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let x = try site.image(blocksize: blocksize) else { return }
    let area = blocksize * blocksize
    if let depth = x[1].extent, depth % area != 0 {
      throw TypeError(.shape("\(depth) channels in blocks of \(area)"))
    }
    site.set(
      0, site.element(0),
      Shape([
        x[0], x[1].map { $0 / area }, x[2].map { $0 * blocksize }, x[3].map { $0 * blocksize },
      ]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank == 4, blocksize > 0, blocksize < 1 << 15, x.shape[1] % (blocksize * blocksize) == 0
    else { throw RunError(.badInput("\(x.shape) in blocks of \(blocksize)")) }
    let (height, width) = (x.shape[2], x.shape[3])
    let depth = x.shape[1] / (blocksize * blocksize)
    _ = try RunError.count([blocksize, height])
    let shape = [x.shape[0], depth, height * blocksize, width * blocksize]
    let sources = mode.channels(depth: depth, blocksize)
    var picked: [Int] = []
    picked.reserveCapacity(x.count)
    for image in 0..<x.shape[0] {
      for channel in 0..<depth {
        for row in 0..<shape[2] {
          for column in 0..<shape[3] {
            let block = row % blocksize * blocksize + column % blocksize
            let source = image * x.shape[1] + sources[channel * blocksize * blocksize + block]
            picked.append((source * height + row / blocksize) * width + column / blocksize)
          }
        }
      }
    }
    return [x.picking(picked, shape).map { .tensor($0) }]
  }
}

/// Square blocks of pixels moved into channels: `[N, C, H * b, W * b]` to `[N, C * b * b, H, W]`.
///
/// - Source: ONNX operator specification, SpaceToDepth-28.
public struct SpaceToDepth: Operator {
  /// At least 1.
  public var blocksize = 1
  public var mode = DepthOrder.depthColumnRow

  public init() {}

  public static let signature = Signature(
    "SpaceToDepth", [.init("input", .byteWide)], [.init("output", .byteWide)])

  public static let fields: [Field<SpaceToDepth>] = [
    Field("blocksize", \.blocksize, required: true), Field("mode", \.mode),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let x = try site.image(blocksize: blocksize) else { return }
    for extent in [x[2], x[3]].compactMap(\.extent) where extent % blocksize != 0 {
      throw TypeError(.shape("an extent of \(extent) in blocks of \(blocksize)"))
    }
    site.set(
      0, site.element(0),
      Shape([
        x[0], x[1].map { $0 * blocksize * blocksize }, x[2].map { $0 / blocksize },
        x[3].map { $0 / blocksize },
      ]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank == 4, blocksize > 0, blocksize < 1 << 15, x.shape[2] % blocksize == 0,
      x.shape[3] % blocksize == 0
    else { throw RunError(.badInput("\(x.shape) in blocks of \(blocksize)")) }
    let depth = x.shape[1]
    let area = blocksize * blocksize
    _ = try RunError.count([depth, area])
    let shape = [x.shape[0], depth * area, x.shape[2] / blocksize, x.shape[3] / blocksize]
    let targets = mode.channels(depth: depth, blocksize)
    var origins = [Int](repeating: 0, count: targets.count)
    for (origin, target) in targets.enumerated() { origins[target] = origin }
    var picked: [Int] = []
    picked.reserveCapacity(x.count)
    for image in 0..<shape[0] {
      for channel in 0..<shape[1] {
        let (source, block) = (image * depth + origins[channel] / area, origins[channel] % area)
        for row in 0..<shape[2] {
          let line = source * x.shape[2] + row * blocksize + block / blocksize
          for column in 0..<shape[3] {
            picked.append(line * x.shape[3] + column * blocksize + block % blocksize)
          }
        }
      }
    }
    return [x.picking(picked, shape).map { .tensor($0) }]
  }
}

extension DepthOrder {
  /// The channel, on the deep side, of each (depth, row in block, column in block).
  fileprivate func channels(depth: Int, _ blocksize: Int) -> [Int] {
    let area = blocksize * blocksize
    return (0..<depth * area).map { index in
      self == .depthColumnRow ? index % area * depth + index / area : index
    }
  }
}

extension Dimension {
  fileprivate func map(_ change: (Int) -> Int) -> Dimension {
    guard let extent, extent < 1 << 30 else { return .unknown }
    return .fixed(change(extent))
  }
}

extension InferenceSite {
  /// The extents of input 0, an image, and the block size checked.
  fileprivate mutating func image(blocksize: Int) throws(TypeError) -> [Dimension]? {
    guard blocksize > 0, blocksize < 1 << 15 else {
      throw TypeError(.attribute("blocksize", "\(blocksize)"))
    }
    guard let shape = shape(0) else {
      set(0, element(0), Shape(Array(repeating: .unknown, count: 4)))
      return nil
    }
    guard shape.rank == 4 else { throw TypeError(.rank(input: 0, shape.rank, expected: "4")) }
    return shape.dimensions
  }
}

extension ElementSet {
  /// Every element type but the small floats and the integers narrower than a byte.
  static let byteWide = ElementSet.numbers.union(
    ElementSet(.bool, .string, .complex64, .complex128))
}
