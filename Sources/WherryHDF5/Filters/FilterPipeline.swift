import WherryBytes

/// One step of what was done to a chunk before it was stored.
public struct HDF5Filter: Hashable, Sendable {
  /// The filter's registered number.
  public let id: Int
  public let name: String?
  /// Numbers that the filter needs to undo its work.
  public let parameters: [UInt32]

  static let deflate = 1
  static let shuffle = 2
  static let fletcher32 = 3
  static let szip = 4
  static let nbit = 5
  static let scaleOffset = 6
  static let lzf = 32000

  public init(id: Int, name: String? = nil, parameters: [UInt32] = []) {
    (self.id, self.name, self.parameters) = (id, name, parameters)
  }

  /// Decodes a filter pipeline message: the filters in the order in which they were applied.
  ///
  /// - Source: HDF5 File Format Specification 3.0, section IV.A.2.l.
  static func readAll(_ message: FieldReader) throws(DecodeError) -> [HDF5Filter] {
    var fields = message
    let version = try fields.version(1...2, of: "filter pipeline")
    let count = try fields.u8()
    guard count <= 32 else { throw DecodeError(.invalid("\(count) filters"), fields.place) }
    if version == 1 { try fields.skip(6) }
    var filters: [HDF5Filter] = []
    for _ in 0..<count { filters.append(try read(&fields, version)) }
    return filters
  }

  private static func read(
    _ fields: inout FieldReader, _ version: Int
  ) throws(DecodeError) -> HDF5Filter {
    let id = try fields.u16()
    let nameSize = version == 1 || id >= 256 ? try fields.u16() : 0
    try fields.skip(2)
    let count = try fields.u16()
    let name = try fields.take(nameSize)
    if version == 1 { try fields.skip((8 - nameSize % 8) % 8) }
    var parameters: [UInt32] = []
    for _ in 0..<count { parameters.append(try fields.raw32()) }
    if version == 1, count % 2 == 1 { try fields.skip(4) }
    let end = name.withUnsafeBytes { $0.firstIndex(of: 0) } ?? nameSize
    return HDF5Filter(
      id: id, name: nameSize > 0 ? name.slice(0..<end).map { HDF5Name($0).text } : nil,
      parameters: parameters)
  }
}
