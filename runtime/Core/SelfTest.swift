import CWherryABI
import CWherryKernels

/// The self-test section, with its record table proved to lie inside it.
struct TestVectors {
  let header: UnsafePointer<wh_test_header>
  let records: UnsafePointer<wh_test_record>
  let start: UnsafeRawPointer
  let size: UInt64

  /// Nil when the file has no self-test section.
  /// - Throws: bad version, bad model.
  init?(_ container: Container, _ plan: PlanView) throws(Refusal) {
    guard let section = try container.readableSection(WH_SECTION_TEST) else { return nil }
    let headerSize = UInt64(MemoryLayout<wh_test_header>.size)
    guard section.size >= headerSize else {
      throw Refusal(WHERRY_BAD_MODEL, at: section.offset, "the self test ends in its header")
    }
    start = container.bytes + Int(truncatingIfNeeded: section.offset)
    size = section.size
    header = start.assumingMemoryBound(to: wh_test_header.self)
    records = (start + MemoryLayout<wh_test_header>.size)
      .assumingMemoryBound(to: wh_test_record.self)

    let perCase = UInt64(truncatingIfNeeded: plan.inputCount &+ plan.outputCount)
    guard UInt64(header.pointee.tensors_per_case) == perCase else {
      throw Refusal(
        WHERRY_BAD_MODEL, at: section.offset &+ 4, "tensors_per_case is not the plan's")
    }
    let (count, overflow) = UInt64(header.pointee.case_count)
      .multipliedReportingOverflow(by: perCase)
    guard !overflow, count <= (size &- headerSize) / 16,
      perCase > 0 || header.pointee.case_count == 0
    else {
      throw Refusal(WHERRY_BAD_MODEL, at: section.offset, "case_count exceeds the section")
    }
    guard isBound(header.pointee.relative), isBound(header.pointee.absolute) else {
      throw Refusal(
        WHERRY_BAD_MODEL, at: section.offset &+ 8, "a tolerance is negative or not finite")
    }
  }

  /// The bytes of one tensor of one case.
  func data(
    _ session: SessionPointer, _ record: Int, _ tensor: Int
  ) throws(Refusal) -> UnsafeRawPointer {
    let place = records + record
    let (end, overflow) = place.pointee.offset.addingReportingOverflow(place.pointee.bytes)
    guard !overflow, end <= size, place.pointee.offset & UInt64(WH_ALIGNMENT - 1) == 0,
      place.pointee.bytes == session.pointee.plan.tensors[tensor].bytes
    else {
      var refusal = Refusal(
        WHERRY_BAD_MODEL, at: session.pointee.plan.offset(of: place),
        "a self-test tensor is misaligned, outside its section or of another size")
      refusal.tensor = Int32(truncatingIfNeeded: tensor)
      throw refusal
    }
    return start + Int(truncatingIfNeeded: place.pointee.offset)
  }

  private func isBound(_ value: Float) -> Bool {
    value >= 0 && value <= Float.greatestFiniteMagnitude
  }
}

@c @implementation
public func wherry_self_test(
  _ session: OpaquePointer!, _ error: UnsafeMutablePointer<wherry_error>!
) -> wherry_status {
  if let error, Int(error.pointee.size) < MemoryLayout<wherry_error>.size {
    return wherry_status(WHERRY_BAD_ARGUMENT)
  }
  let status = onSession(session) { (session) throws(Refusal) in
    guard let tests = session.pointee.tests, tests.header.pointee.case_count > 0 else {
      throw Refusal(WHERRY_NO_TEST, "the file holds no self-test vectors")
    }
    defer { clearState(session) }
    for index in 0..<Int(truncatingIfNeeded: tests.header.pointee.case_count) {
      try runCase(session, tests, index)
    }
  }
  if status != WHERRY_OK, let error { _ = wherry_last_error(session, error) }
  return status
}

