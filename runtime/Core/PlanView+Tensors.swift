import CWherryABI

/// Bytes of label text scanned for one plan, in multiples of its text area: outputs may share
/// labels, and a hostile plan must not make the scan quadratic.
private var labelScanFactor: UInt64 { 16 }

/// The largest arena a plan may state; keeps sums with it from overflowing.
private var arenaLimit: UInt64 { 0x4000_0000_0000_0000 }

extension PlanView {
  /// Proves the header's figures, every tensor record and the model's inputs and outputs.
  func verifyTensors(_ container: Container) throws(Refusal) {
    try verifySizes(container)
    try verifyText()
    var end: UInt64 = 0
    var scan = UInt64(header.pointee.text_bytes) &* labelScanFactor
    for index in 0..<tensorCount {
      let record = tensors + index
      try verifyShape(record, index)
      end = max(end, try verifyPlace(record, index))
      try verifyNames(record, index, &scan)
    }
    guard align(end, UInt64(WH_ALIGNMENT)) == header.pointee.arena_bytes else {
      throw refusal(header, PlanField.arenaBytes, "arena_bytes is not what the tensors need")
    }
    try verifyInterface()
  }

  func refusal(
    _ record: UnsafeRawPointer, _ field: UInt64, _ text: StaticString
  ) -> Refusal {
    Refusal(WHERRY_BAD_MODEL, at: offset(of: record, field), text)
  }

  private func refusal(
    _ record: UnsafePointer<wh_tensor_record>, _ field: UInt64, tensor: Int, _ text: StaticString
  ) -> Refusal {
    var refusal = refusal(UnsafeRawPointer(record), field, text)
    refusal.tensor = Int32(truncatingIfNeeded: tensor)
    return refusal
  }

  private func verifySizes(_ container: Container) throws(Refusal) {
    let plan = header.pointee
    let file = container.header.pointee
    guard file.arena_bytes == plan.arena_bytes else {
      throw Refusal(WHERRY_BAD_MODEL, at: HeaderField.arenaBytes, "arena_bytes is not the plan's")
    }
    guard file.state_bytes == plan.state_bytes else {
      throw Refusal(WHERRY_BAD_MODEL, at: HeaderField.stateBytes, "state_bytes is not the plan's")
    }
    guard file.macs == plan.macs else {
      throw Refusal(WHERRY_BAD_MODEL, at: HeaderField.macs, "macs is not the plan's")
    }
    guard file.live_bytes == plan.live_bytes else {
      throw Refusal(WHERRY_BAD_MODEL, at: HeaderField.liveBytes, "live_bytes is not the plan's")
    }
    guard plan.arena_bytes <= arenaLimit else {
      throw refusal(header, PlanField.arenaBytes, "arena_bytes is out of range")
    }
    guard plan.state_bytes <= plan.arena_bytes, isAligned(plan.state_bytes) else {
      throw refusal(
        header, PlanField.stateBytes, "state_bytes is not a multiple of 64 inside the arena")
    }
    guard plan.live_bytes <= plan.arena_bytes else {
      throw refusal(header, PlanField.liveBytes, "live_bytes exceeds arena_bytes")
    }
  }

  /// One NUL at the end makes every offset below `text_bytes` a terminated string.
  private func verifyText() throws(Refusal) {
    let count = Int(truncatingIfNeeded: header.pointee.text_bytes)
    guard count == 0 || text[count &- 1] == 0 else {
      throw refusal(text + (count &- 1), 0, "the text area does not end in NUL")
    }
    if let bad = firstInvalidUTF8(UnsafeRawPointer(text), count) {
      throw refusal(text + bad, 0, "the text is not UTF-8")
    }
  }

  private func verifyShape(
    _ record: UnsafePointer<wh_tensor_record>, _ index: Int
  ) throws(Refusal) {
    let elementBytes = elementSize(record.pointee.element)
    guard elementBytes > 0 else {
      throw refusal(record, TensorField.element, tensor: index, "an unknown element type")
    }
    guard record.pointee.rank <= UInt32(WH_MAX_RANK) else {
      throw refusal(record, TensorField.rank, tensor: index, "rank exceeds 8")
    }
    let rank = Int(truncatingIfNeeded: record.pointee.rank)
    let dims = (UnsafeRawPointer(record) + Int(TensorField.dims))
      .assumingMemoryBound(to: Int32.self)
    var bytes = elementBytes
    for axis in 0..<Int(WH_MAX_RANK) {
      let field = TensorField.dims &+ UInt64(truncatingIfNeeded: axis) &* 4
      guard axis < rank ? dims[axis] >= 0 : dims[axis] == 0 else {
        throw refusal(
          record, field, tensor: index, "an extent is negative, or set beyond the rank")
      }
      guard axis < rank else { continue }
      let (product, overflow) = bytes.multipliedReportingOverflow(by: UInt64(dims[axis]))
      guard !overflow else {
        throw refusal(record, field, tensor: index, "the product of extents overflows")
      }
      bytes = product
    }
    guard bytes == record.pointee.bytes else {
      throw refusal(record, TensorField.bytes, tensor: index, "bytes is not extents times element")
    }
    guard record.pointee.scale >= 0, record.pointee.scale <= Float.greatestFiniteMagnitude else {
      throw refusal(record, TensorField.scale, tensor: index, "scale is negative or not finite")
    }
  }

