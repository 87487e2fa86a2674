import TestSupport
import Testing
import WherryBytes
import WherryHDF5

/// What is written reads back, here and, with `WHERRY_HDF5_OUT`, in h5py:
/// `python formats/HDF5/oracle/digests.py --compare written FOLDER FOLDER`.
@Suite struct HDF5WriterTests {
  private func bytes(of root: HDF5Draft.Group, name: String) throws -> Bytes {
    let sink = MemorySink()
    try HDF5Writer.write(root, to: sink)
    let bytes = Bytes(sink.bytes)
    if let out = Suites.environment("WHERRY_HDF5_OUT") {
      try Folder.write(sink.bytes, to: "\(out)/\(name).h5")
      let lines = try FileDump(bytes).lines.joined(separator: "\n")
      try Folder.write(Array(lines.utf8), to: "\(out)/written-\(name).h5.txt")
    }
    return bytes
  }

  private func floats(_ count: Int) -> Bytes {
    var writer = ByteWriter()
    for index in 0..<count { writer.integer((Float(index) / 7).bitPattern) }
    return Bytes(writer.bytes)
  }

  private func dataset(_ file: HDF5File, _ path: String) throws -> HDF5Dataset {
    guard case .dataset(let dataset) = try file.object(at: path) else {
      throw DecodeError(.missing(path))
    }
    return dataset
  }

  /// A model as Keras lays it out.
  private func keras(layers: Int) -> HDF5Draft.Group {
    let names = (0..<layers).map { "dense_\($0)" }
    let members = names.map { name -> (name: String, object: HDF5Draft.Object) in
      let weights = HDF5Draft.Group(members: [
        ("kernel:0", .dataset(.init(.array(.float32, [20, 11], floats(220))))),
        ("bias:0", .dataset(.init(.array(.float32, [11], floats(11))))),
      ])
      return (
        name,
        .group(
          .init(
            attributes: [
              .init("weight_names", .fixedTexts(["\(name)/kernel:0", "\(name)/bias:0"]))
            ],
            members: [(name, .group(weights))]))
      )
    }
    return .init(
      attributes: [
        .init(
          "model_config", .text("{\"name\": \"Größe\"" + String(repeating: " ", count: 100_000))),
        .init("keras_version", .text("3.0.0")),
        .init("empty", .text("")),
        .init("training", .bool(true)),
      ],
      members: [
        (
          "model_weights",
          .group(.init(attributes: [.init("layer_names", .fixedTexts(names))], members: members))
        ),
        ("again", .softLink("/model_weights/dense_0")),
      ])
  }

  @Test(arguments: [0, 1, 9, 300])
  func aModelComesBackWhateverItsNumberOfLayers(layers: Int) throws {
    let file = try HDF5File(try bytes(of: keras(layers: layers), name: "keras-\(layers)"))
    let root = try file.root()
    let config = try #require(try root.attributes().first { $0.name.text == "model_config" })
    let text = try #require(try config.read().strings().first)
    #expect(text.hasPrefix("{\"name\": \"Größe\"") && text.utf8.count == 100_018)
    guard case .group(let weights) = try file.object(at: "model_weights") else {
      Issue.record("no group")
      return
    }
    #expect(try weights.links().count == layers)
    for layer in 0..<layers {
      let name = "dense_\(layer)"
      let kernel = try dataset(file, "/model_weights/\(name)/\(name)/kernel:0").read()
      #expect(kernel.type == .float32 && kernel.shape == [20, 11] && kernel.bytes == floats(220))
    }
  }

  @Test func contiguousElementsAreSharedWithTheFile() throws {
    let bytes = try bytes(of: keras(layers: 1), name: "shared")
    let kernel = try dataset(HDF5File(bytes), "/model_weights/dense_0/dense_0/kernel:0").read()
    #expect(kernel.bytes.store === bytes.store && kernel.bytes.offset % 64 == 0)
  }

