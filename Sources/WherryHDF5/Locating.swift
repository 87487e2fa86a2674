import WherryBytes

extension Place {
  /// Runs `body`; what it throws gets this place's road in front of its own.
  func locating<R>(_ body: () throws(DecodeError) -> R) throws(DecodeError) -> R {
    do {
      return try body()
    } catch {
      var error = error
      error.place.road = road + error.place.road
      throw error
    }
  }
}
