import CWherryABI
import WherryCore

/// Why the runtime refused a model or a call.
public struct RuntimeError: Error, Sendable, CustomStringConvertible {
  /// A `WHERRY_` status.
  public let status: Int32
  /// Byte offset in the file; nil when the fault is elsewhere.
  public let offset: UInt64?
  /// Index of the operation in the plan.
  public let operation: Int?
  /// Index of the tensor in the plan.
  public let tensor: Int?
  public let text: String

  init(_ status: Int32, _ error: wherry_error) {
    self.status = status
    offset = error.offset == .max ? nil : error.offset
    operation = error.operation < 0 ? nil : Int(error.operation)
    tensor = error.tensor < 0 ? nil : Int(error.tensor)
    let said = withUnsafeBytes(of: error.text) { raw in
      String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
    text = said.isEmpty ? String(cString: wherry_status_text(status)) : said
  }

  public var description: String {
    var places: [String] = []
    if let offset { places.append("byte \(offset)") }
    if let operation { places.append("operation \(operation)") }
    if let tensor { places.append("tensor \(tensor)") }
    return (places.isEmpty ? "" : places.joined(separator: ", ") + ": ") + text
  }
}

/// One open model in the runtime: the C ABI as Swift sees it. Used by one thread at a time.
public final class RuntimeSession {
  /// An input or output.
  public struct TensorInfo: Sendable {
    public let name: String
    /// ONNX's element type code.
    public let element: Int32
    public let shape: [Int]
    public let byteCount: Int
    public let labels: [String]
  }

  /// Sizes and counts of the model; bytes unless said otherwise.
  public struct Facts: Sendable {
    public let operations, macs, arenaBytes, sessionBytes, stateBytes, weightBytes, testCases: Int
  }

  /// What one operation cost on average, in microseconds.
  public struct OperationTime: Sendable {
    public let name, kernel: String
    public let microseconds: Double
  }

  public let inputs: [TensorInfo]
  public let outputs: [TensorInfo]
  public let facts: Facts
  private let owner: any Sendable
  private let memory: UnsafeMutableRawPointer
  private let session: OpaquePointer

  /// Verifies and opens a native file in memory.
  ///
  /// - Parameters:
  ///   - bytes: the file, 64-byte aligned; must stay as it is while the session lives.
  ///   - owner: kept alive as long as the session.
  ///   - cpuMask: `WHERRY_CPU_` bits of instruction sets not to use.
  ///   - profile: whether every operation is timed.
  /// - Throws: `RuntimeError` with the byte offset or operation at fault.
  public init(
    _ bytes: UnsafeRawBufferPointer, owner: any Sendable, cpuMask: UInt32 = 0, profile: Bool = false
  ) throws(RuntimeError) {
    var error = wherry_error()
    error.size = UInt32(MemoryLayout<wherry_error>.size)
    var info = wherry_info()
    info.size = UInt32(MemoryLayout<wherry_info>.size)
    let checked = wherry_check(bytes.baseAddress, bytes.count, &info, &error)
    guard checked == WHERRY_OK else { throw RuntimeError(checked, error) }
    memory = .allocate(byteCount: Int(info.session_bytes), alignment: 64)
    var options = wherry_options()
    options.size = UInt32(MemoryLayout<wherry_options>.size)
    options.cpu_mask = cpuMask
    options.profile = profile ? 1 : 0
    options.clock = { RuntimeClock.nanoseconds() }
    var opened: OpaquePointer?
    let status = wherry_open(
      bytes.baseAddress, bytes.count, memory, Int(info.session_bytes), &options, &opened, &error)
    guard status == WHERRY_OK, let opened else {
      memory.deallocate()
      throw RuntimeError(status, error)
    }
    session = opened
    self.owner = owner
    inputs = (0..<info.input_count).map { Self.describe(opened, $0, isInput: true) }
    outputs = (0..<info.output_count).map { Self.describe(opened, $0, isInput: false) }
    facts = Facts(
      operations: Int(info.operation_count), macs: Int(info.macs), arenaBytes: Int(info.arena_bytes),
      sessionBytes: Int(info.session_bytes), stateBytes: Int(info.state_bytes),
      weightBytes: Int(info.weight_bytes), testCases: Int(info.test_count))
  }

  private static func describe(_ session: OpaquePointer, _ index: UInt32, isInput: Bool) -> TensorInfo {
    var tensor = wherry_tensor()
    tensor.size = UInt32(MemoryLayout<wherry_tensor>.size)
    _ = isInput ? wherry_input(session, index, &tensor) : wherry_output(session, index, &tensor)
    let shape = withUnsafeBytes(of: tensor.dims) { raw in
      raw.bindMemory(to: Int32.self).prefix(Int(min(tensor.rank, 8))).map { Int($0) }
    }
    let labels = (0..<tensor.label_count).compactMap { label in
      wherry_label(session, index, label).map { String(cString: $0) }
    }
    return TensorInfo(
      name: tensor.name.map { String(cString: $0) } ?? "", element: tensor.element, shape: shape,
      byteCount: Int(tensor.bytes), labels: isInput ? [] : labels)
  }

  /// Copies an input's bytes in.
  ///
  /// - Throws: `RuntimeError` when there is no such input or the size is another.
  public func setInput(_ index: Int, _ bytes: UnsafeRawBufferPointer) throws(RuntimeError) {
    try check(wherry_set_input(session, UInt32(clamping: index), bytes.baseAddress, bytes.count))
  }

  /// Runs the model once.
  ///
  /// - Throws: `RuntimeError` when an input's values leave an operator's domain.
  public func invoke() throws(RuntimeError) { try check(wherry_invoke(session)) }

  /// Copies an output's bytes out.
  ///
  /// - Throws: `RuntimeError` when there is no such output or the size is another.
  public func getOutput(_ index: Int, into target: UnsafeMutableRawBufferPointer) throws(RuntimeError) {
    try check(wherry_get_output(session, UInt32(clamping: index), target.baseAddress, target.count))
  }

  /// Runs the file's self-test vectors.
  ///
  /// - Throws: `RuntimeError` naming the case and output that differ.
  public func selfTest() throws(RuntimeError) {
    var error = wherry_error()
    error.size = UInt32(MemoryLayout<wherry_error>.size)
    let status = wherry_self_test(session, &error)
    guard status == WHERRY_OK else { throw RuntimeError(status, error) }
  }

  /// What each operation cost; zeros unless the session was opened to profile.
  public var profile: [OperationTime] {
    (0..<facts.operations).map { index in
      var entry = wherry_profile()
      entry.size = UInt32(MemoryLayout<wherry_profile>.size)
      _ = wherry_profile_of(session, UInt32(index), &entry)
      return OperationTime(
        name: entry.name.map { String(cString: $0) } ?? "",
        kernel: entry.kernel.map { String(cString: $0) } ?? "",
        microseconds: Double(entry.nanoseconds) / 1e3 / Double(max(entry.invocations, 1)))
    }
  }

  private func check(_ status: Int32) throws(RuntimeError) {
    guard status != WHERRY_OK else { return }
    var error = wherry_error()
    error.size = UInt32(MemoryLayout<wherry_error>.size)
    _ = wherry_last_error(session, &error)
    throw RuntimeError(status, error)
  }

  deinit {
    wherry_close(session)
    memory.deallocate()
  }
}
