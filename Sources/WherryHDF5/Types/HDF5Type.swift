import WherryBytes

/// The type of one element of a data set or attribute, as the file describes it.
///
/// - Source: HDF5 File Format Specification 3.0, section IV.A.2.d.
public indirect enum HDF5Type: Hashable, Sendable {
  /// An integer of any width, two's complement if signed.
  case integer(HDF5Bits, isSigned: Bool)
  /// A binary floating-point number of any layout.
  case float(HDF5Bits, HDF5FloatLayout)
  /// A time, in a form that the format never specified; its values are not read.
  case time(HDF5Bits)
  /// Text in a field of `size` bytes.
  case string(size: Int, HDF5Padding, HDF5CharacterSet)
  /// Bits without a meaning as a number.
  case bitfield(HDF5Bits)
  /// `size` bytes that only the application understands, with a tag.
  case opaque(size: Int, tag: Bytes)
  /// Named members within `size` bytes.
  case compound(size: Int, [HDF5Member])
  /// A reference to another object of the file, or to a part of a data set.
  case reference(HDF5Reference, size: Int)
  /// An integer of which some values have names.
  case enumeration(HDF5Type, [HDF5EnumerationCase])
  /// Text of any length, kept in a heap; `size` is that of the pointer to it.
  case variableString(size: Int, HDF5Padding, HDF5CharacterSet)
  /// Any number of elements, kept in a heap; `size` is that of the pointer to them.
  case sequence(of: HDF5Type, size: Int)
  /// A fixed number of elements in row-major order.
  case array(of: HDF5Type, [Int])
  /// A complex number: real part, then imaginary part.
  case complex(of: HDF5Type)
}

/// How the bits of a number lie in its bytes.
public struct HDF5Bits: Hashable, Sendable {
  /// Bytes of one element, at least 1.
  public var size: Int
  public var order: HDF5ByteOrder
  /// Bits below the number's lowest, and the number's own bits; both lie within the bytes.
  public var offset: Int
  public var precision: Int

  public init(size: Int, order: HDF5ByteOrder = .little, offset: Int = 0, precision: Int? = nil) {
    (self.size, self.order, self.offset) = (size, order, offset)
    self.precision = precision ?? size * 8
  }
}

/// The order of a number's bytes.
public enum HDF5ByteOrder: Hashable, Sendable {
  case little, big
  /// The VAX's: 16-bit words, the most significant first, each little-endian.
  case vax
}

/// Where sign, exponent and mantissa of a floating-point number are; positions are bit numbers.
public struct HDF5FloatLayout: Hashable, Sendable {
  public enum Normalization: Hashable, Sendable {
    /// The mantissa is complete.
    case none
    /// The mantissa's highest bit is set and stored.
    case stored
    /// The mantissa's highest bit is set and not stored, as in IEEE 754.
    case implied
  }

  public var sign: Int
  public var exponent: Int
  public var exponentBits: Int
  public var mantissa: Int
  public var mantissaBits: Int
  public var bias: Int
  public var normalization: Normalization

  /// The layout of IEEE 754's binary interchange formats and of those like them.
  public init(exponentBits: Int, mantissaBits: Int) {
    sign = exponentBits + mantissaBits
    (exponent, mantissa) = (mantissaBits, 0)
    (self.exponentBits, self.mantissaBits) = (exponentBits, mantissaBits)
    bias = exponentBits > 0 ? (1 << (exponentBits - 1)) - 1 : 0
    normalization = .implied
  }

  init(
    sign: Int, exponent: Int, exponentBits: Int, mantissa: Int, mantissaBits: Int, bias: Int,
    normalization: Normalization
  ) {
    (self.sign, self.exponent, self.exponentBits) = (sign, exponent, exponentBits)
    (self.mantissa, self.mantissaBits, self.bias) = (mantissa, mantissaBits, bias)
    self.normalization = normalization
  }
}

