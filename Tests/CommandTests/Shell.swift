import Foundation

/// Runs the built command as a shell would.
enum Shell {
  struct Result {
    let status: Int32
    let output: Data
    let errors: String
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  static let command = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appending(path: "wherry")
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "fixtures")
  static let digits = fixtures.appending(path: "models/digits_cnn.onnx").path

  static func wherry(_ arguments: String..., input: Data? = nil) throws -> Result {
    try run(arguments, input: input)
  }

  static func run(_ arguments: [String], input: Data? = nil) throws -> Result {
    let process = Process()
    process.executableURL = command
    process.arguments = arguments
    let (output, errors, source) = (Pipe(), Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = source
    try process.run()
    // Each pipe is drained while the others move, so none fills up and stops the process.
    let writer = Thread {
      try? source.fileHandleForWriting.write(contentsOf: input ?? Data())
      try? source.fileHandleForWriting.close()
    }
    writer.start()
    let collected = Collected()
    let done = DispatchSemaphore(value: 0)
    let reader = Thread {
      collected.errors = errors.fileHandleForReading.readDataToEndOfFile()
      done.signal()
    }
    reader.start()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    done.wait()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: text,
      errors: String(decoding: collected.errors, as: UTF8.self))
  }

  private final class Collected: @unchecked Sendable {
    var errors = Data()
  }

  /// A folder that is gone after `body`.
  static func inFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "wherry-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
