import CWherryABI
import CWherryKernels
import WherryBytes
import WherryGraph
import WherryPasses

/// Asks every kernel whether it would run its operation, as the runtime does when it opens a file.
enum PlanCheck {
  /// Operands of one operation at most.
  static let mostOperands = 32

  /// - Returns: the first operation that its kernel refuses and why; nil when all agree.
  static func refusal(of plan: Plan) -> String? {
    let records = plan.tensors.map { record($0) }
    return records.withUnsafeBufferPointer { records in
      let tensors = records.indices.map { index in
        wh_tensor(data: nil, record: records.baseAddress.map { $0 + index })
      }
      for (index, operation) in plan.operations.enumerated() {
        if let complaint = refusal(of: operation, tensors) {
          return
            "operation \(index), \(operation.step.kernel) of \"\(operation.name)\": \(complaint)"
        }
      }
      return nil
    }
  }

  private static func refusal(of operation: PlanOperation, _ tensors: [wh_tensor]) -> String? {
    let scratch = operation.scratch.map { [Int?.some($0)] } ?? []
    let operands = operation.inputs + operation.outputs + scratch
    guard operands.count <= mostOperands else { return "\(operands.count) operands" }
    guard let code = OperatorCodes.byName[operation.step.kernel],
      let kernel = wh_find_kernel(code), let check = kernel.pointee.check
    else { return "no such kernel" }
    let parameters = operation.step.parameters
    guard parameters.count == Int(kernel.pointee.parameter_bytes) else {
      return "\(parameters.count) bytes of parameters"
    }
    let indices = operands.map { $0.map { UInt32(truncatingIfNeeded: $0) } ?? WH_NONE }
    // A copy that is aligned as the file's parameters are.
    let aligned = Bytes(parameters.isEmpty ? [0] : parameters)
    return tensors.withUnsafeBufferPointer { tensors in
      indices.withUnsafeBufferPointer { indices in
        aligned.withUnsafeBytes { parameters in
          var call = wh_call()
          call.parameters = parameters.baseAddress
          call.tensors = tensors.baseAddress
          call.operands = indices.baseAddress
          call.input_count = UInt16(truncatingIfNeeded: operation.inputs.count)
          call.output_count = UInt16(truncatingIfNeeded: operation.outputs.count)
          call.scratch_count = UInt16(truncatingIfNeeded: scratch.count)
          return check(&call).map { String(cString: $0) }
        }
      }
    }
  }

  private static func record(_ tensor: PlanTensor) -> wh_tensor_record {
    var record = wh_tensor_record()
    record.element = tensor.code
    record.bytes = UInt64(tensor.byteCount)
    record.rank = UInt32(truncatingIfNeeded: tensor.dims.count)
    switch tensor.place {
    case .arena(let offset):
      (record.storage, record.offset) = (UInt32(WH_STORAGE_ARENA), UInt64(offset))
    case .weights: record.storage = UInt32(WH_STORAGE_WEIGHTS)
    }
    return record
  }
}
