import WherryBytes

/// Which steps of sequences count, as a bool value `[batch, time]` that is made when somebody asks.
final class SequenceMask {
  private let make: () throws(DecodeError) -> Wire
  private var made: Wire?

  init(_ make: @escaping () throws(DecodeError) -> Wire) { self.make = make }

  func wire() throws(DecodeError) -> Wire {
    if let made { return made }
    let wire = try make()
    made = wire
    return wire
  }
}
