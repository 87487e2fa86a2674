import CWherryABI
import CWherryKernels

/// What lies behind a `wherry_session *`, at the beginning of the caller's memory.
struct Session {
  /// `Session.open` while the session is open, so that a closed one is refused.
  var mark: UInt64
  var plan: PlanView
  var tests: TestVectors?
  var tensors: UnsafeMutablePointer<wh_tensor>
  var steps: UnsafeMutablePointer<Step>
  var stepCount: Int
  var arena: UnsafeMutableRawPointer
  /// Workers that share the large steps; nil when there is only the caller's thread.
  var pool: UnsafeMutableRawPointer?
  /// The caller's clock; nil when not profiling.
  var clock: (@convention(c) () -> UInt64)?
  var invocations: UInt32
  var error: wherry_error

  static var open: UInt64 { 0x6E65_706F_7972_7277 }
}

/// One operation, ready to run.
struct Step {
  var code: UInt32
  var call: wh_call
  /// Summed over all invocations when profiling.
  var nanoseconds: UInt64
}

typealias SessionPointer = UnsafeMutablePointer<Session>

/// The session behind a handle, or nil for null and for one that is closed.
func openSession(_ handle: OpaquePointer?) -> SessionPointer? {
  guard let handle else { return nil }
  let session = SessionPointer(handle)
  return session.pointee.mark == Session.open ? session : nil
}

/// Runs the body of a public function on a session and keeps its refusal as the last error.
func onSession(
  _ handle: OpaquePointer?, _ body: (SessionPointer) throws(Refusal) -> Void
) -> wherry_status {
  guard let session = openSession(handle) else { return wherry_status(WHERRY_BAD_ARGUMENT) }
  do throws(Refusal) {
    try body(session)
    return wherry_status(WHERRY_OK)
  } catch let refusal {
    refusal.fill(&session.pointee.error)
    return refusal.status
  }
}

@c @implementation
public func wherry_open(
  _ bytes: UnsafeRawPointer!, _ size: Int, _ memory: UnsafeMutableRawPointer!, _ memory_size: Int,
  _ options: UnsafePointer<wherry_options>!, _ session: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<wherry_error>!
) -> wherry_status {
  reporting(to: error) { () throws(Refusal) in
    guard let session else { throw Refusal(WHERRY_BAD_ARGUMENT, "session is null") }
    session.pointee = nil
    let choices = try Choices(options)
    let model = try VerifiedModel(bytes, size: size)
    if choices.checkDigests { try model.container.verifyDigests() }
    let memory = try usable(memory, memory_size, needs: model.layout.end)
    let made = makeSession(model, choices, memory)
    if choices.threads > 1 {
      let pool = memory + Int(truncatingIfNeeded: model.layout.pool)
      let status = wh_workers_start(pool, choices.threads)
      guard status == WHERRY_OK else {
        made.pointee.mark = 0
        throw Refusal(Int(status), "the system starts no more threads")
      }
      made.pointee.pool = pool
    }
    session.pointee = OpaquePointer(made)
  }
}

@c @implementation
public func wherry_reset(_ session: OpaquePointer!) {
  guard let session = openSession(session) else { return }
  clearState(session)
}

func clearState(_ session: SessionPointer) {
  zero(
    session.pointee.arena,
    Int(truncatingIfNeeded: session.pointee.plan.header.pointee.state_bytes))
}

@c @implementation
public func wherry_close(_ session: OpaquePointer!) {
  guard let session = openSession(session) else { return }
  session.pointee.mark = 0
  if let pool = session.pointee.pool { wh_workers_stop(pool) }
}

/// `wherry_options`, checked.
private struct Choices {
  var cpu: UInt32
  var checkDigests = false
  var clock: (@convention(c) () -> UInt64)?
  var threads: UInt32 = 1

  /// The size of `wherry_options` before `threads` and `reserved` were appended.
  private static var oldestSize: Int { MemoryLayout<wherry_options>.size - 8 }

