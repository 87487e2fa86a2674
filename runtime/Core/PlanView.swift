import CWherryABI

/// A plan section as typed areas. Making one proves that every area lies inside the section; the
/// records themselves are proved by `verifyTensors` and `verifyOperations`.
struct PlanView {
  let file: UnsafeRawPointer
  let header: UnsafePointer<wh_plan_header>
  let tensors: UnsafePointer<wh_tensor_record>
  let operations: UnsafePointer<wh_operation_record>
  let operands: UnsafePointer<UInt32>
  let parameters: UnsafeRawPointer
  let text: UnsafePointer<CChar>
  /// The weights section, or an empty range at the start of the file.
  let weights: UnsafeRawPointer
  let weightBytes: UInt64

  var tensorCount: Int { Int(truncatingIfNeeded: header.pointee.tensor_count) }
  var operationCount: Int { Int(truncatingIfNeeded: header.pointee.operation_count) }
  var inputCount: Int { Int(truncatingIfNeeded: header.pointee.input_count) }
  var outputCount: Int { Int(truncatingIfNeeded: header.pointee.output_count) }

  /// The plan's tensor of a model input; the index is below `inputCount`.
  func input(_ index: Int) -> Int { Int(truncatingIfNeeded: operands[index]) }

  /// The plan's tensor of a model output; the index is below `outputCount`.
  func output(_ index: Int) -> Int { Int(truncatingIfNeeded: operands[inputCount &+ index]) }

  /// A verified text offset as a C string; "" for `WH_NONE`.
  func string(_ offset: UInt32) -> UnsafePointer<CChar> {
    offset == WH_NONE ? emptyText : text + Int(truncatingIfNeeded: offset)
  }

  /// The file offset of a pointer into the file, moved by a field's offset.
  func offset(of pointer: UnsafeRawPointer, _ field: UInt64 = 0) -> UInt64 {
    UInt64(truncatingIfNeeded: pointer - file) &+ field
  }

  /// - Throws: no plan, bad version, bad model.
  init(_ container: Container) throws(Refusal) {
    guard let section = try container.readableSection(WH_SECTION_PLAN) else {
      throw Refusal(WHERRY_NO_PLAN, at: HeaderField.sectionCount, "the file holds no plan")
    }
    guard section.size >= UInt64(MemoryLayout<wh_plan_header>.size) else {
      throw Refusal(
        WHERRY_BAD_MODEL, at: Container.recordOffset(section.record) + SectionField.bytes,
        "the plan ends in its header")
    }
    let start = container.bytes + Int(truncatingIfNeeded: section.offset)
    file = container.bytes
    header = start.assumingMemoryBound(to: wh_plan_header.self)
    guard header.pointee.version == WH_PLAN_VERSION else {
      throw Refusal(WHERRY_BAD_VERSION, at: section.offset, "an unknown plan version")
    }

    let areas = PlanAreas(header.pointee)
    guard section.size >= areas.end, section.size <= align(areas.end, 8) else {
      throw Refusal(
        WHERRY_BAD_MODEL, at: section.offset + PlanField.tensorCount,
        "the plan's counts do not add up to its section")
    }
    tensors = (start + Int(truncatingIfNeeded: areas.tensors))
      .assumingMemoryBound(to: wh_tensor_record.self)
    operations = (start + Int(truncatingIfNeeded: areas.operations))
      .assumingMemoryBound(to: wh_operation_record.self)
    operands = (start + Int(truncatingIfNeeded: areas.operands))
      .assumingMemoryBound(to: UInt32.self)
    parameters = start + Int(truncatingIfNeeded: areas.parameters)
    text = (start + Int(truncatingIfNeeded: areas.text)).assumingMemoryBound(to: CChar.self)

    let weightSection = try container.readableSection(WH_SECTION_WEIGHTS)
    weights = container.bytes + Int(truncatingIfNeeded: weightSection?.offset ?? 0)
    weightBytes = weightSection?.size ?? 0

    try verifyPadding(start, areas.operandsEnd, areas.parameters)
    try verifyPadding(start, areas.parametersEnd, areas.text)
    try verifyPadding(start, areas.end, section.size)
  }

  private func verifyPadding(
    _ start: UnsafeRawPointer, _ from: UInt64, _ to: UInt64
  ) throws(Refusal) {
    var at = from
    while at < to {
      let byte = start + Int(truncatingIfNeeded: at)
      guard byte.load(as: UInt8.self) == 0 else {
        throw Refusal(WHERRY_BAD_MODEL, at: offset(of: byte), "padding is not zero")
      }
      at &+= 1
    }
  }
}

/// Where the areas of a plan begin and end, from the start of its section. Counts are 32 bits and
/// the records at most 80 bytes, so nothing here overflows.
private struct PlanAreas {
  let tensors, operations, operands, operandsEnd, parameters, parametersEnd, text, end: UInt64

  init(_ header: wh_plan_header) {
    tensors = UInt64(MemoryLayout<wh_plan_header>.size)
    operations =
      tensors &+ UInt64(header.tensor_count) &* UInt64(MemoryLayout<wh_tensor_record>.size)
    operands =
      operations &+ UInt64(header.operation_count)
      &* UInt64(MemoryLayout<wh_operation_record>.size)
    operandsEnd = operands &+ UInt64(header.operand_count) &* 4
    parameters = align(operandsEnd, 8)
    parametersEnd = parameters &+ UInt64(header.parameter_bytes)
    text = align(parametersEnd, 8)
    end = text &+ UInt64(header.text_bytes)
  }
}

/// The next multiple of a power of two; the value is at least `alignment` below the type's end.
func align(_ value: UInt64, _ alignment: UInt64) -> UInt64 {
  (value &+ alignment &- 1) & ~(alignment &- 1)
}

var emptyText: UnsafePointer<CChar> { cString("") }

/// A literal as a C string.
func cString(_ text: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

enum PlanField {
  static var tensorCount: UInt64 { 4 }
  static var operandCount: UInt64 { 12 }
  static var inputCount: UInt64 { 16 }
  static var textBytes: UInt64 { 28 }
  static var arenaBytes: UInt64 { 32 }
  static var stateBytes: UInt64 { 40 }
  static var macs: UInt64 { 48 }
  static var liveBytes: UInt64 { 56 }
}

enum TensorField {
  static var offset: UInt64 { 0 }
  static var bytes: UInt64 { 8 }
  static var element: UInt64 { 16 }
  static var storage: UInt64 { 20 }
  static var rank: UInt64 { 24 }
  static var name: UInt64 { 28 }
  static var dims: UInt64 { 32 }
  static var scale: UInt64 { 64 }
  static var labels: UInt64 { 72 }
  static var labelCount: UInt64 { 76 }
}

enum OperationField {
  static var code: UInt64 { 0 }
  static var operands: UInt64 { 4 }
  static var inputCount: UInt64 { 8 }
  static var scratchCount: UInt64 { 12 }
  static var reserved: UInt64 { 14 }
  static var parameters: UInt64 { 16 }
  static var parameterBytes: UInt64 { 20 }
  static var name: UInt64 { 24 }
  static var reserved2: UInt64 { 28 }
}
