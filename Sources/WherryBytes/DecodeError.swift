/// Why bytes are not the model they claim to be, and where.
public struct DecodeError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The bytes end before what they announce; counts in bytes.
    case truncated(needed: Int, available: Int)
    /// The first bytes are those of no format, or of another.
    case notThisFormat(String)
    /// A format version that is not read.
    case unsupportedVersion(String)
    /// Something valid that is not supported, by its own name.
    case unsupported(String)
    /// A value outside its range or against the rules of its format.
    case invalid(String)
    /// Two parts that contradict each other.
    case inconsistent(String)
    /// A name that must be unique stands twice.
    case duplicate(String)
    /// A name that refers to nothing.
    case missing(String)
    /// Text that is not UTF-8.
    case notUTF8
    /// A budget of `Limits` is used up.
    case limit(String, Int)
    /// A path in the file that leaves the model's folder or goes through a link.
    case escapingPath(String)
    /// The file, or one it refers to, can't be read.
    case file(FileError)
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

extension DecodeError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let needed, let available):
      "the file ends early: \(needed) bytes needed, \(available) left"
    case .notThisFormat(let what): "not \(what)"
    case .unsupportedVersion(let what): "unsupported version: \(what)"
    case .unsupported(let what): "unsupported: \(what)"
    case .invalid(let what): "invalid: \(what)"
    case .inconsistent(let what): "inconsistent: \(what)"
    case .duplicate(let name): "\"\(name)\" stands twice"
    case .missing(let name): "\"\(name)\" is not defined"
    case .notUTF8: "text is not UTF-8"
    case .limit(let what, let value): "more than the limit of \(value) \(what)"
    case .escapingPath(let path): "the path \"\(path)\" leaves the model's folder"
    case .file(let error): error.description
    }
  }
}

/// Everything wrong with a file, all at once; never empty.
public struct ReadFailure: Error, CustomStringConvertible {
  public let errors: [DecodeError]

  public init(_ errors: [DecodeError]) { self.errors = errors }
  public init(_ error: DecodeError) { errors = [error] }

  public var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Why a model can't be written, and where in the model.
public struct EncodeError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The format has no way to say this.
    case inexpressible(String)
    /// The model breaks a rule that every format relies on.
    case invalid(String)
    /// A loss that strict writing forbids.
    case loss(String)
    case file(FileError)
  }

  public var reason: Reason
  public var place: Place

  public init(_ reason: Reason, _ place: Place = Place()) {
    (self.reason, self.place) = (reason, place)
  }

  public var description: String {
    let what =
      switch reason {
      case .inexpressible(let what): "can't be written: \(what)"
      case .invalid(let what): "invalid: \(what)"
      case .loss(let what): "would be lost: \(what)"
      case .file(let error): error.description
      }
    return place.telling(what)
  }
}
