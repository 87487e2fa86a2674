import CWherryABI

/// Why a call fails: the content of a `wherry_error` before it is written to the caller's memory.
struct Refusal: Error, @unchecked Sendable {
  var status: wherry_status
  /// Index in the plan, or -1.
  var operation: Int32 = -1
  /// Index in the plan, or -1.
  var tensor: Int32 = -1
  /// Byte offset in the file, or `UInt64.max`.
  var offset = UInt64.max
  /// What is refused, put before the text with a colon; such as the operator's name.
  var subject: UnsafePointer<CChar>?
  var text: UnsafePointer<CChar>
  /// Where a self test failed.
  var test: TestPlace?

  init(_ status: Int, _ text: StaticString) {
    self.status = wherry_status(truncatingIfNeeded: status)
    self.text = cString(text)
  }

  init(_ status: Int, at offset: UInt64, _ text: StaticString) {
    self.init(status, text)
    self.offset = offset
  }

  /// Writes everything but `size`, which is the caller's.
  func fill(_ error: UnsafeMutablePointer<wherry_error>) {
    error.pointee.status = status
    error.pointee.offset = offset
    error.pointee.operation = operation
    error.pointee.tensor = tensor
    withUnsafeMutableBytes(of: &error.pointee.text) { bytes in
      var line = TextLine(bytes)
      if let test {
        line.append("case ")
        line.append(test.index)
        line.append(", output ")
        line.append(test.output)
        line.append(", element ")
        line.append(test.element)
        line.append(": ")
      }
      if let subject {
        line.append(cString: subject)
        line.append(": ")
      }
      line.append(cString: text)
    }
  }
}

/// One element of one output of one self-test case.
struct TestPlace {
  var index, output, element: UInt32
}

/// A NUL-terminated line in memory of fixed size; what does not fit is cut off.
struct TextLine {
  private let bytes: UnsafeMutableRawBufferPointer
  private var count = 0

  /// Needs at least one byte, for the NUL.
  init(_ bytes: UnsafeMutableRawBufferPointer) {
    self.bytes = bytes
    terminate()
  }

  mutating func append(_ text: StaticString) {
    append(cString: cString(text))
  }

  @inline(never)
  mutating func append(cString text: UnsafePointer<CChar>) {
    var next = text
    while next.pointee != 0 {
      put(UInt8(bitPattern: next.pointee))
      next += 1
    }
    terminate()
  }

  @inline(never)
  mutating func append(_ number: UInt32) {
    var power: UInt32 = 1
    while number / power >= 10 { power &*= 10 }
    while power > 0 {
      put(UInt8(truncatingIfNeeded: 48 &+ number / power % 10))
      power /= 10
    }
    terminate()
  }

  private mutating func put(_ byte: UInt8) {
    guard count &+ 1 < bytes.count else { return }
    bytes[count] = byte
    count &+= 1
  }

  private func terminate() { bytes[count] = 0 }
}

/// Runs the body of a public function and reports its refusal through status and error.
func reporting(
  to error: UnsafeMutablePointer<wherry_error>?, _ body: () throws(Refusal) -> Void
) -> wherry_status {
  if let error, Int(error.pointee.size) < MemoryLayout<wherry_error>.size {
    return wherry_status(WHERRY_BAD_ARGUMENT)
  }
  do throws(Refusal) {
    try body()
    return wherry_status(WHERRY_OK)
  } catch let refusal {
    if let error { refusal.fill(error) }
    return refusal.status
  }
}
