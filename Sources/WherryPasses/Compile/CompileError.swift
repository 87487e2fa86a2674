import WherryBytes
import WherryGraph

/// Everything that keeps a model from being compiled, all at once; never empty.
public struct CompileError: Error, Sendable, CustomStringConvertible {
  public let problems: [CompileProblem]

  public init(_ problems: [CompileProblem]) { self.problems = problems }

  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One thing that keeps a model from being compiled, and where in the graph.
public struct CompileProblem: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Reason: Sendable, Hashable {
    /// An input whose extents are not fixed; the axes that `inputShapes` must settle.
    case openInput(name: String, axes: [Int])
    /// An input or output that is not a tensor.
    case notTensor(String)
    /// Extents that depend on input data.
    case openShape(String)
    /// An operator without a kernel.
    case unsupportedOperator(OperatorName)
    /// An element type the kernels don't compute with.
    case unsupportedElement(ElementType)
    /// A known operator used in a way that has no kernel.
    case unsupported(String)
    /// An input that must be constant for the plan to be laid out.
    case notConstant(input: Int)
    /// More elements than a plan can address.
    case tooLarge(String)
    case type(TypeError.Reason)
    case run(RunError.Reason)
    case invalid(String)
  }

  public var reason: Reason
  public var place: Place

  public init(_ reason: Reason, _ place: Place = Place()) {
    (self.reason, self.place) = (reason, place)
  }

  public var description: String {
    place.telling(reason)
  }
}

extension CompileProblem.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .openInput(let name, let axes): "input \"\(name)\" has no fixed extent on axes \(axes)"
    case .notTensor(let name): "\"\(name)\" is not a tensor"
    case .openShape(let name): "the shape of \"\(name)\" depends on input data"
    case .unsupportedOperator(let name): "operator \(name) has no kernel"
    case .unsupportedElement(let element): "no kernel computes with \(element)"
    case .unsupported(let what): "no kernel for \(what)"
    case .notConstant(let input): "input \(input) must be constant"
    case .tooLarge(let what): "\(what) is too large"
    case .type(let reason): "\(reason)"
    case .run(let reason): "\(reason)"
    case .invalid(let what): "invalid: \(what)"
    }
  }
}
