import Glibc
import WherryBytes
import WherryGraph

/// Tensors that lie in files beside the model, inside its folder.
///
/// - Source: ONNX IR specification, "External Tensor Data".
final class ExternalDataReader {
  private let folder: String?
  private var files: [String: Bytes] = [:]

  /// - Parameter path: the model's path; nil for a model without a folder.
  init(path: String?) {
    folder = path.map { path in
      guard let slash = path.lastIndex(of: "/") else { return "." }
      return slash == path.startIndex ? "/" : String(path[..<slash])
    }
  }

  /// The bytes that a tensor's `external_data` names, mapped.
  ///
  /// - Parameter size: bytes the tensor needs.
  /// - Throws: `escapingPath` for a path that leaves the folder or goes through a link, `file`,
  ///   `truncated`, `invalid`, `missing`.
  func read(
    _ properties: [Property], size: Int
  ) throws(ExternalDataProblem) -> Bytes {
    guard let location = properties.last(where: { $0.key == "location" })?.value else {
      throw ExternalDataProblem(.missing("location"))
    }
    let file = try open(location)
    let offset = try number("offset", properties) ?? 0
    let length = try number("length", properties) ?? size
    guard length == size else {
      throw ExternalDataProblem(.inconsistent("\(length) bytes for a tensor of \(size)"))
    }
    guard let end = Checked.add(offset, length), let bytes = file.slice(offset..<max(offset, end))
    else {
      let left = max(0, file.count - min(offset, file.count))
      throw ExternalDataProblem(.truncated(needed: length, available: left))
    }
    return bytes
  }

  private func number(
    _ key: String, _ properties: [Property]
  ) throws(ExternalDataProblem) -> Int? {
    guard let text = properties.last(where: { $0.key == key })?.value else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw ExternalDataProblem(.invalid("\(key) \"\(text)\""))
    }
    return number
  }

  private func open(_ location: String) throws(ExternalDataProblem) -> Bytes {
    if let file = files[location] { return file }
    let steps = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !steps.isEmpty, steps.allSatisfy({ !$0.isEmpty && $0 != ".." }) else {
      throw ExternalDataProblem(.escapingPath(location))
    }
    guard let folder else {
      throw ExternalDataProblem(.unsupported("external data of a model without a path"))
    }
    do throws(FileError) {
      let file = try Bytes(mapping: steps.filter { $0 != "." }.map(String.init), within: folder)
      files[location] = file
      return file
    } catch {
      // The kernel refuses a link with one of these.
      if case .system(ELOOP) = error.reason { throw ExternalDataProblem(.escapingPath(location)) }
      throw ExternalDataProblem(.file(error))
    }
  }
}

struct ExternalDataProblem: Error {
  let reason: DecodeError.Reason
  init(_ reason: DecodeError.Reason) { self.reason = reason }
}

extension Bytes {
  /// The content of a regular file some steps inside a folder; no step may be a symbolic link.
  ///
  /// - Throws: `FileError`; `.system(ELOOP)` for a link.
  init(mapping steps: [String], within folder: String) throws(FileError) {
    let path = ([folder] + steps).joined(separator: "/")
    var descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(.notFound, path: folder) }
    defer { close(descriptor) }
    for (index, step) in steps.enumerated() {
      var status = stat()
      guard fstatat(descriptor, step, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        throw FileError(errno == ENOENT ? .notFound : .system(errno: errno), path: path)
      }
      guard status.st_mode & S_IFMT != S_IFLNK else {
        throw FileError(.system(errno: ELOOP), path: path)
      }
      let isLast = index == steps.count - 1
      let next = openat(
        descriptor, step,
        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (isLast ? 0 : O_DIRECTORY))
      guard next >= 0 else { throw FileError(.system(errno: errno), path: path) }
      close(descriptor)
      descriptor = next
    }
    // The descriptor's own path leads to the file that was checked, whatever its name means by now.
    try self.init(mapping: "/proc/self/fd/\(descriptor)")
  }
}

/// Collects tensors in one file beside the model, each on a page boundary.
final class ExternalDataWriter {
  private let file: AtomicFile
  /// The file's name, as the model says it.
  private let location: String
  private static let alignment = 4096

  /// - Parameter path: the model's path, to which `.data` is added.
  init(besides path: String) throws(FileError) {
    file = try AtomicFile(path + ".data")
    location = (path.split(separator: "/").last.map(String.init) ?? path) + ".data"
  }

  func append(_ bytes: Bytes) throws(FileError) -> [Property] {
    try file.pad(to: Self.alignment)
    let offset = file.count
    try file.append(bytes)
    return [
      Property("location", location), Property("offset", "\(offset)"),
      Property("length", "\(bytes.count)"),
    ]
  }

  func commit() throws(FileError) { try file.commit() }
}
