import WherryBytes

/// The value of an operator's attribute, in ONNX's terms.
///
/// Operators hold typed properties; this is the form in which formats read and write them.
public indirect enum AttributeValue: Sendable, Hashable {
  case float(Float)
  case int(Int64)
  /// Any bytes; usually UTF-8.
  case string(Bytes)
  case tensor(Tensor)
  case sparseTensor(SparseTensor)
  case graph(Graph)
  case type(ValueType)
  case floats([Float])
  case ints([Int64])
  case strings([Bytes])
  case tensors([Tensor])
  case sparseTensors([SparseTensor])
  case graphs([Graph])
  case types([ValueType])

  public static func == (a: AttributeValue, b: AttributeValue) -> Bool {
    switch (a, b) {
    // By bit pattern: a NaN equals itself, and -0 differs from 0.
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    case (.floats(let x), .floats(let y)): x.map(\.bitPattern) == y.map(\.bitPattern)
    case (.int(let x), .int(let y)): x == y
    case (.string(let x), .string(let y)): x == y
    case (.tensor(let x), .tensor(let y)): x == y
    case (.sparseTensor(let x), .sparseTensor(let y)): x == y
    case (.graph(let x), .graph(let y)): x == y
    case (.type(let x), .type(let y)): x == y
    case (.ints(let x), .ints(let y)): x == y
    case (.strings(let x), .strings(let y)): x == y
    case (.tensors(let x), .tensors(let y)): x == y
    case (.sparseTensors(let x), .sparseTensors(let y)): x == y
    case (.graphs(let x), .graphs(let y)): x == y
    case (.types(let x), .types(let y)): x == y
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .int(let value): hasher.combine(value)
    case .string(let value): hasher.combine(value)
    case .ints(let value): hasher.combine(value)
    default: hasher.combine(kind)
    }
  }

  public var kind: AttributeKind {
    switch self {
    case .float: .float
    case .int: .int
    case .string: .string
    case .tensor: .tensor
    case .sparseTensor: .sparseTensor
    case .graph: .graph
    case .type: .type
    case .floats: .floats
    case .ints: .ints
    case .strings: .strings
    case .tensors: .tensors
    case .sparseTensors: .sparseTensors
    case .graphs: .graphs
    case .types: .types
    }
  }

  /// The graphs inside, of `graph` and `graphs`.
  public var subgraphs: [Graph] {
    switch self {
    case .graph(let graph): [graph]
    case .graphs(let graphs): graphs
    default: []
    }
  }
}

/// The kinds of attribute, with ONNX's `AttributeProto.AttributeType` codes.
public enum AttributeKind: Int32, Sendable, Hashable, CaseIterable {
  case float = 1
  case int = 2
  case string = 3
  case tensor = 4
  case graph = 5
  case floats = 6
  case ints = 7
  case strings = 8
  case tensors = 9
  case graphs = 10
  case sparseTensor = 11
  case sparseTensors = 12
  case type = 13
  case types = 14

  /// The name that stands for the kind in formats that write names.
  public var name: String {
    switch self {
    case .float: "float"
    case .int: "int"
    case .string: "string"
    case .tensor: "tensor"
    case .graph: "graph"
    case .floats: "floats"
    case .ints: "ints"
    case .strings: "strings"
    case .tensors: "tensors"
    case .graphs: "graphs"
    case .sparseTensor: "sparseTensor"
    case .sparseTensors: "sparseTensors"
    case .type: "type"
    case .types: "types"
    }
  }

  public init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}

/// An attribute of an operator by name.
public struct NamedAttribute: Sendable, Hashable {
  public var name: String
  public var value: AttributeValue

  public init(_ name: String, _ value: AttributeValue) {
    (self.name, self.value) = (name, value)
  }
}

/// A Swift type that an operator's property can have.
public protocol AttributeConvertible: Sendable {
  static var kind: AttributeKind { get }
  /// nil when the value can't be this type.
  init?(attribute: AttributeValue)
  /// nil when the property is unset.
  var attribute: AttributeValue? { get }
}

extension Int: AttributeConvertible {
  public static var kind: AttributeKind { .int }
  public init?(attribute: AttributeValue) {
    guard case .int(let value) = attribute else { return nil }
    self = Int(value)
  }
  public var attribute: AttributeValue? { .int(Int64(self)) }
}

extension Bool: AttributeConvertible {
  public static var kind: AttributeKind { .int }
  /// 0 and 1 only, so that every other number is noticed.
  public init?(attribute: AttributeValue) {
    guard case .int(let value) = attribute, value == 0 || value == 1 else { return nil }
    self = value == 1
  }
  public var attribute: AttributeValue? { .int(self ? 1 : 0) }
}

