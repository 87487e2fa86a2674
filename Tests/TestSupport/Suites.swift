import Glibc
import WherryBytes

/// The test material that this project did not write; absent on most machines.
public enum Suites {
  /// The folder named by `WHERRY_SUITES`, else `../shared/suites` from the package's root; nil when
  /// there is none.
  public static let folder: String? = {
    let path = environment("WHERRY_SUITES") ?? "\(packageFolder)/../shared/suites"
    return Folder.exists(path) ? path : nil
  }()

  /// `folder/name`; prints that the test is skipped when it is absent.
  public static func find(_ name: String) -> String? {
    guard let folder, Folder.exists("\(folder)/\(name)") else {
      print("skipped: no suites (\(name))")
      return nil
    }
    return "\(folder)/\(name)"
  }

  public static let packageFolder: String = {
    let file = #filePath
    return file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      .joined(separator: "/")
  }()

  public static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}

/// Folders and small text files.
public enum Folder {
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Names within a folder, sorted; hidden ones left out.
  public static func names(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Paths of all files below a folder that end in `suffix`, sorted.
  public static func files(_ path: String, suffix: String) -> [String] {
    var found: [String] = []
    var pending = [path]
    while let folder = pending.popLast() {
      for name in names(folder) {
        let inner = "\(folder)/\(name)"
        var status = stat()
        guard stat(inner, &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR {
          pending.append(inner)
        } else if inner.hasSuffix(suffix) {
          found.append(inner)
        }
      }
    }
    return found.sorted()
  }

  /// The lines of a text file; none when it can't be read.
  public static func lines(_ path: String) -> [Substring] {
    guard let text = (try? Bytes(mapping: path))?.text else { return [] }
    return text.split(whereSeparator: \.isNewline)
  }

  /// Writes a whole file.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try AtomicFile(path)
    try file.append(bytes)
    try file.commit()
  }

  /// A new empty folder that the caller removes with `remove`.
  public static func temporary() -> String {
    var template = Array("/tmp/wherry.XXXXXX".utf8CString)
    return mkdtemp(&template).map { String(cString: $0) } ?? "/tmp"
  }

  /// Removes a folder and the files and folders in it.
  public static func remove(_ path: String) {
    guard path.hasPrefix("/tmp/wherry.") else { return }
    for name in names(path) {
      if Glibc.remove("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
    }
    rmdir(path)
  }
}
