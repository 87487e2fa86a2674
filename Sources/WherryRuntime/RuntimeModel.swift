import CWherryABI
import WherryCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A native model file opened for running on this processor.
///
/// A thin face of the C ABI: one instance is one session, to be used by one thread at a time; several
/// may share the same bytes. The file is verified once, by `init`, and used where it lies.
///
///     let model = try RuntimeModel(bytes, owner: file)
///     let outputs = try model.run(inputs: [pixels])
public final class RuntimeModel {
  public let info: RuntimeInfo
  public let inputs: [RuntimeTensor]
  public let outputs: [RuntimeTensor]
  private let session: OpaquePointer
  private let memory: UnsafeMutableRawPointer
  private let owner: AnyObject?

  /// How to open a model; see `wherry_options`.
  public struct Options: Sendable {
    /// `WHERRY_CPU_…` bits that must not be used; `~0` leaves what the library is compiled for.
    public var forbiddenCPU: UInt32 = 0
    /// Also recompute every checksum, reading the whole file.
    public var checkDigests = false
    /// Measure every operation, for `profile()`.
    public var profile = false
    /// Threads that share an invocation's large operations, the caller's included; at most 16.
    public var threads = 1

    public init() {}
  }

  /// Verifies a file and opens a session on it.
  /// - Parameters:
  ///   - bytes: the whole file, at a multiple of 64; must stay unchanged while the model lives.
  ///   - owner: kept alive with the model; what owns `bytes`.
  /// - Throws: every status but bad size, bad value, test failed and no test.
  public init(
    _ bytes: UnsafeRawBufferPointer, owner: AnyObject? = nil, options: Options = Options()
  ) throws(RuntimeError) {
    let info = try Self.info(of: bytes)
    self.info = info
    self.owner = owner
    guard let size = Int(exactly: info.sessionBytes), size <= Int.max / 2,
      let memory = aligned_alloc(64, max(size, 64))
    else {
      throw RuntimeError(status: .noMemory, text: "no memory for \(info.sessionBytes) bytes")
    }
    var choices = wherry_options()
    choices.size = UInt32(MemoryLayout<wherry_options>.size)
    choices.cpu_mask = options.forbiddenCPU
    choices.check_digests = options.checkDigests ? 1 : 0
    choices.profile = options.profile ? 1 : 0
    choices.threads = UInt32(clamping: options.threads)
    choices.clock = { monotonicNanoseconds() }
    var opened: OpaquePointer?
    do throws(RuntimeError) {
      try RuntimeError.check { error in
        wherry_open(bytes.baseAddress, bytes.count, memory, size, &choices, &opened, &error)
      }
    } catch {
      free(memory)
      throw error
    }
    guard let session = opened else {
      free(memory)
      throw RuntimeError(status: .badArgument, text: "no session")
    }
    self.memory = memory
    self.session = session
    inputs = (0..<info.inputCount).map { index in
      RuntimeTensor(Self.describe { wherry_input(session, UInt32(index), &$0) }, labels: [])
    }
    outputs = (0..<info.outputCount).map { index in
      let tensor = Self.describe { wherry_output(session, UInt32(index), &$0) }
      return RuntimeTensor(
        tensor, labels: Self.labels(session, UInt32(index), Int(tensor.label_count)))
    }
  }

  deinit {
    wherry_close(session)
    free(memory)
  }

  /// The figures of a file, verified without opening it.
  /// - Throws: bad argument, not a model, truncated, bad version, no plan, unsupported, bad model.
  public static func info(of bytes: UnsafeRawBufferPointer) throws(RuntimeError) -> RuntimeInfo {
    var info = wherry_info()
    info.size = UInt32(MemoryLayout<wherry_info>.size)
    try RuntimeError.check { wherry_check(bytes.baseAddress, bytes.count, &info, &$0) }
    return RuntimeInfo(info)
  }

