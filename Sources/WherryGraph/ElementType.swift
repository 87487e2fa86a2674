/// The type of one tensor element, with ONNX's `TensorProto.DataType` codes.
///
/// - Source: ONNX IR specification, `onnx.proto`, `TensorProto.DataType`.
public enum ElementType: Int32, Sendable, Hashable, CaseIterable {
  case float32 = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case string = 8
  case bool = 9
  case float16 = 10
  case float64 = 11
  case uint32 = 12
  case uint64 = 13
  case complex64 = 14
  case complex128 = 15
  case bfloat16 = 16
  case float8e4m3fn = 17
  case float8e4m3fnuz = 18
  case float8e5m2 = 19
  case float8e5m2fnuz = 20
  case uint4 = 21
  case int4 = 22
  case float4e2m1 = 23
  case float8e8m0 = 24
  case uint2 = 25
  case int2 = 26
  case float6e2m3 = 27
  case float6e3m2 = 28

  /// Bits of one element in a packed tensor; 0 for strings. Sub-byte elements fill a byte from its
  /// lowest bits; 6-bit ones take a whole byte each.
  public var bitWidth: Int {
    switch self {
    case .string: 0
    case .uint2, .int2: 2
    case .uint4, .int4, .float4e2m1: 4
    case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz,
      .float8e8m0, .float6e2m3, .float6e3m2:
      8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .float32, .int32, .uint32: 32
    case .float64, .int64, .uint64, .complex64: 64
    case .complex128: 128
    }
  }

  /// Bytes of `count` packed elements; nil when it overflows or the elements are strings.
  public func byteCount(of count: Int) -> Int? {
    guard self != .string, count >= 0 else { return nil }
    let (bits, overflow) = count.multipliedReportingOverflow(by: bitWidth)
    return overflow || bits > Int.max - 7 ? nil : (bits + 7) / 8
  }

  public var isFloat: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: isSmallFloat
    }
  }

  /// The 4-, 6- and 8-bit floating-point types.
  public var isSmallFloat: Bool {
    switch self {
    case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1, .float8e8m0,
      .float6e2m3, .float6e3m2:
      true
    default: false
    }
  }

  public var isSignedInteger: Bool {
    switch self {
    case .int2, .int4, .int8, .int16, .int32, .int64: true
    default: false
    }
  }

  public var isUnsignedInteger: Bool {
    switch self {
    case .uint2, .uint4, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }

  public var isInteger: Bool { isSignedInteger || isUnsignedInteger }
  public var isComplex: Bool { self == .complex64 || self == .complex128 }
}

extension ElementType: CustomStringConvertible {
  /// The name used in JSON, on the command line and in messages: `float32`, `int64`, `bfloat16`.
  public var description: String { name }

  /// The element type of a name that `description` gives.
  public init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  public var name: String {
    switch self {
    case .float32: "float32"
    case .uint8: "uint8"
    case .int8: "int8"
    case .uint16: "uint16"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .string: "string"
    case .bool: "bool"
    case .float16: "float16"
    case .float64: "float64"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .complex64: "complex64"
    case .complex128: "complex128"
    case .bfloat16: "bfloat16"
    case .float8e4m3fn: "float8e4m3fn"
    case .float8e4m3fnuz: "float8e4m3fnuz"
    case .float8e5m2: "float8e5m2"
    case .float8e5m2fnuz: "float8e5m2fnuz"
    case .uint4: "uint4"
    case .int4: "int4"
    case .float4e2m1: "float4e2m1"
    case .float8e8m0: "float8e8m0"
    case .uint2: "uint2"
    case .int2: "int2"
    case .float6e2m3: "float6e2m3"
    case .float6e3m2: "float6e3m2"
    }
  }
}

/// A set of element types, for operator signatures.
public struct ElementSet: Sendable, Hashable, SetAlgebra, OptionSet {
  public var rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public init(_ types: ElementType...) {
    rawValue = types.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
  }

  init(where matches: (ElementType) -> Bool) {
    rawValue = ElementType.allCases.reduce(0) { $0 | (matches($1) ? 1 << UInt64($1.rawValue) : 0) }
  }

  public func contains(_ type: ElementType) -> Bool { rawValue & 1 << UInt64(type.rawValue) != 0 }

  public static let all = ElementSet { _ in true }
  /// float16, bfloat16, float32, float64.
  public static let floats = ElementSet(.float16, .bfloat16, .float32, .float64)
  public static let integers = ElementSet { $0.isInteger && $0.bitWidth >= 8 }
  public static let numbers: ElementSet = floats.union(integers)
  public static let indices = ElementSet(.int32, .int64)
  public static let bool = ElementSet(.bool)
  public static let int64 = ElementSet(.int64)
  public static let string = ElementSet(.string)
}
