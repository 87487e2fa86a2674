import WherryBytes
import WherryGraph

/// Each sequence of a batch with its first `sequence_lens: [B] int64` steps in reverse order.
///
/// - Source: ONNX operator specification, ReverseSequence-28.
public struct ReverseSequence: Operator {
  /// 0 or 1, the other than `timeAxis`.
  public var batchAxis = 1
  /// 0 or 1.
  public var timeAxis = 0

  public init() {}

  public static let signature = Signature(
    "ReverseSequence", [.init("input", .indexable), .init("sequence_lens", .int64)],
    [.init("Y", .indexable)])

  public static let fields: [Field<ReverseSequence>] = [
    Field("batch_axis", \.batchAxis), Field("time_axis", \.timeAxis),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 2...)
    guard Set([batchAxis, timeAxis]) == [0, 1] else {
      throw TypeError(.attribute("batch_axis", "batch and time axis must be 0 and 1"))
    }
    if let shape = site.shape(0), let batch = shape[batchAxis].extent,
      let length = site.length(1), length != batch
    {
      throw TypeError(.shape("\(length) lengths for a batch of \(batch)"))
    }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    let lengths = try call.tensor(1).integers.map { Int($0) }
    let (batches, times) = (extents[batchAxis], extents[timeAxis])
    guard lengths.count == batches, lengths.allSatisfy({ $0 >= 0 && $0 <= times }) else {
      throw RunError(.badValue("lengths \(lengths) don't fit \(batches) sequences of \(times)"))
    }
    let strides = data.strides
    let run = Checked.product(extents[2...]) ?? 0
    let source = ElementSource(data)
    var builder = ElementBuilder(data)
    for (batch, length) in lengths.enumerated() {
      for time in 0..<(run == 0 ? 0 : length) {
        let base = batch * strides[batchAxis]
        builder.copy(
          run, from: source, at: base + (length - 1 - time) * strides[timeAxis],
          to: base + time * strides[timeAxis])
      }
    }
    return [.tensor(try builder.tensor(extents))]
  }
}
