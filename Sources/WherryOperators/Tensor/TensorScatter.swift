import WherryBytes
import WherryGraph

/// Where an update goes that reaches past the end of the cache.
public enum CacheMode: String, AttributeConvertible {
  /// Nowhere: that is an error.
  case linear
  /// To the beginning.
  case circular
}

/// `past_cache: [B, …, S, …]` with `update: [B, …, s, …]` written from position `write_indices: [B] int64`
/// (else 0) of `axis` on, as a key/value cache is.
///
/// - Source: ONNX operator specification, TensorScatter-24.
public struct TensorScatter: Operator {
  public var mode = CacheMode.linear
  /// In `-rank ..< rank`, but not the batch axis 0.
  public var axis = -2

  public init() {}

  private static let elements = ElementSet.movable.subtracting(ElementSet(.int2, .uint2))

  public static let signature = Signature(
    "TensorScatter",
    [
      .init("past_cache", elements), .init("update", elements),
      .init("write_indices", .int64, .optional),
    ],
    [.init("present_cache", elements)])

  public static let fields: [Field<TensorScatter>] = [Field("mode", \.mode), Field("axis", \.axis)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireSameElement(0, 1)
    if let cache = site.shape(0) {
      guard try InferenceSite.axis(axis, rank: cache.rank) > 0 else {
        throw TypeError(.attribute("axis", "\(axis) is the batch axis"))
      }
      if let update = site.shape(1) { try check(cache, update) }
      if let length = site.length(2), let batch = cache[0].extent, length != batch {
        throw TypeError(.shape("\(length) write indices for a batch of \(batch)"))
      }
    }
    site.set(0, site.element(0), site.shape(0))
  }

  private func check(_ cache: Shape, _ update: Shape) throws(TypeError) {
    guard update.rank == cache.rank else {
      throw TypeError(.rank(input: 1, update.rank, expected: "\(cache.rank)"))
    }
    let axis = try InferenceSite.axis(axis, rank: cache.rank)
    for other in 0..<cache.rank {
      guard let x = cache[other].extent, let y = update[other].extent else { continue }
      guard other == axis ? y <= x : y == x else {
        throw TypeError(.shape("an update \(update) does not fit a cache \(cache)"))
      }
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (cache, update) = (try call.tensor(0), try call.tensor(1))
    let extents = try extents(call)
    let axis = axis < 0 ? axis + cache.rank : axis
    let starts = try call.optionalTensor(2)?.integers ?? Array(repeating: 0, count: extents[0])
    guard starts.count == extents[0] else { throw RunError(.badInput("write_indices")) }
    let source = ElementSource(update)
    var builder = ElementBuilder(cache)
    let (run, length, steps) = (cache.strides[axis], extents[axis], update.shape[axis])
    let prefixes = steps * run == 0 ? 0 : source.count / (steps * run)
    for prefix in 0..<prefixes {
      let start = Int(starts[prefix / (prefixes / extents[0])])
      let last = length - (mode == .linear ? steps : 0)
      guard start >= 0, mode == .circular || start <= last else {
        throw RunError(.badValue("an update of \(steps) at \(start) leaves a cache of \(length)"))
      }
      for step in 0..<steps {
        let position = (start % length + step) % length
        builder.copy(
          run, from: source, at: (prefix * steps + step) * run,
          to: (prefix * length + position) * run)
      }
    }
    return [.tensor(try builder.tensor(extents))]
  }
}
