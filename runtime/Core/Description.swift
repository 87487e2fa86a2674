import CWherryABI

@c @implementation
public func wherry_version() -> UInt32 { WHERRY_VERSION }

@c @implementation
public func wherry_status_text(_ status: wherry_status) -> UnsafePointer<CChar>! {
  switch Int(status) {
  case WHERRY_OK: cString("ok")
  case WHERRY_BAD_ARGUMENT: cString("bad-argument")
  case WHERRY_NOT_A_MODEL: cString("not-a-model")
  case WHERRY_BAD_VERSION: cString("bad-version")
  case WHERRY_TRUNCATED: cString("truncated")
  case WHERRY_BAD_MODEL: cString("bad-model")
  case WHERRY_NO_PLAN: cString("no-plan")
  case WHERRY_UNSUPPORTED: cString("unsupported")
  case WHERRY_NO_MEMORY: cString("no-memory")
  case WHERRY_BAD_SIZE: cString("bad-size")
  case WHERRY_BAD_VALUE: cString("bad-value")
  case WHERRY_BAD_DIGEST: cString("bad-digest")
  case WHERRY_TEST_FAILED: cString("test-failed")
  case WHERRY_NO_TEST: cString("no-test")
  case WHERRY_NO_THREAD: cString("no-thread")
  default: cString("unknown")
  }
}

@c @implementation
public func wherry_input(
  _ session: OpaquePointer!, _ index: UInt32, _ tensor: UnsafeMutablePointer<wherry_tensor>!
) -> wherry_status {
  onSession(session) { (session) throws(Refusal) in
    try describe(session, try inputTensor(session, index), tensor)
  }
}

@c @implementation
public func wherry_output(
  _ session: OpaquePointer!, _ index: UInt32, _ tensor: UnsafeMutablePointer<wherry_tensor>!
) -> wherry_status {
  onSession(session) { (session) throws(Refusal) in
    try describe(session, try outputTensor(session, index), tensor)
  }
}

@c @implementation
public func wherry_label(
  _ session: OpaquePointer!, _ output: UInt32, _ label: UInt32
) -> UnsafePointer<CChar>! {
  guard let session = openSession(session) else { return nil }
  let plan = session.pointee.plan
  guard output < plan.header.pointee.output_count else { return nil }
  let record = plan.tensors[plan.output(Int(truncatingIfNeeded: output))]
  guard label < record.label_count else { return nil }
  var text = plan.string(record.labels)
  for _ in 0..<label {
    while text.pointee != 0 { text += 1 }
    text += 1
  }
  return text
}

@c @implementation
public func wherry_last_error(
  _ session: OpaquePointer!, _ error: UnsafeMutablePointer<wherry_error>!
) -> wherry_status {
  guard let session = openSession(session), let error,
    Int(error.pointee.size) >= MemoryLayout<wherry_error>.size
  else { return wherry_status(WHERRY_BAD_ARGUMENT) }
  let size = error.pointee.size
  error.pointee = session.pointee.error
  error.pointee.size = size
  return wherry_status(WHERRY_OK)
}

private func describe(
  _ session: SessionPointer, _ index: Int, _ tensor: UnsafeMutablePointer<wherry_tensor>?
) throws(Refusal) {
  guard let tensor, Int(tensor.pointee.size) >= MemoryLayout<wherry_tensor>.size else {
    throw Refusal(WHERRY_BAD_ARGUMENT, "tensor is null or tensor.size is not set")
  }
  let plan = session.pointee.plan
  let record = plan.tensors[index]
  tensor.pointee.element = wherry_element(truncatingIfNeeded: record.element)
  tensor.pointee.name = plan.string(record.name)
  tensor.pointee.bytes = record.bytes
  tensor.pointee.rank = record.rank
  tensor.pointee.dims = record.dims
  tensor.pointee.scale = record.scale
  tensor.pointee.zero_point = record.zero_point
  tensor.pointee.label_count = record.label_count
}
