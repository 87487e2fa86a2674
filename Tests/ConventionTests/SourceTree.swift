import Foundation

/// The files of the package, for tests of how it is written.
enum SourceTree {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  struct File {
    let path: String
    let text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var name: String { String(path.split(separator: "/").last ?? "") }
    var isGenerated: Bool { path.contains(".generated.") || path.contains("/Schema/") }
    var isTest: Bool { path.contains("Tests/") }
  }

  /// Every file below the product's folders with one of these endings.
  static func files(_ endings: String...) -> [File] {
    var found: [File] = []
    for folder in ["Sources", "Tests", "formats", "runtime", "fixtures"] {
      let base = root.appending(path: folder)
      guard let walk = FileManager.default.enumerator(atPath: base.path) else { continue }
      for case let path as String in walk where !path.contains(".build") {
        guard endings.contains(where: { path.hasSuffix("." + $0) }),
          let text = try? String(contentsOf: base.appending(path: path), encoding: .utf8)
        else { continue }
        found.append(File(path: "\(folder)/\(path)", text: text))
      }
    }
    return found.sorted { $0.path < $1.path }
  }
}