  /// Recomputes every checksum of a file.
  /// - Throws: bad digest; bad argument, not a model, truncated, bad version, bad model.
  public static func verifyDigests(_ bytes: UnsafeRawBufferPointer) throws(RuntimeError) {
    try RuntimeError.check { wherry_verify(bytes.baseAddress, bytes.count, &$0) }
  }

  /// Runs the model once.
  /// - Parameter inputs: the bytes of every input in order, each exactly its tensor's size.
  /// - Returns: the bytes of every output in order.
  /// - Throws: bad argument for a wrong number of inputs, bad size, bad value.
  public func run(inputs: [UnsafeRawBufferPointer]) throws(RuntimeError) -> [[UInt8]] {
    guard inputs.count == self.inputs.count else {
      throw RuntimeError(
        status: .badArgument, text: "\(inputs.count) inputs for \(self.inputs.count)")
    }
    for (index, bytes) in inputs.enumerated() { try setInput(index, bytes) }
    try invoke()
    return outputs.indices.map { [UInt8](output($0)) }
  }

  /// Copies the bytes of one input in.
  /// - Throws: bad argument when there is no such input, bad size.
  public func setInput(_ index: Int, _ bytes: UnsafeRawBufferPointer) throws(RuntimeError) {
    try call { wherry_set_input($0, UInt32(clamping: index), bytes.baseAddress, bytes.count) }
  }

  /// Runs the model on the inputs set before.
  /// - Throws: bad value.
  public func invoke() throws(RuntimeError) {
    try call { wherry_invoke($0) }
  }

  /// The memory of one output, valid until the next run; empty when there is no such output.
  public func output(_ index: Int) -> UnsafeRawBufferPointer {
    guard outputs.indices.contains(index) else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    let data = wherry_output_data(session, UInt32(index))
    return UnsafeRawBufferPointer(start: data, count: outputs[index].bytes)
  }

  /// Runs the file's self-test vectors.
  /// - Throws: test failed, naming case, output and element; no test, bad model, bad value.
  public func selfTest() throws(RuntimeError) {
    try call { wherry_self_test($0, nil) }
  }

  /// Zeroes the state that is kept between runs.
  public func reset() { wherry_reset(session) }

  /// What each operation cost so far, in plan order.
  /// - Throws: bad argument if the model was opened without `Options.profile`.
  public func profile() throws(RuntimeError) -> [RuntimeProfile] {
    var rows: [RuntimeProfile] = []
    for index in 0..<info.operationCount {
      var row = wherry_profile()
      row.size = UInt32(MemoryLayout<wherry_profile>.size)
      try call { wherry_profile_of($0, UInt32(index), &row) }
      rows.append(
        RuntimeProfile(
          name: String(cString: row.name), kernel: String(cString: row.kernel),
          runs: Int(row.invocations), nanoseconds: row.nanoseconds))
    }
    return rows
  }

  /// Calls the session and throws its last error.
  private func call(_ body: (OpaquePointer) -> wherry_status) throws(RuntimeError) {
    let status = body(session)
    guard status != wherry_status(WHERRY_OK) else { return }
    try RuntimeError.check { error in
      _ = wherry_last_error(session, &error)
      return status
    }
  }

  private static func describe(
    _ body: (inout wherry_tensor) -> wherry_status
  ) -> wherry_tensor {
    var tensor = wherry_tensor()
    tensor.size = UInt32(MemoryLayout<wherry_tensor>.size)
    _ = body(&tensor)
    return tensor
  }

  /// Labels follow each other in the file, so one look-up and a walk serve them all.
  private static func labels(
    _ session: OpaquePointer, _ output: UInt32, _ count: Int
  ) -> [String] {
    guard count > 0, var text = wherry_label(session, output, 0) else { return [] }
    return (0..<count).map { _ in
      let label = String(cString: text)
      text += strlen(text) + 1
      return label
    }
  }
}

extension RuntimeError {
  fileprivate init(status: Status, text: String) {
    self.status = status
    self.text = text
  }
}

private func monotonicNanoseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
