import TestSupport
import Testing
import Wherry
import WherryBytes
import WherryGraph
import WherryHDF5
import WherryKeras
import WherryOperators

/// Files whose weights are in deflated chunks, which Keras itself does not write but other programs do.
@Suite struct PackedWeightTests {
  private func read(_ bytes: Bytes) throws -> Model {
    try KerasFormat.read(ModelSource(bytes, path: "model.h5", operators: OperatorSet.all)).model
  }

  private func written(_ model: Model, as path: String) throws -> Bytes {
    var options = WriteOptions()
    options.path = path
    let sink = MemorySink()
    _ = try KerasFormat.write(model, to: sink, options: options)
    return Bytes(sink.bytes)
  }

  /// A convolutional network as an `.h5` file.
  private func digits() throws -> Bytes {
    let path = Suites.packageFolder + "/fixtures/models/digits_cnn.onnx"
    let format = try #require(Formats.ofPath(path))
    let source = ModelSource(try Bytes(mapping: path), path: path, operators: OperatorSet.all)
    return try written(try format.read(source).model, as: "model.h5")
  }

  /// The same file with every weight in one deflated chunk.
  private func packed(_ file: Bytes) throws -> Bytes {
    let sink = MemorySink()
    try HDF5Writer.write(try packed(try HDF5File(file).root()), to: sink)
    return Bytes(sink.bytes)
  }

  private func packed(_ group: HDF5Group) throws -> HDF5Draft.Group {
    var draft = HDF5Draft.Group(attributes: try attributes(group.attributes()))
    for link in try group.links() {
      switch try group.open(link) {
      case .group(let inner): draft.members.append((link.name.text, .group(try packed(inner))))
      case .dataset(let dataset):
        let array = try dataset.read()
        let shape = try #require(array.shape)
        draft.members.append(
          (
            link.name.text,
            .dataset(
              .init(
                .array(array.type, shape, array.bytes),
                storage: shape.isEmpty
                  ? .contiguous : .chunked(shape, level: 6, shuffle: true),
                attributes: try attributes(dataset.attributes())))
          ))
      case .type: Issue.record("a named type")
      }
    }
    return draft
  }

  private func attributes(_ attributes: [HDF5Attribute]) throws -> [HDF5Draft.Attribute] {
    try attributes.map { attribute in
      let array = try attribute.read()
      var value = HDF5Draft.Value(array.type, array.space, .bytes(array.bytes))
      if case .variableString = array.type {
        value.content = .runs(try array.strings().map { Bytes(Array($0.utf8)) })
      }
      return HDF5Draft.Attribute(attribute.name.text, value)
    }
  }

  @Test func packedWeightsGiveTheSameModel() throws {
    let plain = try digits()
    let packed = try packed(plain)
    #expect(packed != plain)
    let model = try read(packed)
    #expect(try model == read(plain))
    // Written again, the weights are found in the rearranged constants.
    #expect(try written(model, as: "model.h5") == written(read(plain), as: "model.h5"))
    #expect(try written(model, as: "model.keras") == written(read(plain), as: "model.keras"))
  }

  @Test func damagedChunkOfAWeightIsRefusedWithItsDataSet() throws {
    let file = try packed(try digits())
    var refused = 0
    // Most of the file is packed weights.
    for part in 3..<13 {
      var bytes = file.array
      bytes[bytes.count * part / 16] ^= 0x55
      do {
        _ = try read(Bytes(bytes))
      } catch let failure as ReadFailure {
        refused +=
          failure.errors.contains { error in
            error.place.road.contains {
              if case .named("data set", _) = $0 { true } else { false }
            }
          } ? 1 : 0
      }
    }
    #expect(refused > 5)
  }
}