  init(_ options: UnsafePointer<wherry_options>?) throws(Refusal) {
    cpu = wh_with_storage(wh_detect_cpu())
    guard let options else { return }
    guard Int(options.pointee.size) >= Self.oldestSize else {
      throw Refusal(WHERRY_BAD_ARGUMENT, "options.size is not set")
    }
    if Int(options.pointee.size) >= MemoryLayout<wherry_options>.size {
      threads = max(options.pointee.threads, 1)
      guard threads <= UInt32(WHERRY_MOST_THREADS) else {
        throw Refusal(WHERRY_BAD_ARGUMENT, "options.threads exceeds 16")
      }
    }
    cpu = wh_with_storage(cpu & ~options.pointee.cpu_mask)
    checkDigests = options.pointee.check_digests != 0
    guard options.pointee.profile != 0 else { return }
    guard let clock = options.pointee.clock else {
      throw Refusal(WHERRY_BAD_ARGUMENT, "options.profile needs options.clock")
    }
    self.clock = clock
  }
}

private func usable(
  _ memory: UnsafeMutableRawPointer?, _ size: Int, needs bytes: UInt64
) throws(Refusal) -> UnsafeMutableRawPointer {
  guard let memory else { throw Refusal(WHERRY_BAD_ARGUMENT, "memory is null") }
  guard Int(bitPattern: memory) & Int(WH_ALIGNMENT - 1) == 0 else {
    throw Refusal(WHERRY_NO_MEMORY, "memory is not aligned to 64")
  }
  guard size >= 0, bytes <= UInt64(size) else {
    throw Refusal(WHERRY_NO_MEMORY, "memory_size is smaller than session_bytes")
  }
  return memory
}

private func makeSession(
  _ model: VerifiedModel, _ choices: Choices, _ memory: UnsafeMutableRawPointer
) -> SessionPointer {
  let plan = model.plan
  let layout = model.layout
  let session = memory.assumingMemoryBound(to: Session.self)
  session.initialize(
    to: Session(
      mark: Session.open, plan: plan, tests: model.tests,
      tensors: (memory + Int(truncatingIfNeeded: layout.tensors))
        .assumingMemoryBound(to: wh_tensor.self),
      steps: (memory + Int(truncatingIfNeeded: layout.steps)).assumingMemoryBound(to: Step.self),
      stepCount: plan.operationCount, arena: memory + Int(truncatingIfNeeded: layout.arena),
      pool: nil, clock: choices.clock, invocations: 0, error: wherry_error()))
  session.pointee.error.offset = .max
  session.pointee.error.operation = -1
  session.pointee.error.tensor = -1

  for index in 0..<plan.tensorCount {
    let record = plan.tensors + index
    let place =
      session.pointee.arena + Int(truncatingIfNeeded: record.pointee.offset)
    (session.pointee.tensors + index).initialize(
      to: wh_tensor(
        data: Int(truncatingIfNeeded: record.pointee.storage) == WH_STORAGE_WEIGHTS
          ? plan.weightData(record) : place.assumingMemoryBound(to: UInt8.self),
        record: record))
  }
  for index in 0..<plan.operationCount {
    let record = plan.operations + index
    var call = wh_call(record, plan.parameters)
    call.tensors = UnsafePointer(session.pointee.tensors)
    call.operands = plan.operands + Int(truncatingIfNeeded: record.pointee.operands)
    call.cpu = choices.cpu
    (session.pointee.steps + index).initialize(
      to: Step(code: record.pointee.code, call: call, nanoseconds: 0))
  }
  zero(
    session.pointee.arena,
    Int(truncatingIfNeeded: plan.header.pointee.arena_bytes &+ UInt64(WH_ALIGNMENT)))
  return session
}

func zero(_ memory: UnsafeMutableRawPointer, _ count: Int) {
  memory.initializeMemory(as: UInt8.self, repeating: 0, count: count)
}
