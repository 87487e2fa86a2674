import WherryBytes

/// A named value that belongs to a group, data set or committed type.
///
/// Finding an attribute reads its name only; type, shape and value are decoded when asked for, so that
/// one unreadable attribute does not hide the others.
public struct HDF5Attribute: Sendable {
  public let name: HDF5Name
  /// Position in order of creation, where the object keeps it.
  public let creationOrder: Int?
  private let image: FileImage
  private let place: Place
  private let version: Int
  private let flags: Int
  private let typeMessage: FieldMessage
  private let spaceMessage: FieldMessage
  private let data: FieldMessage

  private struct FieldMessage: Sendable {
    let bytes: Bytes
    let origin: Int
    init(_ fields: FieldReader) {
      (bytes, origin) = (fields.bytes.bytes, fields.bytes.origin)
    }
  }

  /// - Source: HDF5 File Format Specification 3.0, section IV.A.2.m.
  init(_ message: FieldReader, creationOrder: Int?, _ image: FileImage, _ owner: Place)
    throws(DecodeError)
  {
    var fields = message
    version = try fields.version(1...3, of: "attribute")
    flags = try fields.u8()
    let nameSize = try fields.u16()
    let typeSize = try fields.u16()
    let spaceSize = try fields.u16()
    if version == 3 { try fields.skip(1) }
    let alignment = version == 1 ? 8 : 1
    var text = try fields.part(nameSize)
    try fields.skip((alignment - nameSize % alignment) % alignment)
    name = HDF5Name(try text.terminated())
    typeMessage = FieldMessage(try fields.part(typeSize))
    try fields.skip((alignment - typeSize % alignment) % alignment)
    spaceMessage = FieldMessage(try fields.part(spaceSize))
    try fields.skip((alignment - spaceSize % alignment) % alignment)
    data = FieldMessage(try fields.rest())
    self.image = image
    self.creationOrder = creationOrder
    place = Place(road: owner.road).inside("attribute", name.text)
  }

  /// The type of an element as the file describes it.
  public func type() throws(DecodeError) -> HDF5Type {
    try place.locating { () throws(DecodeError) in try type(Reading(image)) }
  }

  /// How many elements there are.
  public func space() throws(DecodeError) -> HDF5Space {
    try place.locating { () throws(DecodeError) in try space(Reading(image)) }
  }

  /// The value.
  ///
  /// - Throws: `DecodeError` for an attribute that is malformed or of an unsupported type.
  public func read() throws(DecodeError) -> HDF5Array {
    try place.locating { () throws(DecodeError) in
      let reading = Reading(image)
      let (type, space) = (try type(reading), try space(reading))
      guard let size = space.count.flatMap({ Checked.multiply($0, type.size) }),
        let bytes = data.bytes.slice(0..<max(size, 0))
      else {
        throw DecodeError(
          .truncated(needed: type.size, available: data.bytes.count), .byte(data.origin))
      }
      return try HDF5Array(
        stored: bytes, type: type, space: space, image: image, place: .byte(data.origin))
    }
  }

  private func type(_ reading: Reading) throws(DecodeError) -> HDF5Type {
    var fields = FieldReader(
      typeMessage.bytes, origin: typeMessage.origin, widths: image.widths)
    if version > 1, flags & 1 != 0 {
      fields = try reading.resolve(fields, kind: HeaderMessage.Kind.datatype)
    }
    return try HDF5Type.read(&fields, depth: image.limits.depth)
  }

  private func space(_ reading: Reading) throws(DecodeError) -> HDF5Space {
    var fields = FieldReader(
      spaceMessage.bytes, origin: spaceMessage.origin, widths: image.widths)
    if version > 1, flags & 2 != 0 {
      fields = try reading.resolve(fields, kind: HeaderMessage.Kind.dataspace)
    }
    return try HDF5Space.read(&fields)
  }
}

extension ObjectHeader {
  /// The attributes of an object: in order of creation where the object keeps it, else by name.
  func attributes(_ reading: Reading, _ owner: Place) throws(DecodeError) -> [HDF5Attribute] {
    var found: [HDF5Attribute] = []
    for message in all(HeaderMessage.Kind.attribute) {
      found.append(
        try HDF5Attribute(
          try reading.fields(of: message), creationOrder: message.creationOrder, reading.image,
          owner))
    }
    var keepsOrder = false
    if let message = first(HeaderMessage.Kind.attributeInfo) {
      var fields = try reading.fields(of: message)
      _ = try fields.version(0...0, of: "attribute info")
      let flags = try fields.u8()
      keepsOrder = flags & 1 != 0
      if keepsOrder { try fields.skip(2) }
      if let heap = try fields.address(), let names = try fields.address() {
        let storage = DenseStorage(heap: heap, names: names)
        found += try Self.denseAttributes(storage, reading, owner)
      }
    }
    return found.sorted { a, b in
      if keepsOrder, let x = a.creationOrder, let y = b.creationOrder, x != y { return x < y }
      return a.name < b.name
    }
  }

  private static func denseAttributes(
    _ storage: DenseStorage, _ reading: Reading, _ owner: Place
  ) throws(DecodeError) -> [HDF5Attribute] {
    let heap = try FractalHeap(at: storage.heap, reading)
    let tree = try VersionTwoTree(at: storage.names, reading)
    let place = reading.image.place(storage.names)
    guard tree.kind == 8 else { throw DecodeError(.invalid("kind of an attribute B-tree"), place) }
    var found: [HDF5Attribute] = []
    try tree.forEachRecord { (record) throws(DecodeError) in
      guard found.count < reading.image.limits.elements else {
        throw DecodeError(.limit("attributes", reading.image.limits.elements), place)
      }
      let id = try record.take(8)
      let flags = try record.u8()
      let order = try record.u32()
      let kind = HeaderMessage.Kind.attribute
      let fields =
        flags & 2 != 0
        ? try reading.sharedMessage(id, kind: kind, record.place)
        : try heap.object(id, record.place, reading)
      found.append(try HDF5Attribute(fields, creationOrder: order, reading.image, owner))
    }
    return found
  }
}
