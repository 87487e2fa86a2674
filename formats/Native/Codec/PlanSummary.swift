import CWherryABI
import WherryBytes
import WherryGraph

/// What a plan says about itself: its sizes, inputs, outputs and labels. The runtime verifies a plan
/// before it runs; here only what is shown is read.
public struct PlanSummary: Sendable {
  public let operations: Int
  /// Multiply-accumulates of one invocation.
  public let macs: Int
  /// Exact bytes of one session's tensors, and the lower bound that no order of addresses can beat.
  public let arenaBytes, liveBytes: Int
  public let inputs, outputs: [ValueInfo]
  public let labels: [ClassLabels]

  /// - Throws: `DecodeError` when a field leaves the section.
  init(_ section: Bytes, origin: Int) throws(DecodeError) {
    var reader = ByteReader(section, origin: origin)
    guard try reader.integer(UInt32.self) == WH_PLAN_VERSION else {
      throw DecodeError(.unsupportedVersion("plan"), .byte(origin))
    }
    let tensorCount = Int(try reader.integer(UInt32.self))
    operations = Int(try reader.integer(UInt32.self))
    let operandCount = Int(try reader.integer(UInt32.self))
    let inputCount = Int(try reader.integer(UInt32.self))
    let outputCount = Int(try reader.integer(UInt32.self))
    let parameterBytes = Int(try reader.integer(UInt32.self))
    let textBytes = Int(try reader.integer(UInt32.self))
    arenaBytes = Int(clamping: try reader.integer(UInt64.self))
    try reader.skip(8)
    macs = Int(clamping: try reader.integer(UInt64.self))
    liveBytes = Int(clamping: try reader.integer(UInt64.self))

    let records = try reader.take(tensorCount * MemoryLayout<wh_tensor_record>.size)
    try reader.skip(operations * MemoryLayout<wh_operation_record>.size)
    let operands = try reader.take(operandCount * 4)
    try reader.skip((8 - reader.offset % 8) % 8)
    try reader.skip(parameterBytes)
    try reader.skip((8 - reader.offset % 8) % 8)
    let text = try reader.take(textBytes)
    guard inputCount + outputCount <= operandCount else {
      throw DecodeError(.inconsistent("plan interface"), .byte(origin))
    }
    var values: [(info: ValueInfo, labels: [String])] = []
    var list = ByteReader(operands)
    for _ in 0..<inputCount + outputCount {
      let index = Int(try list.integer(UInt32.self))
      values.append(try Self.value(records, index, text, origin: origin))
    }
    inputs = values.prefix(inputCount).map(\.info)
    outputs = values.dropFirst(inputCount).map(\.info)
    labels = values.dropFirst(inputCount).filter { !$0.labels.isEmpty }
      .map { ClassLabels(output: $0.info.name, labels: $0.labels) }
  }

  private static func value(
    _ records: Bytes, _ index: Int, _ text: Bytes, origin: Int
  ) throws(DecodeError) -> (ValueInfo, [String]) {
    let size = MemoryLayout<wh_tensor_record>.size
    let place = Place.byte(origin).inside("tensor", at: index)
    guard let at = Checked.multiply(index, size), let bytes = records.slice(at..<at + size) else {
      throw DecodeError(.invalid("tensor index"), place)
    }
    let record = bytes.withUnsafeBytes { $0.loadUnaligned(as: wh_tensor_record.self) }
    guard let element = ElementType(rawValue: Int32(truncatingIfNeeded: record.element)),
      record.rank <= WH_MAX_RANK
    else { throw DecodeError(.invalid("tensor record"), place) }
    let dims = withUnsafeBytes(of: record.dims) { raw in
      raw.bindMemory(to: Int32.self).prefix(Int(record.rank)).map { Int($0) }
    }
    var labels: [String] = []
    var next = Int(record.labels)
    if record.labels != WH_NONE {
      for _ in 0..<record.label_count {
        let label = try string(text, at: next, place)
        labels.append(label)
        next += label.utf8.count + 1
      }
    }
    let name = record.name == WH_NONE ? "" : try string(text, at: Int(record.name), place)
    return (ValueInfo(name, .tensor(element, Shape(fixed: dims))), labels)
  }

  private static func string(_ text: Bytes, at start: Int, _ place: Place) throws(DecodeError)
    -> String
  {
    guard start >= 0, start < text.count, let rest = text.slice(start..<text.count) else {
      throw DecodeError(.invalid("text offset"), place)
    }
    let length = rest.withUnsafeBytes { raw in raw.firstIndex(of: 0) }
    guard let length, let string = rest.slice(0..<length)?.text else {
      throw DecodeError(.notUTF8, place)
    }
    return string
  }

  /// A model of the plan's interface, for files that hold no graph: one node that only the runtime
  /// can execute.
  var interface: Model {
    let node = Node(
      UnknownOperator(OperatorName("Plan", domain: OperatorName.ownDomain), attributes: []),
      inputs: inputs.map(\.name), outputs: outputs.map(\.name))
    return Model(graph: Graph(nodes: [node], inputs: inputs, outputs: outputs), labels: labels)
  }
}

extension NativeFormat {
  /// The plan of a native file; nil when it holds none or can't be read.
  public static func plan(_ bytes: Bytes) -> PlanSummary? {
    guard let container = try? Container(bytes, limits: .standard),
      let section = container.section(.plan)
    else { return nil }
    return try? PlanSummary(section.bytes, origin: section.offset)
  }
}
