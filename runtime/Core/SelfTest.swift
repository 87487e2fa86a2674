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

  /// What stands for a tensor's data: a seed for an input, a sum for an output; nil when they are there.
  func number(_ record: Int, _ tensor: UnsafePointer<wh_tensor_record>) -> UInt64? {
    records[record].bytes == 0 && tensor.pointee.bytes != 0 ? records[record].offset : nil
  }

  /// The bytes of one tensor of one case, or of some of its elements where samples are allowed.
  func data(
    _ session: SessionPointer, _ record: Int, _ tensor: Int, isSample: Bool
  ) throws(Refusal) -> UnsafeRawPointer {
    let place = records + record
    let all = session.pointee.plan.tensors[tensor].bytes
    let (end, overflow) = place.pointee.offset.addingReportingOverflow(place.pointee.bytes)
    guard !overflow, end <= size, place.pointee.offset & UInt64(WH_ALIGNMENT - 1) == 0,
      place.pointee.bytes == all || isSample && place.pointee.bytes < all
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
  _ session: SessionPointer, _ tests: TestVectors, _ caseIndex: Int
) throws(Refusal) {
  let plan = session.pointee.plan
  let first = caseIndex &* (plan.inputCount &+ plan.outputCount)
  clearState(session)
  for input in 0..<plan.inputCount {
    let tensor = plan.input(input)
    let record = plan.tensors + tensor
    let bytes = Int(truncatingIfNeeded: record.pointee.bytes)
    guard let target = session.pointee.tensors[tensor].data else { continue }
    if let seed = tests.number(first &+ input, record) {
      fill(target, bytes, record.pointee.element, seed)
    } else {
      copy(try tests.data(session, first &+ input, tensor, isSample: false), to: target, bytes)
    }
  }
  try invoke(session)
  for output in 0..<plan.outputCount {
    let tensor = plan.output(output)
    let record = plan.tensors + tensor
    let bytes = Int(truncatingIfNeeded: record.pointee.bytes)
    guard let actual = session.pointee.tensors[tensor].data else { continue }
    let index = first &+ plan.inputCount &+ output
    var place = UnsafeRawPointer(tests.records + index)
    var different: Int?
    if let sum = tests.number(index, record) {
      if sum != checksum(actual, bytes) { different = 0 }
    } else {
      place = try tests.data(session, index, tensor, isSample: true)
      let bound = ElementComparison(
        element: record.pointee.element, relative: Double(tests.header.pointee.relative),
        absolute: Double(tests.header.pointee.absolute))
      let stored = Int(truncatingIfNeeded: tests.records[index].bytes) / bound.size
      // Elements between those that are compared.
      let step = stored > 0 ? bytes / bound.size / stored : 1
      if let found = bound.firstDifference(actual, place, stored, step) {
        different = found &* step
        place += found &* bound.size
      }
    }
    guard let element = different else { continue }
    var refusal = Refusal(
      WHERRY_TEST_FAILED, at: plan.offset(of: place), "differs from the expected value")
    refusal.tensor = Int32(truncatingIfNeeded: tensor)
    refusal.test = TestPlace(
      index: UInt32(truncatingIfNeeded: caseIndex), output: UInt32(truncatingIfNeeded: output),
      element: UInt32(truncatingIfNeeded: element))
    throw refusal
  }
}

/// Pseudo-random float32 of -1 ..< 1, other elements byte by byte; file.h says which.
private func fill(
  _ target: UnsafeMutableRawPointer, _ bytes: Int, _ element: UInt32, _ seed: UInt64
) {
  let isFloat = element == UInt32(WH_FLOAT32)
  var state = seed
  var at = 0
  while at < bytes {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    if isFloat {
      let value = Int32(truncatingIfNeeded: state &>> 32) &>> 8
      target.storeBytes(of: Float(value) * 0x1p-23, toByteOffset: at, as: Float.self)
      at &+= 4
    } else {
      target.storeBytes(
        of: UInt8(truncatingIfNeeded: state &>> 56), toByteOffset: at, as: UInt8.self)
      at &+= 1
    }
  }
}

/// FNV-1a of 64 bits.
private func checksum(_ data: UnsafeRawPointer, _ bytes: Int) -> UInt64 {
  var sum: UInt64 = 0xCBF2_9CE4_8422_2325
  for at in 0..<bytes {
    sum = (sum ^ UInt64(data.load(fromByteOffset: at, as: UInt8.self))) &* 0x100_0000_01B3
  }
  return sum
}

/// How an output's elements compare with the expected ones.
private struct ElementComparison {
  let element: UInt32
  let relative, absolute: Double

  var size: Int { Int(truncatingIfNeeded: elementSize(element)) }

  /// The index of the first expected element that differs from every `step`th actual one, or nil.
  func firstDifference(
    _ actual: UnsafeRawPointer, _ expected: UnsafeRawPointer, _ count: Int, _ step: Int
  ) -> Int? {
    let size = size
    for index in 0..<count {
      let (a, b) = (actual + index &* step &* size, expected + index &* size)
      guard isSame(a, b, size) || isClose(a, b) else { return index }
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