  @Test(
    arguments: [
      ([5, 3], nil, false), ([5, 3], 6, true), ([10, 7], 9, false), ([1, 7], 1, true),
      ([100, 100], 0, false), ([3, 7], nil, true), ([1, 1], 6, false),
    ] as [([Int], Int?, Bool)])
  func chunksComeBack(shape: [Int], level: Int?, shuffle: Bool) throws {
    let value = HDF5Draft.Value.array(.float32, [10, 7], floats(70))
    let draft = HDF5Draft.Group(members: [
      ("x", .dataset(.init(value, storage: .chunked(shape, level: level, shuffle: shuffle))))
    ])
    let name = "chunks-\(shape[0])-\(shape[1])-\(level ?? -1)"
    let found = try dataset(HDF5File(try bytes(of: draft, name: name)), "x")
    #expect(found.chunkShape == shape)
    #expect(found.filters.map(\.id) == (shuffle ? [2] : []) + (level == nil ? [] : [1]))
    #expect(try found.read().bytes == floats(70))
  }

  /// 5000 chunks take three levels of B-tree nodes.
  @Test func manyChunksComeBack() throws {
    let value = HDF5Draft.Value.array(.float32, [5000], floats(5000))
    let draft = HDF5Draft.Group(members: [
      ("x", .dataset(.init(value, storage: .chunked([1], level: 1, shuffle: false))))
    ])
    let file = try HDF5File(try bytes(of: draft, name: "many"))
    #expect(try dataset(file, "x").read().bytes == floats(5000))
  }

