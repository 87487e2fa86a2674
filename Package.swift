// swift-tools-version: 6.1
// The map of the house: which module may import which is the `dependencies` of its target.
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// The reference evaluator runs whole models in the tests, so it is optimized in debug builds too.
let evaluated = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// One row a format: its module, its folder under formats/, and what its codec needs besides the core.
let formats: [(module: String, folder: String, needs: [Target.Dependency])] = [
  ("WherryNative", "Native", ["WherryPasses", "CWherryABI", "CWherryKernels"]),
  ("WherryONNX", "ONNX", ["CONNXSchema", "CProtobufC"]),
  ("WherryJSON", "JSON", []),
  ("WherryKeras", "HDF5", ["WherryHDF5", "WherryText", "WherryZip"]),
]

func module(
  _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil,
  settings: [SwiftSetting] = strict
) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], path: path, swiftSettings: strict)
}

let package = Package(
  name: "wherry",
  products: [
    .executable(name: "wherry", targets: ["WherryCommand"]),
    .library(name: "Wherry", targets: ["Wherry"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CProtobufC", path: "Sources/CProtobufC",
      providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CWherryABI", path: "runtime/ABI"),
    .target(
      name: "CWherryKernels", path: "runtime/Kernels", publicHeadersPath: "include",
      cSettings: [
        .unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"])
      ]),
    .target(
      name: "CONNXSchema", dependencies: ["CProtobufC"], path: "formats/ONNX/Schema",
      exclude: ["onnx.proto"], publicHeadersPath: "."),

    module("WherryBytes", settings: evaluated),
    module("WherryGraph", ["WherryBytes"], settings: evaluated),
    module("WherryText", ["WherryBytes"]),
    module("WherryHDF5", ["WherryBytes", "CZlib"], settings: evaluated),
    module("WherryZip", ["WherryBytes", "CZlib"]),
    module("WherryData", ["WherryGraph", "WherryZip", "CZlib"]),
    module("WherryOperators", ["WherryGraph"], settings: evaluated),
    module("WherryPasses", ["WherryOperators", "CWherryABI"], settings: evaluated),
    .target(
      name: "WherryCore", dependencies: ["CWherryABI", "CWherryKernels"], path: "runtime/Core",
      swiftSettings: strict),
    module("WherryRuntime", ["WherryCore", "CWherryABI"]),
    // HDF5's second layout, and the choice between the two.
    module(
      "WherryHDF5Graph",
      ["WherryKeras", "WherryHDF5", "WherryOperators", "WherryGraph", "WherryBytes"],
      path: "formats/HDF5/Graph/Codec"),
    module(
      "Wherry",
      formats.map { .byName(name: $0.module) } + [
        "WherryHDF5Graph", "WherryHDF5", "WherryPasses", "WherryRuntime", "WherryOperators", "WherryData",
      ]),
    .executableTarget(
      name: "WherryCommand",
      dependencies: ["Wherry", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strict,
      // Identical functions folded, relocations packed, nothing exported: 3 MB of the stripped command.
      linkerSettings: [
        .unsafeFlags(
          ["-use-ld=lld"]
            + [
              "--icf=all", "-z", "pack-relative-relocs", "--exclude-libs=ALL",
              "--no-export-dynamic",
            ]
            .flatMap { ["-Xlinker", $0] })
      ]),

    module("TestSupport", ["Wherry"], path: "Tests/TestSupport"),
    tests("WherryBytesTests", ["WherryBytes"]),
    tests("WherryTextTests", ["WherryText"]),
    tests("WherryHDF5Tests", ["WherryHDF5", "CWherryKernels"]),
    tests(
      "WherryHDF5GraphTests", ["WherryHDF5Graph", "WherryONNX"], path: "formats/HDF5/Graph/Tests"),
    tests("WherryZipTests", ["WherryZip", "CZlib"]),
    tests("WherryDataTests", ["WherryData"]),
    tests("WherryGraphTests", ["WherryGraph", "WherryOperators"]),
    tests("WherryOperatorsTests", ["WherryOperators", "WherryONNX"]),
    tests("WherryPassesTests", ["WherryPasses"]),
    tests(
      "RuntimeTests", ["WherryRuntime", "CWherryKernels", "CWherryABI"], path: "runtime/Tests/Swift"
    ),
    tests("ConformanceTests", ["Wherry", "CWherryKernels"]),
    tests("CommandTests", ["WherryCommand"]),
    tests("ConventionTests", []),
  ]
    + formats.flatMap { format in
      [
        module(
          format.module, ["WherryOperators", "WherryGraph", "WherryBytes"] + format.needs,
          path: "formats/\(format.folder)/Codec"),
        tests(
          "\(format.module)Tests", [.byName(name: format.module)],
          path: "formats/\(format.folder)/Tests"),
      ]
    },
  cLanguageStandard: .gnu11
)
