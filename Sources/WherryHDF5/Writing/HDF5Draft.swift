import WherryBytes

/// What a file is to hold, as `HDF5Writer` takes it.
public enum HDF5Draft {
  /// A member of a group.
  public enum Object: Sendable {
    case group(Group)
    case dataset(Dataset)
    /// A path within the file.
    case softLink(String)
  }

  /// Members by name. Their order does not matter: the file keeps them sorted by name.
  public struct Group: Sendable {
    public var attributes: [Attribute]
    public var members: [(name: String, object: Object)]

    public init(
      attributes: [Attribute] = [], members: [(name: String, object: Object)] = []
    ) {
      (self.attributes, self.members) = (attributes, members)
    }
  }

  /// A named value of a group or data set, stored in its header: at most 64 KB, texts of variable
  /// length not counted.
  public struct Attribute: Sendable {
    public var name: String
    public var value: Value

    public init(_ name: String, _ value: Value) {
      (self.name, self.value) = (name, value)
    }
  }

  /// Elements with attributes.
  public struct Dataset: Sendable {
    public var value: Value
    public var storage: Storage
    public var attributes: [Attribute]

    public init(
      _ value: Value, storage: Storage = .contiguous, attributes: [Attribute] = []
    ) {
      (self.value, self.storage, self.attributes) = (value, storage, attributes)
    }
  }

  /// How the elements of a data set lie in the file.
  public enum Storage: Sendable {
    /// In one run; from 512 bytes on it starts at a multiple of 64 of the file.
    case contiguous
    /// In chunks of this shape, deflated at a level of 0 to 9 or not at all (nil).
    case chunked([Int], level: Int?, shuffle: Bool)
  }

  /// Elements of one type.
  public struct Value: Sendable {
    public var type: HDF5Type
    public var space: HDF5Space
    public var content: Content

    public init(_ type: HDF5Type, _ space: HDF5Space, _ content: Content) {
      (self.type, self.space, self.content) = (type, space, content)
    }
  }

  /// Where elements come from.
  public enum Content: Sendable {
    /// The elements in the form of their type, row-major.
    case bytes(Bytes)
    /// As `bytes`, made when it is their turn to be written, once or twice; so at most one such data
    /// set is in memory at a time.
    case deferred(@Sendable () throws(EncodeError) -> Bytes)
    /// One run of bytes for each element of a type of variable length.
    case runs([Bytes])
  }
}

extension HDF5Draft.Value {
  /// Nothing, of a type; h5py calls it `Empty`.
  public static func empty(_ type: HDF5Type) -> Self {
    Self(type, .null, .bytes(Bytes()))
  }

  /// One text of any length, in UTF-8.
  public static func text(_ text: String) -> Self {
    Self(.text, .scalar, .runs([Bytes(Array(text.utf8))]))
  }

  /// Texts of any length, in UTF-8.
  public static func texts(_ texts: [String]) -> Self {
    Self(.text, HDF5Space([texts.count]), .runs(texts.map { Bytes(Array($0.utf8)) }))
  }

  /// Texts in fields of the longest one's size, padded with zeros: NumPy's arrays of bytes, in which
  /// Keras keeps names.
  public static func fixedTexts(_ texts: [String]) -> Self {
    let size = max(1, texts.map(\.utf8.count).max() ?? 1)
    var bytes: [UInt8] = []
    for text in texts {
      bytes += text.utf8
      bytes += repeatElement(0, count: size - text.utf8.count)
    }
    return Self(
      .string(size: size, .zeroPadded, .ascii), HDF5Space([texts.count]), .bytes(Bytes(bytes)))
  }

  /// One 64-bit integer.
  public static func integer(_ number: Int64) -> Self {
    var writer = ByteWriter()
    writer.integer(number)
    return Self(.int64, .scalar, .bytes(Bytes(writer.bytes)))
  }

  /// One truth value, as h5py writes it.
  public static func bool(_ isTrue: Bool) -> Self {
    Self(.bool, .scalar, .bytes(Bytes([isTrue ? 1 : 0])))
  }

  /// Elements of a type in an array; no extents make a scalar.
  public static func array(_ type: HDF5Type, _ shape: [Int], _ bytes: Bytes) -> Self {
    Self(type, HDF5Space(shape), .bytes(bytes))
  }
}