private func runCase(
  _ session: SessionPointer, _ tests: TestVectors, _ index: Int
) throws(Refusal) {
  let plan = session.pointee.plan
  let first = index &* (plan.inputCount &+ plan.outputCount)
  clearState(session)
  for input in 0..<plan.inputCount {
    let tensor = plan.input(input)
    let data = try tests.data(session, first &+ input, tensor)
    copy(
      data, to: session.pointee.tensors[tensor].data,
      Int(truncatingIfNeeded: plan.tensors[tensor].bytes))
  }
  try invoke(session)
  for output in 0..<plan.outputCount {
    let tensor = plan.output(output)
    let expected = try tests.data(session, first &+ plan.inputCount &+ output, tensor)
    let bound = ElementComparison(
      element: plan.tensors[tensor].element, relative: Double(tests.header.pointee.relative),
      absolute: Double(tests.header.pointee.absolute))
    let actual = UnsafeRawPointer(session.pointee.tensors[tensor].data!)
    guard
      let element = bound.firstDifference(
        actual, expected, bytes: Int(truncatingIfNeeded: plan.tensors[tensor].bytes))
    else { continue }
    var refusal = Refusal(
      WHERRY_TEST_FAILED, at: plan.offset(of: expected + element &* bound.size),
      "differs from the expected value")
    refusal.tensor = Int32(truncatingIfNeeded: tensor)
    refusal.test = TestPlace(
      index: UInt32(truncatingIfNeeded: index), output: UInt32(truncatingIfNeeded: output),
      element: UInt32(truncatingIfNeeded: element))
    throw refusal
  }
}

/// How an output's elements compare with the expected ones.
private struct ElementComparison {
  let element: UInt32
  let relative, absolute: Double

  var size: Int { Int(truncatingIfNeeded: elementSize(element)) }

  /// The index of the first element that differs, or nil.
  func firstDifference(
    _ actual: UnsafeRawPointer, _ expected: UnsafeRawPointer, bytes: Int
  ) -> Int? {
    let size = size
    var at = 0
    while at < bytes {
      guard isSame(actual + at, expected + at, size) || isClose(actual + at, expected + at) else {
        return at / size
      }
      at &+= size
    }
    return nil
  }

  private func isSame(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ size: Int) -> Bool {
    for index in 0..<size
    where a.load(fromByteOffset: index, as: UInt8.self)
      != b.load(fromByteOffset: index, as: UInt8.self)
    {
      return false
    }
    return true
  }

  /// Floats within the tolerance; two NaNs are close, whatever their bits.
  private func isClose(_ actual: UnsafeRawPointer, _ expected: UnsafeRawPointer) -> Bool {
    guard let a = double(actual), let b = double(expected) else { return false }
    if a == b || (a.isNaN && b.isNaN) { return true }
    return (a - b).magnitude <= absolute + relative * b.magnitude && b.isFinite
  }

  private func double(_ value: UnsafeRawPointer) -> Double? {
    switch Int(truncatingIfNeeded: element) {
    case WH_FLOAT32: Double(value.load(as: Float.self))
    case WH_FLOAT64: value.load(as: Double.self)
    case WH_FLOAT16: decodeFloat16(value.load(as: UInt16.self))
    default: nil
    }
  }
}

/// IEEE 754 binary16 by arithmetic: not every target has the conversion in hardware or libgcc.
private func decodeFloat16(_ bits: UInt16) -> Double {
  let exponent = Int(bits &>> 10 & 31)
  let fraction = Double(bits & 1023)
  var magnitude: Double
  if exponent == 31 {
    magnitude = fraction == 0 ? .infinity : .nan
  } else {
    magnitude = exponent == 0 ? fraction : fraction + 1024
    // 2^(exponent - 25), built from its bits.
    let scale = UInt64(truncatingIfNeeded: max(exponent, 1) &- 25 &+ 1023) &<< 52
    magnitude *= Double(bitPattern: scale)
  }
  return bits &>> 15 == 0 ? magnitude : -magnitude
}
