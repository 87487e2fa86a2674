import CWherryABI

/// Why the runtime refused a file or a call.
public struct RuntimeError: Error, Equatable, Sendable {
  /// What kind of failure; the numbers of `wherry_status`.
  public enum Status: Int32, Sendable {
    case badArgument = 1
    case notAModel, badVersion, truncated, badModel, noPlan, unsupported, noMemory, badSize
    case badValue, badDigest, testFailed, noTest, noThread
  }

  public var status: Status
  /// Byte offset in the file, if the failure has one.
  public var offset: UInt64?
  /// Index of the operation in the plan, if the failure has one.
  public var operation: Int?
  /// Index of the tensor in the plan, if the failure has one.
  public var tensor: Int?
  /// One line of English.
  public var text: String
}

extension RuntimeError: CustomStringConvertible {
  /// One line: text, then the place.
  public var description: String {
    var line = "\(text) (\(status)"
    if let operation { line += ", operation \(operation)" }
    if let tensor { line += ", tensor \(tensor)" }
    if let offset { line += ", byte \(offset)" }
    return line + ")"
  }
}

extension RuntimeError {
  init(_ error: wherry_error) {
    status = Status(rawValue: error.status) ?? .badArgument
    offset = error.offset == .max ? nil : error.offset
    operation = error.operation < 0 ? nil : Int(error.operation)
    tensor = error.tensor < 0 ? nil : Int(error.tensor)
    text = withUnsafeBytes(of: error.text) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Throws the error that a call filled unless its status is `WHERRY_OK`.
  static func check(
    _ call: (inout wherry_error) -> wherry_status
  ) throws(RuntimeError) {
    var error = wherry_error()
    error.size = UInt32(MemoryLayout<wherry_error>.size)
    let status = call(&error)
    guard status == wherry_status(WHERRY_OK) else {
      error.status = status
      throw RuntimeError(error)
    }
  }
}