extension Float: AttributeConvertible {
  public static var kind: AttributeKind { .float }
  public init?(attribute: AttributeValue) {
    guard case .float(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .float(self) }
}

extension String: AttributeConvertible {
  public static var kind: AttributeKind { .string }
  public init?(attribute: AttributeValue) {
    guard case .string(let value) = attribute, let text = value.text else { return nil }
    self = text
  }
  public var attribute: AttributeValue? { .string(Bytes(utf8)) }
}

extension Bytes: AttributeConvertible {
  public static var kind: AttributeKind { .string }
  public init?(attribute: AttributeValue) {
    guard case .string(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .string(self) }
}

extension Tensor: AttributeConvertible {
  public static var kind: AttributeKind { .tensor }
  public init?(attribute: AttributeValue) {
    guard case .tensor(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .tensor(self) }
}

extension SparseTensor: AttributeConvertible {
  public static var kind: AttributeKind { .sparseTensor }
  public init?(attribute: AttributeValue) {
    guard case .sparseTensor(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .sparseTensor(self) }
}

extension Graph: AttributeConvertible {
  public static var kind: AttributeKind { .graph }
  public init?(attribute: AttributeValue) {
    guard case .graph(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .graph(self) }
}

extension ValueType: AttributeConvertible {
  public static var kind: AttributeKind { .type }
  public init?(attribute: AttributeValue) {
    guard case .type(let value) = attribute else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { .type(self) }
}

extension ElementType: AttributeConvertible {
  public static var kind: AttributeKind { .int }
  public init?(attribute: AttributeValue) {
    guard case .int(let value) = attribute, let code = Int32(exactly: value) else { return nil }
    self.init(rawValue: code)
  }
  public var attribute: AttributeValue? { .int(Int64(rawValue)) }
}

extension Array: AttributeConvertible where Element: AttributeListElement {
  public static var kind: AttributeKind { Element.listKind }
  public init?(attribute: AttributeValue) {
    guard let list = Element.list(from: attribute) else { return nil }
    self = list
  }
  public var attribute: AttributeValue? { Element.attribute(of: self) }
}

/// A type whose arrays are list attributes.
public protocol AttributeListElement: Sendable {
  static var listKind: AttributeKind { get }
  static func list(from attribute: AttributeValue) -> [Self]?
  static func attribute(of list: [Self]) -> AttributeValue
}

extension Int: AttributeListElement {
  public static var listKind: AttributeKind { .ints }
  public static func list(from attribute: AttributeValue) -> [Int]? {
    guard case .ints(let values) = attribute else { return nil }
    return values.map { Int($0) }
  }
  public static func attribute(of list: [Int]) -> AttributeValue { .ints(list.map { Int64($0) }) }
}

extension Float: AttributeListElement {
  public static var listKind: AttributeKind { .floats }
  public static func list(from attribute: AttributeValue) -> [Float]? {
    guard case .floats(let values) = attribute else { return nil }
    return values
  }
  public static func attribute(of list: [Float]) -> AttributeValue { .floats(list) }
}

extension Bytes: AttributeListElement {
  public static var listKind: AttributeKind { .strings }
  public static func list(from attribute: AttributeValue) -> [Bytes]? {
    guard case .strings(let values) = attribute else { return nil }
    return values
  }
  public static func attribute(of list: [Bytes]) -> AttributeValue { .strings(list) }
}

extension String: AttributeListElement {
  public static var listKind: AttributeKind { .strings }
  public static func list(from attribute: AttributeValue) -> [String]? {
    guard case .strings(let values) = attribute else { return nil }
    let texts = values.compactMap(\.text)
    return texts.count == values.count ? texts : nil
  }
  public static func attribute(of list: [String]) -> AttributeValue {
    .strings(list.map { Bytes($0.utf8) })
  }
}

extension Optional: AttributeConvertible where Wrapped: AttributeConvertible {
  public static var kind: AttributeKind { Wrapped.kind }
  public init?(attribute: AttributeValue) {
    guard let value = Wrapped(attribute: attribute) else { return nil }
    self = value
  }
  public var attribute: AttributeValue? { self?.attribute }
}

extension AttributeConvertible where Self: RawRepresentable, RawValue == String {
  public static var kind: AttributeKind { .string }
  public init?(attribute: AttributeValue) {
    guard let text = String(attribute: attribute) else { return nil }
    self.init(rawValue: text)
  }
  public var attribute: AttributeValue? { rawValue.attribute }
}
