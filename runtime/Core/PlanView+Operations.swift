import CWherryABI
import CWherryKernels

/// Operands of one operation at most: checking needs a copy of their tensors on the stack.
private var operandLimit: Int { 32 }

extension PlanView {
  /// Proves every operation: that its kernel exists, that its operands and parameters lie in their
  /// areas, that what it writes overlaps nothing it must not, and what its kernel demands.
  ///
  /// That an operation reads only what was written before is not proved: the arena starts as zeros
  /// and holds only this session's values, so a plan that breaks the rule computes nonsense safely.
  func verifyOperations() throws(Refusal) {
    for index in 0..<operationCount {
      let record = operations + index
      try verifyKernel(record, index)
      let count = try verifyOperands(record, index)
      try verifyOverlap(record, index, count)
      try runCheck(record, index, count)
    }
  }

  private func refusal(
    _ record: UnsafePointer<wh_operation_record>, _ field: UInt64, operation: Int,
    _ text: StaticString
  ) -> Refusal {
    var refusal = refusal(UnsafeRawPointer(record), field, text)
    refusal.operation = Int32(truncatingIfNeeded: operation)
    refusal.subject = wh_kernel_name(record.pointee.code)
    return refusal
  }

  /// A refusal at one operand of an operation.
  private func refusal(
    _ record: UnsafePointer<wh_operation_record>, operand: Int, operation: Int,
    _ text: StaticString
  ) -> Refusal {
    var refusal = refusal(record, 0, operation: operation, text)
    let place = operands + Int(truncatingIfNeeded: record.pointee.operands) + operand
    refusal.offset = offset(of: place)
    refusal.tensor = Int32(truncatingIfNeeded: place.pointee)
    return refusal
  }

  private func verifyKernel(
    _ record: UnsafePointer<wh_operation_record>, _ index: Int
  ) throws(Refusal) {
    let bytes = wh_kernel_parameters(record.pointee.code)
    guard bytes >= 0 else {
      var refusal = refusal(
        record, OperationField.code, operation: index, "an operator this build does not have")
      refusal.status = wherry_status(WHERRY_UNSUPPORTED)
      throw refusal
    }
    let parameters = record.pointee.parameters
    guard record.pointee.parameter_bytes == UInt32(truncatingIfNeeded: bytes) else {
      throw refusal(
        record, OperationField.parameterBytes, operation: index,
        "parameter_bytes is not the operator's")
    }
    guard parameters & 7 == 0,
      UInt64(parameters) &+ UInt64(record.pointee.parameter_bytes)
        <= UInt64(header.pointee.parameter_bytes)
    else {
      throw refusal(
        record, OperationField.parameters, operation: index,
        "the parameters are misaligned or outside their area")
    }
    guard isText(record.pointee.name) else {
      throw refusal(
        record, OperationField.name, operation: index, "the name lies outside the text")
    }
    guard record.pointee.reserved == 0 else {
      throw refusal(
        record, OperationField.reserved, operation: index, "a reserved field is not zero")
    }
    guard record.pointee.reserved2 == 0 else {
      throw refusal(
        record, OperationField.reserved2, operation: index, "a reserved field is not zero")
    }
  }

  /// Returns the number of operands.
  private func verifyOperands(
    _ record: UnsafePointer<wh_operation_record>, _ index: Int
  ) throws(Refusal) -> Int {
    let inputs = Int(record.pointee.input_count)
    let outputs = Int(record.pointee.output_count)
    guard record.pointee.scratch_count <= 1 else {
      throw refusal(
        record, OperationField.scratchCount, operation: index, "more than one scratch tensor")
    }
    let count = inputs &+ outputs &+ Int(record.pointee.scratch_count)
    guard count <= operandLimit else {
      throw refusal(record, OperationField.inputCount, operation: index, "more than 32 operands")
    }
    guard
      UInt64(record.pointee.operands) &+ UInt64(truncatingIfNeeded: count)
        <= UInt64(header.pointee.operand_count)
    else {
      throw refusal(
        record, OperationField.operands, operation: index, "the operands end after their area")
    }
    for operand in 0..<count {
      guard let tensor = tensor(record, operand) else {
        guard operandIndex(record, operand) == WH_NONE, operand < inputs &+ outputs else {
          throw refusal(record, operand: operand, operation: index, "an operand is not a tensor")
        }
        continue
      }
      let storage = Int(truncatingIfNeeded: tensor.pointee.storage)
      guard operand < inputs || storage != WH_STORAGE_WEIGHTS else {
        throw refusal(record, operand: operand, operation: index, "an output lies in the weights")
      }
      guard
        operand < inputs &+ outputs
          || (storage == WH_STORAGE_ARENA
            && Int(truncatingIfNeeded: tensor.pointee.element) == WH_UINT8)
      else {
        throw refusal(
          record, operand: operand, operation: index, "scratch is not uint8 in the arena")
      }
    }
    return count
  }

