import Foundation
import Testing

/// The arrows of the README: which module may import which.
@Suite struct ArrowTests {
  /// What each folder's sources may import besides the standard library.
  private static let allowed: [(folder: String, imports: Set<String>)] = [
    ("Sources/WherryBytes/", ["Glibc"]),
    ("Sources/WherryGraph/", ["WherryBytes", "Glibc"]),
    ("Sources/WherryOperators/", ["WherryBytes", "WherryGraph", "Glibc"]),
    ("Sources/WherryText/", ["WherryBytes"]),
    ("Sources/WherryZip/", ["WherryBytes", "CZlib"]),
    ("Sources/WherryHDF5/", ["WherryBytes", "CZlib", "Glibc"]),
    (
      "Sources/WherryData/",
      ["WherryBytes", "WherryGraph", "WherryZip", "CZlib", "FoundationEssentials"]
    ),
    (
      "Sources/WherryPasses/",
      ["WherryBytes", "WherryGraph", "WherryOperators", "CWherryABI", "Glibc"]
    ),
    ("Sources/WherryRuntime/", ["WherryCore", "CWherryABI", "Glibc"]),
    (
      "Sources/Wherry/",
      [
        "WherryBytes", "WherryGraph", "WherryOperators", "WherryPasses", "WherryRuntime",
        "WherryData",
        "WherryNative", "WherryONNX", "WherryJSON", "WherryHDF5Graph",
        // HDF5 files are shown, and their weights replaced, whether or not they hold a model.
        "WherryHDF5",
      ]
    ),
    (
      "Sources/WherryCommand/",
      [
        "ArgumentParser", "FoundationEssentials", "Glibc", "Wherry", "WherryBytes", "WherryData",
        "WherryGraph", "WherryPasses",
      ]
    ),
    (
      "formats/Native/Codec/",
      [
        "WherryBytes", "WherryGraph", "WherryOperators", "WherryPasses", "CWherryABI",
        "CWherryKernels", "Glibc",
      ]
    ),
    (
      "formats/ONNX/Codec/",
      ["WherryBytes", "WherryGraph", "WherryOperators", "CONNXSchema", "CProtobufC", "Glibc"]
    ),
    ("formats/JSON/Codec/", ["WherryBytes", "WherryGraph", "WherryOperators", "Glibc"]),
    (
      "formats/HDF5/Codec/",
      ["WherryBytes", "WherryGraph", "WherryOperators", "WherryHDF5", "WherryText", "WherryZip"]
    ),
    // The second layout of the same format, and the choice between the two.
    (
      "formats/HDF5/Graph/Codec/",
      ["WherryBytes", "WherryGraph", "WherryOperators", "WherryHDF5", "WherryKeras"]
    ),
    ("runtime/Core/", ["CWherryABI", "CWherryKernels"]),
  ]

  @Test func everyImportIsAnArrowOfThePlan() {
    var checked = 0
    for file in SourceTree.files("swift") where !file.isTest && !file.path.hasPrefix("fixtures") {
      guard let rule = Self.allowed.first(where: { file.path.hasPrefix($0.folder) }) else {
        Issue.record("\(file.path) belongs to no module of the plan")
        continue
      }
      for line in file.lines {
        let words = line.split(separator: " ").map(String.init)
        guard let at = words.firstIndex(of: "import"), at + 1 < words.count, at <= 1,
          !line.hasPrefix(" "), !line.hasPrefix("/")
        else { continue }
        checked += 1
        let module = words[at + 1]
        #expect(rule.imports.contains(module), "\(file.path) imports \(module)")
      }
    }
    #expect(checked > 100)
  }
}
