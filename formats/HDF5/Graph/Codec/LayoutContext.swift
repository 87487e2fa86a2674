import WherryBytes
import WherryGraph
import WherryHDF5

/// What one reading of a file shares: its limits, what it has used of them, and the problems found.
final class LayoutContext {
  let source: ModelSource
  private(set) var problems: [DecodeError] = []
  /// Addresses of the objects that are part of the model already.
  private var seen: Set<Int> = []
  private var entries = 0
  private var expanded = 0

  init(_ source: ModelSource) { self.source = source }

  /// Counts an object; each is one part of the model, so that links can't multiply what a file holds.
  func enter(_ address: Int, _ place: Place) throws(DecodeError) {
    guard seen.insert(address).inserted else {
      throw DecodeError(.duplicate("object at byte \(address)"), place)
    }
  }

  /// Counts attributes and links.
  func count(_ number: Int, _ place: Place) throws(DecodeError) {
    entries += number
    guard entries <= source.limits.elements else {
      throw DecodeError(.limit("elements", source.limits.elements), place)
    }
  }

  /// Counts bytes of values that are made in memory.
  func spend(_ bytes: Int, _ place: Place) throws(DecodeError) {
    guard let sum = Checked.add(expanded, bytes), sum <= source.limits.expandedBytes else {
      throw DecodeError(.limit("expanded bytes", source.limits.expandedBytes), place)
    }
    expanded = sum
  }

  /// Runs `body` and keeps what it throws, so that one problem does not hide the others.
  ///
  /// - Returns: nil after a problem.
  /// - Throws: the last problem that `Limits.problems` allows.
  func noting<R>(_ body: () throws(DecodeError) -> R) throws(DecodeError) -> R? {
    do throws(DecodeError) {
      return try body()
    } catch {
      if problems.last != error { problems.append(error) }
      guard problems.count < source.limits.problems else { throw error }
      return nil
    }
  }
}