  /// Returns the tensor's end in the arena, 0 for weights.
  private func verifyPlace(
    _ record: UnsafePointer<wh_tensor_record>, _ index: Int
  ) throws(Refusal) -> UInt64 {
    guard isAligned(record.pointee.offset) else {
      throw refusal(record, TensorField.offset, tensor: index, "offset is not a multiple of 64")
    }
    let (end, overflow) = record.pointee.offset.addingReportingOverflow(record.pointee.bytes)
    let room: UInt64
    switch Int(truncatingIfNeeded: record.pointee.storage) {
    case WH_STORAGE_ARENA: room = header.pointee.arena_bytes
    case WH_STORAGE_STATE: room = header.pointee.state_bytes
    case WH_STORAGE_WEIGHTS: room = weightBytes
    default: throw refusal(record, TensorField.storage, tensor: index, "an unknown storage")
    }
    guard !overflow, end <= room else {
      throw refusal(record, TensorField.offset, tensor: index, "the tensor ends after its storage")
    }
    if Int(truncatingIfNeeded: record.pointee.storage) == WH_STORAGE_WEIGHTS {
      guard record.pointee.element != WH_Q8 else {
        throw refusal(
          record, TensorField.element, tensor: index, "a weight in the processor's own signedness")
      }
      return 0
    }
    guard
      Int(truncatingIfNeeded: record.pointee.storage) == WH_STORAGE_STATE
        || record.pointee.offset >= header.pointee.state_bytes
    else {
      throw refusal(record, TensorField.offset, tensor: index, "an arena tensor lies in the state")
    }
    return end
  }

  private func verifyNames(
    _ record: UnsafePointer<wh_tensor_record>, _ index: Int, _ scan: inout UInt64
  ) throws(Refusal) {
    guard isText(record.pointee.name) else {
      throw refusal(record, TensorField.name, tensor: index, "the name lies outside the text")
    }
    guard isText(record.pointee.labels) else {
      throw refusal(record, TensorField.labels, tensor: index, "the labels lie outside the text")
    }
    guard record.pointee.label_count > 0 else { return }
    guard record.pointee.labels != WH_NONE else {
      throw refusal(record, TensorField.labelCount, tensor: index, "labels are counted but absent")
    }
    var at = record.pointee.labels
    var left = record.pointee.label_count
    while left > 0 {
      guard at < header.pointee.text_bytes, scan > 0 else {
        throw refusal(
          record, TensorField.labelCount, tensor: index, "the labels run out of the text")
      }
      if text[Int(truncatingIfNeeded: at)] == 0 { left &-= 1 }
      at &+= 1
      scan &-= 1
    }
  }

  /// Inputs are written by the caller, so they lie in the arena; outputs may be anywhere.
  private func verifyInterface() throws(Refusal) {
    let inputs = UInt64(header.pointee.input_count)
    let count = inputs &+ UInt64(header.pointee.output_count)
    guard count <= UInt64(header.pointee.operand_count) else {
      throw refusal(header, PlanField.inputCount, "inputs and outputs exceed the operands")
    }
    for index in 0..<Int(truncatingIfNeeded: count) {
      let tensor = operands[index]
      guard tensor < header.pointee.tensor_count else {
        throw refusal(operands + index, 0, "a model input or output is not a tensor")
      }
      guard tensors[Int(truncatingIfNeeded: tensor)].element != WH_Q8 else {
        var refusal = refusal(
          operands + index, 0, "a model input or output is of a kernel's element")
        refusal.tensor = Int32(truncatingIfNeeded: tensor)
        throw refusal
      }
      let storage = Int(tensors[Int(truncatingIfNeeded: tensor)].storage)
      guard index >= inputCount || storage == WH_STORAGE_ARENA else {
        var refusal = refusal(operands + index, 0, "a model input is not in the arena")
        refusal.tensor = Int32(truncatingIfNeeded: tensor)
        throw refusal
      }
    }
  }

  func isText(_ offset: UInt32) -> Bool {
    offset == WH_NONE || offset < header.pointee.text_bytes
  }

  private func isAligned(_ offset: UInt64) -> Bool { offset & UInt64(WH_ALIGNMENT &- 1) == 0 }
}

/// Bytes of one element, 0 for a code that is not runnable.
func elementSize(_ code: UInt32) -> UInt64 {
  switch Int(truncatingIfNeeded: code) {
  case WH_UINT8, WH_INT8, WH_BOOL, Int(WH_Q8): 1
  case WH_UINT16, WH_INT16, WH_FLOAT16: 2
  case WH_FLOAT32, WH_INT32, WH_UINT32: 4
  case WH_INT64, WH_FLOAT64, WH_UINT64: 8
  default: 0
  }
}

/// The first byte that is not well-formed UTF-8 (Unicode 16, table 3-7), or nil.
func firstInvalidUTF8(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
  var at = 0
  while at < count {
    let lead = bytes.load(fromByteOffset: at, as: UInt8.self)
    var low: UInt8 = 0x80
    var high: UInt8 = 0xBF
    let trailing: Int
    switch lead {
    case 0x00...0x7F: trailing = 0
    case 0xC2...0xDF: trailing = 1
    case 0xE0...0xEF:
      trailing = 2
      if lead == 0xE0 { low = 0xA0 } else if lead == 0xED { high = 0x9F }
    case 0xF0...0xF4:
      trailing = 3
      if lead == 0xF0 { low = 0x90 } else if lead == 0xF4 { high = 0x8F }
    default: return at
    }
    guard count &- at > trailing else { return at }
    var next = at &+ 1
    while next <= at &+ trailing {
      let byte = bytes.load(fromByteOffset: next, as: UInt8.self)
      guard byte >= low, byte <= high else { return at }
      low = 0x80
      high = 0xBF
      next &+= 1
    }
    at = next
  }
  return nil
}
