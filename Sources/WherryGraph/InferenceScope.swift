import WherryBytes

/// What inference knows of one value.
struct ValueFact: Sendable {
  var type: ValueType?
  /// Contents that don't depend on the inputs.
  var content: Tensor?
  /// Elements of an integer scalar or vector made of extents.
  var partial: [Dimension]?
  /// Whether the value is an optional input of a function that the caller leaves out.
  var isAbsent = false
}

/// The values of one graph under inference; those of the graphs around it are visible through `outer`.
///
/// Used by one thread only; it is a class so that a subgraph sees values without copying them.
final class InferenceScope: @unchecked Sendable {
  var facts: [String: ValueFact] = [:]
  private let outer: InferenceScope?

  init(outer: InferenceScope?) { self.outer = outer }

  func find(_ name: String) -> ValueFact? {
    var scope: InferenceScope? = self
    while let current = scope {
      if let fact = current.facts[name] { return fact }
      scope = current.outer
    }
    return nil
  }
}

/// What one inference found on its way, over all scopes. Used by one thread only.
final class InferenceJournal: @unchecked Sendable {
  private(set) var errors: [TypeError] = []
  private var seen: Set<TypeError> = []
  private var withdrawn: [TypeError: [TypeError]] = [:]
  /// Types of values of inner graphs: what all values of one name have in common, nil for nothing.
  private(set) var innerTypes: [String: ValueType?] = [:]
  private var stepsLeft: Int
  private var isExhausted = false

  init(steps: Int) { stepsLeft = steps }

  /// Adds an error, and those that `withdraw` took back for it.
  func note(_ error: TypeError) {
    for error in [error] + (withdrawn.removeValue(forKey: error) ?? [])
    where seen.insert(error).inserted { errors.append(error) }
  }

  /// Takes back the errors noted since there were `count`, for the caller to throw the first one: they
  /// count only if that one reaches `note`.
  func withdraw(since count: Int) -> TypeError? {
    let found = Array(errors[min(count, errors.count)...])
    guard let first = found.first else { return nil }
    errors.removeLast(found.count)
    seen.subtract(found)
    withdrawn[first] = found
    return first
  }

  func note(_ name: String, _ type: ValueType) {
    guard let known = innerTypes[name] else {
      innerTypes[name] = type
      return
    }
    innerTypes[name] = .some(known.flatMap { ValueType.union($0, type) })
  }

  /// Whether another node may be visited.
  func step(at place: Place) -> Bool {
    stepsLeft -= 1
    if stepsLeft >= 0 { return true }
    if !isExhausted { note(TypeError(.limit("steps of inference"), place)) }
    isExhausted = true
    return false
  }
}
