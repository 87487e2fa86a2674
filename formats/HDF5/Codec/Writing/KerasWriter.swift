import WherryBytes
import WherryGraph
import WherryHDF5

/// Chooses how a model is written, and writes it.
struct KerasWriter {
  private let options: WriteOptions

  init(_ options: WriteOptions) { self.options = options }

  /// The container that the ending asks for.
  private var container: KerasFacts.Container {
    options.path?.lowercased().hasSuffix(".keras") == true ? .archive : .file
  }

  func write(_ model: Model, to sink: any ByteSink) throws(EncodeError) -> [Loss] {
    if let restored = KerasRestoration(model), restored.facts.container == container {
      return try write(
        KerasFileDraft(
          facts: restored.facts, description: restored.description, weights: restored.weights),
        to: sink)
    }
    throw EncodeError(.inexpressible("layers of Keras"))
  }

  private func write(
    _ draft: KerasFileDraft, to sink: any ByteSink
  ) throws(EncodeError) -> [Loss] {
    switch container {
    case .archive: return try draft.archive(to: sink)
    case .file:
      let (root, losses) = try draft.file()
      try HDF5Writer.write(root, to: sink)
      return losses
    }
  }
}
