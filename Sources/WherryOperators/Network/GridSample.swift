import WherryGraph

/// Samples of an image of any dimension at the places that a grid names.
///
/// `X: [N, C, D1 … Dn]`, `grid: [N, O1 … On, n]` with coordinates in -1…1, last axis first;
/// `Y: [N, C, O1 … On]`.
/// - Source: ONNX operator specification, GridSample-22.
public struct GridSample: Operator {
  public enum Mode: String, AttributeConvertible { case linear, nearest, cubic }
  public enum Padding: String, AttributeConvertible { case zeros, border, reflection }

  /// Whether -1 and 1 are the centres of the outermost elements instead of their edges.
  public var alignCorners = false
  public var mode = Mode.linear
  public var paddingMode = Padding.zeros

  public init() {}

  public static let signature = Signature(
    "GridSample", [.init("X", .byteWide), .init("grid", .floats)], [.init("Y", .byteWide)])

  public static let fields: [Field<GridSample>] = [
    Field("align_corners", \.alignCorners), Field("mode", \.mode),
    Field("padding_mode", \.paddingMode),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 3...)
    let (x, grid) = (site.shape(0), site.shape(1))
    if let x, let grid,
      x.rank != grid.rank || grid[grid.rank - 1].extent ?? x.rank - 2 != x.rank - 2
    {
      throw TypeError(.shape("a grid of \(grid) for X \(x)"))
    }
    guard let rank = x?.rank ?? grid?.rank, rank > 2 else {
      return site.set(0, site.element(0), nil)
    }
    let output =
      grid.map { Array($0.dimensions[1..<rank - 1]) } ?? Array(repeating: .unknown, count: rank - 2)
    site.set(
      0, site.element(0), Shape([x?[0] ?? grid?[0] ?? .unknown, x?[1] ?? .unknown] + output))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, grid) = (try call.tensor(0), try call.tensor(1))
    guard x.rank >= 3, grid.rank == x.rank, grid.shape[0] == x.shape[0],
      grid.shape[x.rank - 1] == x.rank - 2
    else { throw RunError(.badInput("a grid of \(grid.shape) for X \(x.shape)")) }
    let extents = Array(x.shape.dropFirst(2))
    let output = Array(grid.shape[1..<x.rank - 1])
    let shape = Array(x.shape.prefix(2)) + output
    let count = try RunError.count(shape)
    guard !extents.contains(0) || count == 0 else { throw RunError(.badInput("X is empty")) }
    let (axes, coordinates) = (extents.count, grid.doubles)
    let (positions, size, channels) = (output.reduce(1, *), extents.reduce(1, *), x.shape[1])
    if mode == .nearest {
      var sources = [Int](repeating: -1, count: count)
      for image in 0..<x.shape[0] {
        for position in 0..<positions {
          let start = (image * positions + position) * axes
          guard let tap = taps(coordinates[start..<start + axes], extents).first else { continue }
          for channel in 0..<channels {
            let plane = image * channels + channel
            sources[plane * positions + position] = plane * size + tap.offset
          }
        }
      }
      return [x.picking(sources, shape).map { .tensor($0) }]
    }
    guard x.element != .string, !x.element.isComplex else {
      throw RunError(.unsupported("\(mode.rawValue) interpolation of \(x.element)"))
    }
    let values = x.doubles
    var y = [Double](repeating: 0, count: count)
    for image in 0..<x.shape[0] {
      for position in 0..<positions {
        let start = (image * positions + position) * axes
        let taps = taps(coordinates[start..<start + axes], extents)
        for channel in 0..<channels {
          let plane = image * channels + channel
          var sum = 0.0
          for tap in taps { sum += tap.weight * values[plane * size + tap.offset] }
          y[plane * positions + position] = sum
        }
      }
    }
    return [Tensor(x.element, shape, doubles: y).map { .tensor($0) }]
  }

  /// Offsets within a channel and weights of the elements around a place; those outside are left out.
  private func taps(_ place: ArraySlice<Double>, _ extents: [Int]) -> [(
    offset: Int, weight: Double
  )] {
    var taps = [(offset: 0, weight: 1.0)]
    for (coordinate, extent) in zip(place.reversed(), extents) {
      let own = axisTaps(coordinate, extent)
      taps = taps.flatMap { tap in
        own.map { (tap.offset * extent + $0.offset, tap.weight * $0.weight) }
      }
    }
    return taps
  }

  private func axisTaps(_ coordinate: Double, _ extent: Int) -> [(offset: Int, weight: Double)] {
    let size = Double(extent)
    let (low, high) = alignCorners ? (0, size - 1) : (-0.5, size - 0.5)
    // The place of a grid that is no number is far outside.
    var x = alignCorners ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2
    if mode == .nearest { x = x.rounded(.toNearestOrEven) }
    if !x.isFinite { x = -2 * size - 8 }
    if x < low || x > high {
      switch paddingMode {
      case .zeros: break
      // A cubic kernel at a place outside still reaches inside, as PyTorch has it.
      case .border: if mode != .cubic { x = min(max(x, 0), size - 1) }
      case .reflection: x = Self.reflect(x, low, high)
      }
    }
    x = min(max(x, -4), size + 4)
    let first = Int(x.rounded(.down))
    let t = x - Double(first)
    switch mode {
    case .nearest: return inside(Int(x.rounded(.toNearestOrEven)), extent).map { [($0, 1)] } ?? []
    case .linear:
      return [(first, 1 - t), (first + 1, t)].compactMap { place, weight in
        inside(place, extent).map { ($0, weight) }
      }
    case .cubic:
      return (-1...2).compactMap { step in
        inside(first + step, extent).map { ($0, Self.cubic(Double(step) - t)) }
      }
    }
  }

  /// The element that stands for `place`; nil for one that is zero.
  private func inside(_ place: Int, _ extent: Int) -> Int? {
    if place >= 0, place < extent { return place }
    switch paddingMode {
    case .zeros: return nil
    case .border: return min(max(place, 0), extent - 1)
    case .reflection:
      let (low, high) = alignCorners ? (0, Double(extent - 1)) : (-0.5, Double(extent) - 0.5)
      return min(max(Int(Self.reflect(Double(place), low, high)), 0), extent - 1)
    }
  }

  /// `x` mirrored at the borders until it lies between them.
  private static func reflect(_ x: Double, _ low: Double, _ high: Double) -> Double {
    let span = high - low
    guard span > 0 else { return low }
    let distance = (x < low ? low - x : x - high).magnitude
    guard x < low || x > high else { return x }
    let rest = distance.truncatingRemainder(dividingBy: span)
    let isEven = (distance / span).rounded(.down).truncatingRemainder(dividingBy: 2) == 0
    return (x < low) == isEven ? low + rest : high - rest
  }

  /// Keys' cubic kernel with coefficient -0.75.
  private static func cubic(_ distance: Double) -> Double {
    let (d, a) = (distance.magnitude, -0.75)
    if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
  }
}
