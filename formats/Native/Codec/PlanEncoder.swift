import CWherryABI
import CWherryKernels
import WherryBytes
import WherryGraph
import WherryPasses

/// The operator codes of `operators.def`, by name.
enum OperatorCodes {
  static let byName: [String: UInt32] = {
    var codes: [String: UInt32] = [:]
    for code in UInt32(1)...1023 {
      guard let kernel = wh_find_kernel(code), let name = kernel.pointee.name else { continue }
      codes[String(cString: name)] = code
    }
    return codes
  }()
}

/// A plan as the bytes of its section.
struct PlanEncoder {
  private var text: [UInt8] = []
  private var textOffsets: [[UInt8]: UInt32] = [:]
  private var operands: [UInt32] = []
  private var parameters = ByteWriter()

  /// - Parameter offsets: where each of the plan's weights stands in the weights section.
  /// - Throws: `EncodeError` when the plan uses a kernel that the table lacks or a number too large.
  static func encode(_ plan: Plan, offsets: [Int]) throws(EncodeError) -> [UInt8] {
    var encoder = PlanEncoder()
    encoder.add(plan.inputs.map { $0 })
    encoder.add(plan.outputs.map { $0 })
    var tensors = ByteWriter()
    for tensor in plan.tensors { tensors.structure(try encoder.record(tensor, offsets)) }
    var operations = ByteWriter()
    for operation in plan.operations { operations.structure(try encoder.record(operation)) }

    var header = wh_plan_header()
    header.version = WH_PLAN_VERSION
    header.tensor_count = UInt32(truncatingIfNeeded: plan.tensors.count)
    header.operation_count = UInt32(truncatingIfNeeded: plan.operations.count)
    header.operand_count = UInt32(truncatingIfNeeded: encoder.operands.count)
    header.input_count = UInt32(truncatingIfNeeded: plan.inputs.count)
    header.output_count = UInt32(truncatingIfNeeded: plan.outputs.count)
    header.parameter_bytes = UInt32(truncatingIfNeeded: encoder.parameters.count)
    header.text_bytes = UInt32(truncatingIfNeeded: encoder.text.count)
    header.arena_bytes = UInt64(plan.arenaBytes)
    header.macs = UInt64(plan.macs)
    header.live_bytes = UInt64(plan.liveBytes)
    guard encoder.parameters.count < 1 << 31, encoder.text.count < 1 << 31 else {
      throw EncodeError(.inexpressible("a plan of more than 2 GiB"))
    }
    var section = ByteWriter()
    section.structure(header)
    section.raw(tensors.bytes)
    section.raw(operations.bytes)
    for operand in encoder.operands { section.integer(operand) }
    section.pad(to: 8)
    section.raw(encoder.parameters.bytes)
    section.pad(to: 8)
    section.raw(encoder.text)
    return section.bytes
  }

  private mutating func add(_ list: [Int?]) {
    operands += list.map { $0.map { UInt32(truncatingIfNeeded: $0) } ?? WH_NONE }
  }

  private mutating func record(
    _ tensor: PlanTensor, _ offsets: [Int]
  ) throws(EncodeError) -> wh_tensor_record {
    var record = wh_tensor_record()
    switch tensor.place {
    case .arena(let offset):
      (record.storage, record.offset) = (UInt32(WH_STORAGE_ARENA), UInt64(offset))
    case .weights(let index):
      record.storage = UInt32(WH_STORAGE_WEIGHTS)
      record.offset = UInt64(offsets[index])
    }
    record.bytes = UInt64(tensor.byteCount)
    record.element = tensor.code
    record.scale = tensor.quantization?.scale ?? 0
    record.zero_point = tensor.quantization?.zeroPoint ?? 0
    record.rank = UInt32(truncatingIfNeeded: tensor.dims.count)
    record.name = tensor.name.map { write($0) } ?? WH_NONE
    withUnsafeMutableBytes(of: &record.dims) { raw in
      for (axis, extent) in tensor.dims.prefix(Int(WH_MAX_RANK)).enumerated() {
        let value = Int32(truncatingIfNeeded: extent)
        raw.storeBytes(of: value, toByteOffset: axis * 4, as: Int32.self)
      }
    }
    record.labels = WH_NONE
    if !tensor.labels.isEmpty {
      record.labels = UInt32(truncatingIfNeeded: text.count)
      record.label_count = UInt32(truncatingIfNeeded: tensor.labels.count)
      for label in tensor.labels { text += Self.terminated(label) }
    }
    return record
  }

  private mutating func record(
    _ operation: PlanOperation
  ) throws(EncodeError) -> wh_operation_record {
    guard let code = OperatorCodes.byName[operation.step.kernel] else {
      throw EncodeError(.invalid("no kernel is named \(operation.step.kernel)"))
    }
    var record = wh_operation_record()
    record.code = code
    record.operands = UInt32(truncatingIfNeeded: operands.count)
    let scratch = operation.scratch.map { [$0] } ?? []
    guard operation.inputs.count + operation.outputs.count < 1 << 15 else {
      throw EncodeError(.inexpressible("\(operation.inputs.count) operands"))
    }
    record.input_count = UInt16(truncatingIfNeeded: operation.inputs.count)
    record.output_count = UInt16(truncatingIfNeeded: operation.outputs.count)
    record.scratch_count = UInt16(truncatingIfNeeded: scratch.count)
    add(operation.inputs)
    add(operation.outputs)
    add(scratch)
    let bytes = operation.step.parameters
    parameters.pad(to: 8)
    record.parameters = UInt32(truncatingIfNeeded: parameters.count)
    record.parameter_bytes = UInt32(truncatingIfNeeded: bytes.count)
    parameters.raw(bytes)
    parameters.pad(to: 8)
    record.name = operation.name.isEmpty ? WH_NONE : write(Self.shortened(operation.name))
    return record
  }

  /// Longest name of an operation, in characters: it serves the profile, and some tools join the names of
  /// every node they fused.
  private static let longestName = 60

  private static func shortened(_ name: String) -> String {
    name.count <= longestName ? name : name.prefix(longestName - 1) + "…"
  }

  /// The offset of a text, written once.
  private mutating func write(_ string: String) -> UInt32 {
    let bytes = Self.terminated(string)
    if let known = textOffsets[bytes] { return known }
    let offset = UInt32(truncatingIfNeeded: text.count)
    textOffsets[bytes] = offset
    text += bytes
    return offset
  }

  /// Text for C: what follows a NUL inside is cut off.
  private static func terminated(_ string: String) -> [UInt8] {
    Array(string.utf8.prefix { $0 != 0 }) + [0]
  }
}
