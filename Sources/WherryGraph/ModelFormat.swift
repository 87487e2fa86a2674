import WherryBytes

/// A file format that models are read from or written to. One folder under formats/ each.
public protocol ModelFormat: Sendable {
  /// Short name for `--from` and `--to`, lower case: `onnx`.
  static var name: String { get }
  /// File name endings without the dot, the preferred one first.
  static var extensions: [String] { get }
  /// One line for help and the README's table.
  static var summary: String { get }

  /// Whether the content looks like this format; reads a few bytes only.
  static func recognizes(_ bytes: Bytes) -> Bool

  /// Reads a model and lists what could not be carried over.
  ///
  /// - Throws: `ReadFailure` with every problem found.
  static func read(_ source: ModelSource) throws(ReadFailure) -> Reading

  /// Writes a model; deterministic: equal models give equal bytes.
  ///
  /// - Returns: everything the format could not hold.
  /// - Throws: `EncodeError` when nothing usable can be written.
  static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss]
}

/// The bytes of a model file and where they came from.
public struct ModelSource: Sendable {
  public var bytes: Bytes
  /// The file's path, for formats whose models span several files; nil for standard input.
  public var path: String?
  public var limits: Limits
  public var operators: OperatorTable

  public init(
    _ bytes: Bytes, path: String? = nil, limits: Limits = .standard, operators: OperatorTable
  ) {
    (self.bytes, self.path, self.limits, self.operators) = (bytes, path, limits, operators)
  }
}

/// A model as read from a file, and what the reader could not carry over.
public struct Reading: Sendable {
  public var model: Model
  public var losses: [Loss]

  public init(_ model: Model, losses: [Loss] = []) { (self.model, self.losses) = (model, losses) }
}

/// How a model is written; each format takes what concerns it.
public struct WriteOptions: Sendable {
  /// ONNX operator set to write; nil: the one the model came with, else the newest.
  public var opset: Int64?
  /// Where the file will be, for formats that write a second file beside it; nil: in memory.
  public var path: String?
  /// Tensors of at least this many bytes go beside the file, in formats that can; nil: only if needed.
  public var externalDataThreshold: Int?
  /// JSON: tensors of at most this many elements as decimals, larger ones as base64.
  public var decimalElements = 64
  /// JSON: line breaks and indentation.
  public var isPretty = true
  /// Native: leave the portable graph out, keeping only what the runtime needs.
  public var isPlanOnly = false
  /// Native: put in seeded inputs with their outputs, for a self-test on the board.
  public var includesSelfTest = true
  /// Native: names of passes to leave out on the way to the plan.
  public var skippedPasses: Set<String> = []
  /// Extents for symbolic or unknown input axes, by input name, for formats that need fixed shapes.
  public var inputShapes: [String: [Int]] = [:]

  public init() {}
}

/// Something a format could not carry over.
public struct Loss: Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable {
    /// Numbers come out different.
    case numeric
    /// The model computes the same, but something about it is gone.
    case information
    /// Part of the file's purpose is missing, such as a plan for the runtime.
    case capability
  }
  public var kind: Kind
  public var what: String
  public var place: Place

  public init(_ kind: Kind, _ what: String, _ place: Place = Place()) {
    (self.kind, self.what, self.place) = (kind, what, place)
  }

  public var description: String {
    "\(kind.rawValue): " + place.telling(what)
  }
}

/// A change of a model that keeps what it computes.
public protocol Pass: Sendable {
  /// Lower case with hyphens: `fold-constants`.
  static var name: String { get }
  static var summary: String { get }
  /// Largest difference it may make in an output, relative to the output's largest value.
  static var tolerance: Double { get }
  /// - Returns: how many places changed.
  static func run(_ model: inout Model) throws(RunError) -> Int
}

extension Pass {
  public static var tolerance: Double { 1e-5 }
}
