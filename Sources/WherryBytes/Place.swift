/// Where in a file and in a model something is.
///
/// Printed as `byte 1042, graph > node 17 "conv1" > attribute "pads"`.
public struct Place: Hashable, Sendable, CustomStringConvertible {
  /// A position in the source.
  public enum Position: Hashable, Sendable {
    case byte(Int)
    case text(line: Int, column: Int)
  }

  /// One step of the road through the model.
  public enum Step: Hashable, Sendable {
    /// A named part: `graph`, `attribute "pads"`, `initializer "w"`.
    case named(String, String?)
    /// A numbered part, with its name if it has one: `node 17 "conv1"`.
    case indexed(String, Int, String?)
  }

  public var position: Position?
  public var road: [Step]

  public init(_ position: Position? = nil, road: [Step] = []) {
    (self.position, self.road) = (position, road)
  }

  public static func byte(_ offset: Int) -> Place { Place(.byte(offset)) }

  public static func line(_ line: Int, column: Int) -> Place {
    Place(.text(line: line, column: column))
  }

  /// This place, one step further inside.
  public func inside(_ part: String, _ name: String? = nil) -> Place {
    Place(position, road: road + [.named(part, name)])
  }

  /// This place, one numbered step further inside.
  public func inside(_ part: String, at index: Int, _ name: String? = nil) -> Place {
    Place(position, road: road + [.indexed(part, index, name)])
  }

  /// This place at a position of the source.
  public func at(_ position: Position) -> Place { Place(position, road: road) }

  /// A line about what is here: the place if there is one, then `what`.
  public func telling(_ what: some CustomStringConvertible) -> String {
    let place = description
    return place.isEmpty ? what.description : "\(place): \(what)"
  }

  public var description: String {
    let steps = road.map { step in
      switch step {
      case .named(let part, let name): part + (name.map { " \"\($0)\"" } ?? "")
      case .indexed(let part, let index, let name):
        "\(part) \(index)" + (name.flatMap { $0.isEmpty ? nil : " \"\($0)\"" } ?? "")
      }
    }
    let source: [String] =
      switch position {
      case .byte(let offset): ["byte \(offset)"]
      case .text(let line, let column): ["line \(line), column \(column)"]
      case nil: []
      }
    return (source + (steps.isEmpty ? [] : [steps.joined(separator: " > ")])).joined(
      separator: ", ")
  }
}