/// What follows a text that is shorter than its field.
public enum HDF5Padding: Int, Hashable, Sendable {
  case zeroTerminated = 0
  case zeroPadded = 1
  case spacePadded = 2
}

/// How characters are encoded.
public enum HDF5CharacterSet: Int, Hashable, Sendable {
  case ascii = 0
  case utf8 = 1
}

/// What a reference points at.
public enum HDF5Reference: Hashable, Sendable {
  case object
  /// A selection of a data set's elements.
  case region
  /// A form of HDF5 1.12 and later, by its number; its values are not read.
  case revised(Int)
}

/// A member of a compound type.
public struct HDF5Member: Hashable, Sendable {
  public var name: String
  /// Distance from the start of the compound in bytes.
  public var offset: Int
  public var type: HDF5Type

  public init(_ name: String, offset: Int, _ type: HDF5Type) {
    (self.name, self.offset, self.type) = (name, offset, type)
  }
}

/// A named value of an enumeration; `value` is in the form of its base type.
public struct HDF5EnumerationCase: Hashable, Sendable {
  public var name: String
  public var value: Bytes

  public init(_ name: String, _ value: Bytes) {
    (self.name, self.value) = (name, value)
  }
}

extension HDF5Type {
  public static let int8 = HDF5Type.integer(HDF5Bits(size: 1), isSigned: true)
  public static let int16 = HDF5Type.integer(HDF5Bits(size: 2), isSigned: true)
  public static let int32 = HDF5Type.integer(HDF5Bits(size: 4), isSigned: true)
  public static let int64 = HDF5Type.integer(HDF5Bits(size: 8), isSigned: true)
  public static let uint8 = HDF5Type.integer(HDF5Bits(size: 1), isSigned: false)
  public static let uint16 = HDF5Type.integer(HDF5Bits(size: 2), isSigned: false)
  public static let uint32 = HDF5Type.integer(HDF5Bits(size: 4), isSigned: false)
  public static let uint64 = HDF5Type.integer(HDF5Bits(size: 8), isSigned: false)
  public static let float16 = ieee(size: 2, 5, 10)
  public static let bfloat16 = ieee(size: 2, 8, 7)
  public static let float32 = ieee(size: 4, 8, 23)
  public static let float64 = ieee(size: 8, 11, 52)
  /// What h5py writes for a truth value: an 8-bit enumeration of FALSE and TRUE.
  public static let bool = HDF5Type.enumeration(
    .int8,
    [HDF5EnumerationCase("FALSE", Bytes([0])), HDF5EnumerationCase("TRUE", Bytes([1]))])
  /// Text of any length in UTF-8, as h5py writes it.
  public static let text = HDF5Type.variableString(size: 16, .zeroTerminated, .utf8)

  private static func ieee(size: Int, _ exponentBits: Int, _ mantissaBits: Int) -> HDF5Type {
    .float(
      HDF5Bits(size: size),
      HDF5FloatLayout(exponentBits: exponentBits, mantissaBits: mantissaBits))
  }

  /// Bytes of one element where the file keeps it.
  ///
  /// A type read from a file has a size below 2^32; one made by hand whose size overflows counts as
  /// `Int.max`.
  public var size: Int {
    switch self {
    case .integer(let bits, _), .float(let bits, _), .time(let bits), .bitfield(let bits):
      bits.size
    case .string(let size, _, _), .opaque(let size, _), .compound(let size, _),
      .reference(_, let size), .variableString(let size, _, _), .sequence(_, let size):
      size
    case .enumeration(let base, _): base.size
    case .array(let base, let extents): Checked.product(extents + [base.size]) ?? .max
    case .complex(let base): Checked.multiply(base.size, 2) ?? .max
    }
  }

  /// Whether elements lie in a heap, wholly or in part.
  var pointsElsewhere: Bool {
    switch self {
    case .variableString, .sequence, .reference(.region, _): true
    case .compound(_, let members): members.contains { $0.type.pointsElsewhere }
    case .array(let base, _): base.pointsElsewhere
    default: false
    }
  }
}