  /// Inputs may share memory. An output may share memory with an input that begins where it begins,
  /// and with nothing else; scratch with nothing. Kernels that keep indices in memory rely on it.
  private func verifyOverlap(
    _ record: UnsafePointer<wh_operation_record>, _ index: Int, _ count: Int
  ) throws(Refusal) {
    let inputs = Int(record.pointee.input_count)
    let scratch = inputs &+ Int(record.pointee.output_count)
    for written in inputs..<count {
      guard let target = tensor(record, written) else { continue }
      for other in 0..<written {
        guard let source = tensor(record, other), overlap(target, source) else { continue }
        let inPlace =
          other < inputs && written < scratch && target.pointee.offset == source.pointee.offset
        guard inPlace else {
          throw refusal(
            record, operand: written, operation: index, "an output overlaps another operand")
        }
      }
    }
  }

  private func overlap(
    _ a: UnsafePointer<wh_tensor_record>, _ b: UnsafePointer<wh_tensor_record>
  ) -> Bool {
    Int(truncatingIfNeeded: a.pointee.storage) != WH_STORAGE_WEIGHTS
      && Int(truncatingIfNeeded: b.pointee.storage) != WH_STORAGE_WEIGHTS
      && a.pointee.bytes > 0 && b.pointee.bytes > 0
      && a.pointee.offset < b.pointee.offset &+ b.pointee.bytes
      && b.pointee.offset < a.pointee.offset &+ a.pointee.bytes
  }

  private func operandIndex(
    _ record: UnsafePointer<wh_operation_record>, _ operand: Int
  ) -> UInt32 {
    operands[Int(truncatingIfNeeded: record.pointee.operands) &+ operand]
  }

  private func tensor(
    _ record: UnsafePointer<wh_operation_record>, _ operand: Int
  ) -> UnsafePointer<wh_tensor_record>? {
    let index = operandIndex(record, operand)
    return index < header.pointee.tensor_count ? tensors + Int(truncatingIfNeeded: index) : nil
  }

  private func runCheck(
    _ record: UnsafePointer<wh_operation_record>, _ index: Int, _ count: Int
  ) throws(Refusal) {
    // The call's tensors are copies of the operands alone, so operand i is tensor i.
    var copies = InlineArray<32, wh_tensor>(repeating: wh_tensor())
    var indices = InlineArray<32, UInt32>(repeating: WH_NONE)
    for operand in 0..<count {
      guard let tensor = tensor(record, operand) else { continue }
      copies[operand].record = tensor
      if Int(truncatingIfNeeded: tensor.pointee.storage) == WH_STORAGE_WEIGHTS {
        copies[operand].data = weightData(tensor)
      }
      indices[operand] = UInt32(truncatingIfNeeded: operand)
    }
    var call = wh_call(record, parameters)
    let complaint = withUnsafePointer(to: &copies) { copies in
      withUnsafePointer(to: &indices) { indices in
        call.tensors = UnsafeRawPointer(copies).assumingMemoryBound(to: wh_tensor.self)
        call.operands = UnsafeRawPointer(indices).assumingMemoryBound(to: UInt32.self)
        return wh_kernel_check(record.pointee.code, &call)
      }
    }
    guard let complaint else { return }
    var refusal = refusal(record, 0, operation: index, "")
    refusal.text = complaint
    throw refusal
  }

  /// The bytes of a weight. Kernels take mutable pointers for all tensors; verification keeps them
  /// from writing here.
  func weightData(_ record: UnsafePointer<wh_tensor_record>) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(
      mutating: weights + Int(truncatingIfNeeded: record.pointee.offset)
    ).assumingMemoryBound(to: UInt8.self)
  }
}

extension wh_call {
  /// A call without tensors, operands and processor.
  init(_ record: UnsafePointer<wh_operation_record>, _ parameters: UnsafeRawPointer) {
    self.init()
    self.parameters = parameters + Int(truncatingIfNeeded: record.pointee.parameters)
    input_count = record.pointee.input_count
    output_count = record.pointee.output_count
    scratch_count = record.pointee.scratch_count
  }
}
