import WherryBytes

/// An operator of the graph: a struct whose stored properties are its attributes.
///
/// The vocabulary is ONNX's at its newest opset; what ONNX can't say stands in a domain of ours.
public protocol Operator: Sendable {
  /// Name, formal inputs and outputs.
  static var signature: Signature { get }
  /// The attributes, in the standard's order; codecs, inspection and docs are derived from it.
  static var fields: [Field<Self>] { get }
  init()

  var name: OperatorName { get }
  /// The attributes that are set, in the order of `fields`.
  var attributes: [NamedAttribute] { get }
  /// The attributes whose value is not the one of a new operator.
  var nonDefaultAttributes: [NamedAttribute] { get }

  /// Says the types of the outputs as far as those of the inputs allow.
  ///
  /// - Throws: `TypeError` when the inputs can't be what the operator takes.
  func infer(_ site: inout InferenceSite) throws(TypeError)

  /// Computes the outputs: slow, obvious, the definition of truth. Floating-point results are computed
  /// in float64 and rounded once.
  ///
  /// - Returns: one value an output; nil for an optional output that is not asked for.
  /// - Throws: `RunError` when the inputs' values leave the operator's domain.
  func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?]
}

extension Operator {
  public var name: OperatorName { Self.signature.name }

  public var attributes: [NamedAttribute] {
    Self.fields.compactMap { field in field.get(self).map { NamedAttribute(field.name, $0) } }
  }

  public var nonDefaultAttributes: [NamedAttribute] {
    let fresh = Self()
    return Self.fields.compactMap { field in
      guard let value = field.get(self), field.isRequired || value != field.get(fresh) else {
        return nil
      }
      return NamedAttribute(field.name, value)
    }
  }

  /// Sets the attribute `name`; false when there is none of that name or the value doesn't fit it.
  public mutating func set(_ name: String, _ value: AttributeValue) -> Bool {
    guard let field = Self.fields.first(where: { $0.name == name }) else { return false }
    return field.set(&self, value)
  }

  /// The same operator with the same attributes.
  public func equals(_ other: any Operator) -> Bool {
    name == other.name && attributes == other.attributes
  }
}

/// A domain and a name within it; the empty domain is ONNX's own.
public struct OperatorName: Sendable, Hashable, CustomStringConvertible {
  public var domain: String
  public var name: String

  public init(_ name: String, domain: String = "") {
    (self.domain, self.name) = (domain, name)
  }

  public static let mlDomain = "ai.onnx.ml"
  /// The domain of the operators that ONNX can't say.
  public static let ownDomain = "dev.wherry"

  public var description: String { domain.isEmpty ? name : "\(domain).\(name)" }
}

/// What an operator takes and gives.
public struct Signature: Sendable {
  public struct Parameter: Sendable {
    public enum Arity: Sendable { case required, optional, variadic }
    public let name: String
    public let elements: ElementSet
    public let arity: Arity

    public init(_ name: String, _ elements: ElementSet = .all, _ arity: Arity = .required) {
      (self.name, self.elements, self.arity) = (name, elements, arity)
    }
  }

  public let name: OperatorName
  public let inputs: [Parameter]
  public let outputs: [Parameter]

  public init(_ name: String, domain: String = "", _ inputs: [Parameter], _ outputs: [Parameter]) {
    self.name = OperatorName(name, domain: domain)
    (self.inputs, self.outputs) = (inputs, outputs)
  }

  /// How many inputs a node may list, trailing optional ones aside.
  public var inputRange: ClosedRange<Int> { Self.range(inputs) }
  public var outputRange: ClosedRange<Int> { Self.range(outputs) }

  private static func range(_ list: [Parameter]) -> ClosedRange<Int> {
    let least = (list.lastIndex { $0.arity == .required }).map { $0 + 1 } ?? 0
    return least...(list.last?.arity == .variadic ? Int(Int32.max) : list.count)
  }
}

/// One attribute of an operator: its name and the property that holds it.
public struct Field<Owner>: Sendable {
  public let name: String
  public let kind: AttributeKind
  public let isRequired: Bool
  /// nil when the property is unset.
  public let get: @Sendable (Owner) -> AttributeValue?
  /// false when the value doesn't fit the property.
  public let set: @Sendable (inout Owner, AttributeValue) -> Bool

  public init<V: AttributeConvertible>(
    _ name: String, _ path: any WritableKeyPath<Owner, V> & Sendable, required: Bool = false
  ) {
    (self.name, kind, isRequired) = (name, V.kind, required)
    get = { $0[keyPath: path].attribute }
    set = { owner, value in
      guard let converted = V(attribute: value) else { return false }
      owner[keyPath: path] = converted
      return true
    }
  }
}

/// An operator that no table knows: kept whole so that it survives conversion; only running is refused.
public struct UnknownOperator: Operator {
  public static var signature: Signature {
    Signature("", [.init("inputs", .all, .variadic)], [.init("outputs", .all, .variadic)])
  }
  public static var fields: [Field<UnknownOperator>] { [] }

  public var name: OperatorName
  public var attributes: [NamedAttribute]
  public var nonDefaultAttributes: [NamedAttribute] { attributes }

  public init() { (name, attributes) = (OperatorName(""), []) }

  public init(_ name: OperatorName, attributes: [NamedAttribute]) {
    (self.name, self.attributes) = (name, attributes)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {}

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    throw RunError(.unknownOperator(name))
  }
}

/// The operators that a reader can make, by name.
public struct OperatorTable: Sendable {
  private let types: [OperatorName: any Operator.Type]

  public init(_ types: [any Operator.Type]) {
    self.types = Dictionary(types.map { ($0.signature.name, $0) }, uniquingKeysWith: { a, _ in a })
  }

  public subscript(name: OperatorName) -> (any Operator.Type)? { types[name] }

  /// All names, sorted.
  public var names: [OperatorName] { types.keys.sorted { $0.description < $1.description } }

  /// An operator from its attributes, or `UnknownOperator` for a name that is not in the table.
  ///
  /// - Throws: `AttributeProblem`, every one, when a known operator's attributes don't fit.
  public func make(
    _ name: OperatorName, _ attributes: [NamedAttribute]
  ) throws(AttributeProblems) -> any Operator {
    guard let type = types[name] else { return UnknownOperator(name, attributes: attributes) }
    return try Self.make(type, attributes)
  }

  private static func make<O: Operator>(
    _ type: O.Type, _ attributes: [NamedAttribute]
  ) throws(AttributeProblems) -> any Operator {
    var made = O()
    var problems: [AttributeProblems.Problem] = []
    var seen: Set<String> = []
    for attribute in attributes {
      if !seen.insert(attribute.name).inserted {
        problems.append(.init(attribute: attribute.name, kind: .duplicate))
      }
      guard let field = O.fields.first(where: { $0.name == attribute.name }) else {
        problems.append(.init(attribute: attribute.name, kind: .unknown))
        continue
      }
      if !field.set(&made, attribute.value) {
        problems.append(.init(attribute: attribute.name, kind: .wrongValue(expected: field.kind)))
      }
    }
    for field in O.fields where field.isRequired && !seen.contains(field.name) {
      problems.append(.init(attribute: field.name, kind: .missing))
    }
    guard problems.isEmpty else { throw AttributeProblems(problems: problems) }
    return made
  }
}

/// Attributes that don't fit their operator; never empty.
public struct AttributeProblems: Error {
  public struct Problem: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
      case unknown
      case duplicate
      case missing
      case wrongValue(expected: AttributeKind)
    }
    public let attribute: String
    public let kind: Kind
  }
  public let problems: [Problem]
}
