import CWherryABI
import CWherryKernels

@c @implementation
public func wherry_invoke(_ session: OpaquePointer!) -> wherry_status {
  onSession(session) { (session) throws(Refusal) in try invoke(session) }
}

/// Runs every step in order. Verification proved all of them, so only data can end it early.
func invoke(_ session: SessionPointer) throws(Refusal) {
  if let clock = session.pointee.clock { return try invoke(session, measuredBy: clock) }
  let steps = session.pointee.steps
  let pool = session.pointee.pool
  for index in 0..<session.pointee.stepCount {
    let status = run(steps + index, pool)
    if status != WHERRY_OK { throw badValue(session, index, status) }
  }
}

private func invoke(
  _ session: SessionPointer, measuredBy clock: @convention(c) () -> UInt64
) throws(Refusal) {
  let steps = session.pointee.steps
  let pool = session.pointee.pool
  var before = clock()
  for index in 0..<session.pointee.stepCount {
    let status = run(steps + index, pool)
    if status != WHERRY_OK { throw badValue(session, index, status) }
    let after = clock()
    steps[index].nanoseconds &+= after &- before
    before = after
  }
  session.pointee.invocations &+= 1
}

/// One step, shared with the workers where there are any.
private func run(_ step: UnsafeMutablePointer<Step>, _ pool: UnsafeMutableRawPointer?) -> Int32 {
  guard let pool else { return wh_kernel_run(step.pointee.code, &step.pointee.call) }
  return wh_workers_run(pool, step.pointee.code, &step.pointee.call)
}

private func badValue(_ session: SessionPointer, _ step: Int, _ status: Int32) -> Refusal {
  let plan = session.pointee.plan
  let record = plan.operations + step
  var refusal = Refusal(
    Int(status), at: plan.offset(of: record), "an input value is out of range")
  refusal.operation = Int32(truncatingIfNeeded: step)
  refusal.subject = wh_kernel_name(record.pointee.code)
  return refusal
}

@c @implementation
public func wherry_set_input(
  _ session: OpaquePointer!, _ index: UInt32, _ data: UnsafeRawPointer!, _ size: Int
) -> wherry_status {
  onSession(session) { (session) throws(Refusal) in
    let tensor = try inputTensor(session, index)
    let bytes = try transferSize(session, tensor, size, data == nil)
    if bytes > 0 { copy(data, to: session.pointee.tensors[tensor].data, bytes) }
  }
}

@c @implementation
public func wherry_get_output(
  _ session: OpaquePointer!, _ index: UInt32, _ data: UnsafeMutableRawPointer!, _ size: Int
) -> wherry_status {
  onSession(session) { (session) throws(Refusal) in
    let tensor = try outputTensor(session, index)
    let bytes = try transferSize(session, tensor, size, data == nil)
    if bytes > 0 { copy(session.pointee.tensors[tensor].data, to: data, bytes) }
  }
}

@c @implementation
public func wherry_input_data(
  _ session: OpaquePointer!, _ index: UInt32
) -> UnsafeMutableRawPointer! {
  var data: UnsafeMutableRawPointer?
  _ = onSession(session) { (session) throws(Refusal) in
    data = UnsafeMutableRawPointer(session.pointee.tensors[try inputTensor(session, index)].data)
  }
  return data
}

@c @implementation
public func wherry_output_data(
  _ session: OpaquePointer!, _ index: UInt32
) -> UnsafeRawPointer! {
  var data: UnsafeRawPointer?
  _ = onSession(session) { (session) throws(Refusal) in
    data = UnsafeRawPointer(session.pointee.tensors[try outputTensor(session, index)].data)
  }
  return data
}

@c @implementation
public func wherry_profile_of(
  _ session: OpaquePointer!, _ operation: UInt32, _ profile: UnsafeMutablePointer<wherry_profile>!
) -> wherry_status {
  onSession(session) { (session) throws(Refusal) in
    guard let profile, Int(profile.pointee.size) >= MemoryLayout<wherry_profile>.size else {
      throw Refusal(WHERRY_BAD_ARGUMENT, "profile is null or profile.size is not set")
    }
    guard session.pointee.clock != nil else {
      throw Refusal(WHERRY_BAD_ARGUMENT, "the session was opened without options.profile")
    }
    let plan = session.pointee.plan
    guard operation < plan.header.pointee.operation_count else {
      throw Refusal(WHERRY_BAD_ARGUMENT, "operation is not below operation_count")
    }
    let index = Int(truncatingIfNeeded: operation)
    let record = plan.operations + index
    profile.pointee.invocations = session.pointee.invocations
    profile.pointee.name = plan.string(record.pointee.name)
    profile.pointee.kernel = wh_kernel_name(record.pointee.code) ?? emptyText
    profile.pointee.nanoseconds = session.pointee.steps[index].nanoseconds
  }
}

/// The plan's tensor of a caller's input index.
func inputTensor(_ session: SessionPointer, _ index: UInt32) throws(Refusal) -> Int {
  guard index < session.pointee.plan.header.pointee.input_count else {
    throw Refusal(WHERRY_BAD_ARGUMENT, "index is not below input_count")
  }
  return session.pointee.plan.input(Int(truncatingIfNeeded: index))
}

/// The plan's tensor of a caller's output index.
func outputTensor(_ session: SessionPointer, _ index: UInt32) throws(Refusal) -> Int {
  guard index < session.pointee.plan.header.pointee.output_count else {
    throw Refusal(WHERRY_BAD_ARGUMENT, "index is not below output_count")
  }
  return session.pointee.plan.output(Int(truncatingIfNeeded: index))
}

/// The bytes to copy between the caller and a tensor.
private func transferSize(
  _ session: SessionPointer, _ tensor: Int, _ size: Int, _ isNull: Bool
) throws(Refusal) -> Int {
  guard size >= 0, UInt64(size) == session.pointee.plan.tensors[tensor].bytes else {
    var refusal = Refusal(WHERRY_BAD_SIZE, "size is not the tensor's bytes")
    refusal.tensor = Int32(truncatingIfNeeded: tensor)
    throw refusal
  }
  guard size == 0 || !isNull else { throw Refusal(WHERRY_BAD_ARGUMENT, "data is null") }
  return size
}

func copy(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ bytes: Int) {
  target.copyMemory(from: source, byteCount: bytes)
}
