import WherryBytes
import WherryGraph

/// What a function of `keras.ops`, applied between layers, is in the graph.
struct OperationBinding: Sendable {
  let names: [String]
  let build: LayerBinding.Build

  init(_ names: String..., build: @escaping LayerBinding.Build) {
    (self.names, self.build) = (names, build)
  }

  static let all: [OperationBinding] = []

  static func named(_ className: String) -> OperationBinding? {
    all.first { $0.names.contains(className) }
  }
}
