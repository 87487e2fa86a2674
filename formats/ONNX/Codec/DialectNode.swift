import WherryBytes
import WherryGraph

/// A node in the form of some operator set, on its way to the newest one or back.
struct DialectNode {
  var name: OperatorName
  var attributes: [NamedAttribute]
  var inputs: [String?]
  var outputs: [String?]

  /// The value of an attribute; setting nil takes it away.
  subscript(_ attribute: String) -> AttributeValue? {
    get { attributes.first { $0.name == attribute }?.value }
    set {
      let index = attributes.firstIndex { $0.name == attribute }
      switch (index, newValue) {
      case (let index?, let value?): attributes[index].value = value
      case (let index?, nil): attributes.remove(at: index)
      case (nil, let value?): attributes.append(NamedAttribute(attribute, value))
      case (nil, nil): break
      }
    }
  }

  /// Takes an attribute away and gives its value.
  mutating func take(_ attribute: String) -> AttributeValue? {
    defer { self[attribute] = nil }
    return self[attribute]
  }

  func int(_ attribute: String) -> Int64? {
    if case .int(let value)? = self[attribute] { value } else { nil }
  }

  func text(_ attribute: String) -> String? {
    if case .string(let value)? = self[attribute] { value.text } else { nil }
  }

  /// The name at an input; nil when it is left out or not listed.
  func input(_ index: Int) -> String? { index < inputs.count ? inputs[index] : nil }

  /// Puts a name at an input, with inputs left out before it as needed.
  mutating func setInput(_ index: Int, _ name: String?) {
    while inputs.count <= index { inputs.append(nil) }
    inputs[index] = name
    while let last = inputs.last, last == nil { inputs.removeLast() }
  }

  /// Whether an output is asked for.
  func wants(_ output: Int) -> Bool { output < outputs.count && outputs[output] != nil }
}

/// Why a node can't be said in another operator set.
struct DialectRefusal: Error {
  let what: String
  init(_ what: String) { self.what = what }
}

/// One change in the definition of some operators, in both directions.
struct DialectChange: Sendable {
  typealias Lift = @Sendable (inout DialectNode, DialectLiftingSite) throws(DialectRefusal) -> Void
  typealias Lower =
    @Sendable (inout DialectNode, DialectLoweringSite) throws(DialectRefusal) -> Void

  /// The operators concerned, under their names before and after.
  let operators: [String]
  let domain: String
  /// The operator set that brought the change.
  let version: Int64
  /// From the form before the change to the one after it.
  let lift: Lift
  /// From the form after the change to the one before it.
  let lower: Lower

  init(
    _ operators: [String], domain: String = "", since version: Int64, lift: @escaping Lift,
    lower: @escaping Lower
  ) {
    (self.operators, self.domain, self.version) = (operators, domain, version)
    (self.lift, self.lower) = (lift, lower)
  }

  /// All changes, by operator, oldest first.
  static let table: [OperatorName: [DialectChange]] = {
    var table: [OperatorName: [DialectChange]] = [:]
    for change in shapeChanges + mathChanges + networkChanges + earlyChanges {
      for name in change.operators {
        table[OperatorName(name, domain: change.domain), default: []].append(change)
      }
    }
    return table.mapValues { $0.sorted { $0.version < $1.version } }
  }()
}
