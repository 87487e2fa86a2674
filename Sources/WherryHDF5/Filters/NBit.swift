/// Undoes the n-bit filter, which stores only the bits of each number that the type says are its own.
///
/// - Source: HDF5 filter 5.
struct NBit {
  /// How one element, or a part of it, was packed.
  private indirect enum Form {
    case number(size: Int, isBig: Bool, precision: Int, offset: Int)
    case bytes(Int)
    case array(Form, count: Int, stride: Int)
    case compound([(offset: Int, form: Form)])
  }

  private let form: Form
  private let size: Int
  private let elements: Int
  private let isIdle: Bool

  init(_ parameters: [UInt32]) throws(FilterFailure) {
    var parser = Parser(parameters)
    _ = try parser.next()
    isIdle = try parser.next() != 0
    elements = try parser.next()
    guard !isIdle else {
      (form, size) = (.bytes(0), 0)
      return
    }
    let kind = try parser.next()
    size = try parser.peek()
    guard size > 0 else { throw .invalid("parameters of the n-bit filter") }
    form = try parser.form(kind, within: size, depth: 50)
  }

  private struct Parser {
    private let parameters: [UInt32]
    private var at = 0

    init(_ parameters: [UInt32]) { self.parameters = parameters }

    func peek() throws(FilterFailure) -> Int {
      guard at < parameters.count else { throw .invalid("parameters of the n-bit filter") }
      return Int(parameters[at])
    }

    mutating func next() throws(FilterFailure) -> Int {
      let value = try peek()
      at += 1
      return value
    }

    /// The form of a part that takes at most `room` bytes; its size comes first.
    mutating func form(
      _ kind: Int, within room: Int, depth: Int
    ) throws(FilterFailure) -> Form {
      let size = try next()
      guard size > 0, size <= room, depth > 0 else {
        throw .invalid("parameters of the n-bit filter")
      }
      switch kind {
      case 1: return try number(size)
      case 2:
        let base = try next()
        // A base without a form of its own is packed as whole bytes.
        if base == 4 {
          _ = try next()
          return .bytes(size)
        }
        let stride = try peek()
        let form = try form(base, within: size, depth: depth - 1)
        return .array(form, count: size / stride, stride: stride)
      case 3:
        var members: [(Int, Form)] = []
        for _ in 0..<(try next()) {
          let offset = try next()
          guard offset < size else { throw .invalid("parameters of the n-bit filter") }
          let kind = try next()
          members.append((offset, try form(kind, within: size - offset, depth: depth - 1)))
        }
        return .compound(members)
      case 4: return .bytes(size)
      default: throw .invalid("parameters of the n-bit filter")
      }
    }

    private mutating func number(_ size: Int) throws(FilterFailure) -> Form {
      let isBig = try next() == 1
      let precision = try next()
      let offset = try next()
      guard precision > 0, precision + offset <= 8 * size else {
        throw .invalid("parameters of the n-bit filter")
      }
      return .number(size: size, isBig: isBig, precision: precision, offset: offset)
    }
  }

  /// - Returns: the bytes written; at most `output.count`.
  func undo(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(FilterFailure) -> Int {
    if isIdle {
      guard input.count <= output.count else { throw .size(input.count) }
      output.copyMemory(from: input)
      return input.count
    }
    output.initializeMemory(as: UInt8.self, repeating: 0)
    var cursor = BitCursor(input)
    let count = min(elements, output.count / size)
    for index in 0..<count { try unpack(form, &cursor, output, at: index * size) }
    return count * size
  }

  private func unpack(
    _ form: Form, _ cursor: inout BitCursor, _ output: UnsafeMutableRawBufferPointer, at start: Int
  ) throws(FilterFailure) {
    switch form {
    case .number(let size, let isBig, let precision, let offset):
      // From the number's highest byte down.
      for byte in stride(from: (offset + precision - 1) / 8, through: offset / 8, by: -1) {
        let low = max(0, offset - 8 * byte)
        let bits = min(8, offset + precision - 8 * byte) - low
        let value = UInt8(truncatingIfNeeded: try cursor.take(bits) << UInt64(low))
        output[start + (isBig ? size - 1 - byte : byte)] = value
      }
    case .bytes(let count):
      for index in 0..<count { output[start + index] = UInt8(try cursor.take(8)) }
    case .array(let base, let count, let stride):
      for index in 0..<count { try unpack(base, &cursor, output, at: start + index * stride) }
    case .compound(let members):
      for member in members { try unpack(member.form, &cursor, output, at: start + member.offset) }
    }
  }
}