  @Test func everyWritableTypeComesBack() throws {
    let point = HDF5Type.compound(
      size: 12, [HDF5Member("x", offset: 0, .float32), HDF5Member("ÿ", offset: 4, .float64)])
    let nested = HDF5Type.compound(
      size: 30,
      [
        HDF5Member("point", offset: 0, point),
        HDF5Member("grid", offset: 12, .array(of: .int16, [3, 3])),
      ])
    let types: [(name: String, type: HDF5Type)] = [
      ("i8", .int8), ("u16", .uint16), ("i64", .int64), ("f16", .float16), ("bf16", .bfloat16),
      ("f64", .float64), ("bool", .bool), ("point", point), ("nested", nested),
      ("big", .integer(HDF5Bits(size: 4, order: .big), isSigned: true)),
      ("odd", .integer(HDF5Bits(size: 4, offset: 3, precision: 13), isSigned: true)),
      ("opaque", .opaque(size: 5, tag: Bytes("five".utf8))), ("bits", .bitfield(HDF5Bits(size: 2))),
      ("spaces", .string(size: 4, .spacePadded, .utf8)),
    ]
    let members = types.map { name, type -> (name: String, object: HDF5Draft.Object) in
      let bytes = Bytes((0..<3 * type.size).map { UInt8(truncatingIfNeeded: $0 % 2) })
      return (
        name, .dataset(.init(.array(type, [3], bytes), attributes: [.init("é", .empty(type))]))
      )
    }
    let rows = HDF5Draft.Value(
      .sequence(of: .int16, size: 16), HDF5Space([3]),
      .runs([Bytes([1, 0, 2, 0]), Bytes(), Bytes([255, 255])]))
    let growing = HDF5Draft.Value(
      .uint8, .simple([2, 2], maximum: [nil, 5]), .bytes(Bytes([1, 2, 3, 4])))
    let draft = HDF5Draft.Group(
      attributes: [.init("rows", rows), .init("texts", .texts(["one", "", "drei"]))],
      members: members + [
        ("rows", .dataset(.init(rows, storage: .chunked([2], level: 3, shuffle: true)))),
        (
          "growing",
          .dataset(.init(growing, storage: .chunked([1, 2], level: nil, shuffle: false)))
        ),
        ("nothing", .dataset(.init(.array(.float32, [0, 4], Bytes())))),
        ("scalar", .dataset(.init(.integer(-5)))), ("empty", .dataset(.init(.empty(.float32)))),
        ("texts", .dataset(.init(.texts(["a", "", String(repeating: "long", count: 30_000)])))),
      ])
    let file = try HDF5File(try bytes(of: draft, name: "types"))
    for (name, type) in types {
      let found = try dataset(file, name)
      #expect(found.type == type, "\(name)")
      let attribute = try #require(try found.attributes().first)
      #expect(
        try attribute.name.text == "é" && attribute.type() == type && attribute.space() == .null)
    }
    #expect(
      try dataset(file, "rows").read().values() == [
        .sequence([.signed(1), .signed(2)]), .sequence([]), .sequence([.signed(-1)]),
      ])
    #expect(try dataset(file, "texts").read().strings()[2].count == 120_000)
    #expect(try dataset(file, "growing").space == .simple([2, 2], maximum: [nil, 5]))
    #expect(try dataset(file, "scalar").read().values() == [.signed(-5)])
    #expect(
      try dataset(file, "point").read().values()[0]
        == .compound([
          .float(Double(Float(bitPattern: 0x0100_0100))),
          .float(Double(bitPattern: 0x0100_0100_0100_0100)),
        ]))
  }

  @Test func equalDraftsGiveEqualBytes() throws {
    let (first, second) = (MemorySink(), MemorySink())
    try HDF5Writer.write(keras(layers: 12), to: first)
    var shuffled = keras(layers: 12)
    shuffled.members.reverse()
    try HDF5Writer.write(shuffled, to: second)
    #expect(first.bytes == second.bytes)
  }

  @Test func deferredContentIsMadeOnlyForItsTurn() throws {
    final class Counter: @unchecked Sendable { var made = 0 }
    let counter = Counter()
    let content = HDF5Draft.Content.deferred { () throws(EncodeError) in
      counter.made += 1
      return Bytes([1, 2, 3, 4])
    }
    let value = HDF5Draft.Value(.uint8, HDF5Space([4]), content)
    let plain = HDF5Draft.Group(members: [("x", .dataset(.init(value)))])
    let file = try HDF5File(try bytes(of: plain, name: "deferred"))
    #expect(try dataset(file, "x").read().bytes == Bytes([1, 2, 3, 4]))
    #expect(counter.made == 1)
  }

  @Test func whatCantBeWrittenIsRefused() {
    func reason(_ root: HDF5Draft.Group) -> EncodeError.Reason? {
      do throws(EncodeError) {
        try HDF5Writer.write(root, to: MemorySink())
        return nil
      } catch {
        return error.reason
      }
    }
    let x = HDF5Draft.Object.dataset(.init(.array(.uint8, [2], Bytes([1, 2]))))
    let wrong = HDF5Draft.Object.dataset(.init(.array(.uint8, [3], Bytes([1, 2]))))
    #expect(reason(.init(members: [("x", wrong)])) == .invalid("2 bytes instead of 3"))
    #expect(reason(.init(members: [("x", x), ("x", x)])) == .invalid("two links \"x\""))
    #expect(reason(.init(members: [("a/b", x)])) == .inexpressible("link name \"a/b\""))
    let large = HDF5Draft.Attribute(
      "large", .array(.uint8, [70_000], Bytes([UInt8](repeating: 0, count: 70_000))))
    #expect(
      reason(.init(attributes: [large]))
        == .inexpressible("attribute \"large\" of 70048 bytes; at most 64 KB"))
    let time = HDF5Draft.Attribute("t", .empty(.time(HDF5Bits(size: 4))))
    #expect(reason(.init(attributes: [time])) == .inexpressible("time type"))
    let raw = HDF5Draft.Value.array(.text, [1], Bytes([UInt8](repeating: 0, count: 16)))
    #expect(
      reason(.init(attributes: [.init("t", raw)])) == .invalid("bytes of a type of variable length")
    )
  }
}
