import CWherryABI
import CWherryKernels

/// A model file proved safe to run: everything `wherry_check` promises.
struct VerifiedModel {
  let container: Container
  let plan: PlanView
  let tests: TestVectors?
  let layout: SessionLayout

  /// - Throws: bad argument, not a model, truncated, bad version, no plan, unsupported, bad model.
  init(_ bytes: UnsafeRawPointer?, size: Int) throws(Refusal) {
    container = try Container(bytes, size: size)
    plan = try PlanView(container)
    try plan.verifyTensors(container)
    try plan.verifyOperations()
    tests = try TestVectors(container, plan)
    layout = SessionLayout(plan)
  }

  /// Writes everything but `size`, which is the caller's.
  func fill(_ info: UnsafeMutablePointer<wherry_info>) {
    info.pointee.input_count = plan.header.pointee.input_count
    info.pointee.output_count = plan.header.pointee.output_count
    info.pointee.operation_count = plan.header.pointee.operation_count
    info.pointee.session_bytes = layout.end
    info.pointee.arena_bytes = plan.header.pointee.arena_bytes
    info.pointee.state_bytes = plan.header.pointee.state_bytes
    info.pointee.macs = plan.header.pointee.macs
    info.pointee.weight_bytes = plan.weightBytes
    info.pointee.test_count = tests?.header.pointee.case_count ?? 0
    info.pointee.reserved = 0
  }
}

/// Where the parts of a session lie in the caller's memory. Counts are 32 bits, the arena is below
/// 2^62, so nothing here overflows.
struct SessionLayout {
  let tensors, steps, pool, arena, end: UInt64

  init(_ plan: PlanView) {
    let alignment = UInt64(WH_ALIGNMENT)
    tensors = align(UInt64(MemoryLayout<Session>.stride), alignment)
    steps =
      tensors
      &+ align(
        UInt64(plan.header.pointee.tensor_count) &* UInt64(MemoryLayout<wh_tensor>.stride),
        alignment)
    pool =
      steps
      &+ align(
        UInt64(plan.header.pointee.operation_count) &* UInt64(MemoryLayout<Step>.stride), alignment)
    arena = pool &+ align(UInt64(wh_workers_bytes()), alignment)
    // Kernels may read, never write, up to 63 bytes past an arena tensor.
    end = arena &+ plan.header.pointee.arena_bytes &+ alignment
  }
}

@c @implementation
public func wherry_check(
  _ bytes: UnsafeRawPointer!, _ size: Int, _ info: UnsafeMutablePointer<wherry_info>!,
  _ error: UnsafeMutablePointer<wherry_error>!
) -> wherry_status {
  reporting(to: error) { () throws(Refusal) in
    guard let info, Int(info.pointee.size) >= MemoryLayout<wherry_info>.size else {
      throw Refusal(WHERRY_BAD_ARGUMENT, "info is null or info.size is not set")
    }
    try VerifiedModel(bytes, size: size).fill(info)
  }
}
