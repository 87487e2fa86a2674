import WherryBytes
import WherryGraph
import WherryHDF5
import WherryKeras
import WherryOperators

/// Any bytes are either refused or a model, which is the same once it was written and read again; in the
/// other container of Keras 3 weights have other names, nothing else.
///
/// Bytes that begin with a brace are a configuration in JSON, around which a file without weights is made;
/// that reaches the dialect without the container's checks in between.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  var limits = Limits.standard
  limits.expandedBytes = 64 << 20
  let given = UnsafeBufferPointer(start: data, count: count)
  let bytes = given.first == UInt8(ascii: "{") ? file(of: Bytes(given)) : Bytes(given)
  let source = ModelSource(bytes, limits: limits, operators: OperatorSet.all)
  guard let first = try? KerasFormat.read(source) else { return 0 }
  for ending in ["h5", "keras"] {
    var options = WriteOptions()
    options.path = "model.\(ending)"
    let sink = MemorySink()
    guard let losses = try? KerasFormat.write(first.model, to: sink, options: options) else {
      continue
    }
    let again = ModelSource(Bytes(sink.bytes), limits: limits, operators: OperatorSet.all)
    guard let second = try? KerasFormat.read(again) else {
      fatalError("what was written can't be read")
    }
    let facts = first.model.metadata
    let (old, new) = (first.model.graph, second.model.graph)
    let comesBack =
      facts.properties.contains(Property("keras.container", ending))
      ? second.model == first.model
      : !facts.producerVersion.hasPrefix("3")
        || old.inputs == new.inputs && old.outputs == new.outputs
          && old.nodes.map(\.outputs) == new.nodes.map(\.outputs)
    if losses.isEmpty, !comesBack {
      fatalError("a model that was read is another one after writing \(ending)")
    }
  }
  return 0
}

/// A file of Keras 3 that has this configuration and no weights.
private func file(of configuration: Bytes) -> Bytes {
  guard let text = configuration.text else { return configuration }
  var root = HDF5Draft.Group(members: [])
  root.attributes = [
    HDF5Draft.Attribute("model_config", .text(text)),
    HDF5Draft.Attribute("keras_version", .text("3.0.0")),
  ]
  let sink = MemorySink()
  guard (try? HDF5Writer.write(root, to: sink)) != nil else { return configuration }
  return Bytes(sink.bytes)
}
