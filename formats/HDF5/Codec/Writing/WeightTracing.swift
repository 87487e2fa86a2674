import WherryBytes
import WherryGraph
import WherryText

/// Finds a Keras model's weights again in the constants of a graph made from it.
///
/// The graph is made a second time from weights whose elements are their own places; where those end up
/// says where each element comes from. No rearrangement needs an inverse of its own.
struct WeightTracing {
  /// A weight's place among all elements, and what the file calls it.
  struct Source {
    var layer: String
    var key: String
    var name: String
    var element: ElementType
    var shape: [Int]
    var first: Int
    var count: Int

    func contains(_ place: Int) -> Bool { place >= first && place - first < count }
  }

  let sources: [Source]

  /// - Parameter listing: as `WeightTable.listing` writes it; nil when it is not of that form.
  init?(_ listing: JSONValue) {
    guard let entries = listing.array else { return nil }
    var sources: [Source] = []
    var first = 0
    for entry in entries {
      guard let parts = entry.array, parts.count == 5, let layer = parts[0].string,
        let key = parts[1].string, let name = parts[2].string,
        let element = parts[3].string.flatMap({ ElementType(name: $0) }),
        let extents = parts[4].array?.map(\.integer), !extents.contains(nil),
        let count = Checked.product(extents.compactMap { $0 }),
        let next = Checked.add(first, count), next < 1 << 31
      else { return nil }
      let shape = extents.compactMap { $0 }
      sources.append(
        Source(
          layer: layer, key: key, name: name, element: element, shape: shape, first: first,
          count: count))
      first = next
    }
    self.sources = sources
  }

  /// How often the graph has to be made: places don't fit into 16 bits.
  var rounds: Int { sources.contains { $0.element.bitWidth == 16 } ? 2 : 1 }

  /// Whether places fit into the elements at all.
  var isTraceable: Bool {
    sources.allSatisfy { [16, 32, 64].contains($0.element.bitWidth) && !$0.element.isComplex }
  }

  /// Weights whose elements are their places, counted from 1 so that zeros of other origin differ.
  ///
  /// - Parameter round: which part of the place, where it is stored in parts.
  func marked(round: Int) -> WeightTable {
    var table = WeightTable()
    for source in sources {
      let weight = WeightVariable(name: source.name, source.element, source.shape) {
        () throws(DecodeError) in
        let bytes = Bytes(count: source.count * source.element.bitWidth / 8) { target in
          switch source.element.bitWidth {
          case 16: Self.fill(target, source) { Self.digit($0, round) }
          case 32: Self.fill(target, source) { UInt32(truncatingIfNeeded: $0 + 1) }
          default: Self.fill(target, source) { UInt64(truncatingIfNeeded: $0 + 1) }
          }
        }
        guard let tensor = Tensor(source.element, source.shape, bytes: bytes) else {
          throw DecodeError(.invalid("a weight of \(source.element)"))
        }
        return tensor
      }
      table.set(source.layer, source.key, weight)
    }
    return table
  }

  private static func fill<T: BitwiseCopyable>(
    _ target: UnsafeMutableRawBufferPointer, _ source: Source, _ mark: (Int) -> T
  ) {
    for index in 0..<source.count {
      target.storeBytes(
        of: mark(source.first + index), toByteOffset: index * MemoryLayout<T>.size, as: T.self)
    }
  }

  /// Neither digit is ever 0.
  private static let base = 0xFFFF

  private static func digit(_ place: Int, _ round: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: (round == 0 ? place % base : place / base) + 1)
  }

  /// The places that a constant's elements came from.
  struct Places {
    let count: Int
    /// The place of the element at an index below `count`; -1 for one of other origin.
    let at: (Int) -> Int
  }

  /// Gives `body` the places that the marks of all rounds say.
  static func withPlaces<R>(_ rounds: [Tensor], _ body: (Places) -> R) -> R {
    guard let first = rounds.first else { return body(Places(count: 0) { _ in -1 }) }
    return first.bytes.withUnsafeBytes { low in
      switch first.element.bitWidth {
      case 16:
        guard rounds.count == 2, rounds[1].bytes.count == low.count else {
          return body(Places(count: 0) { _ in -1 })
        }
        return rounds[1].bytes.withUnsafeBytes { high in
          body(
            Places(count: low.count / 2) { index in
              let a = Int(low.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
              let b = Int(high.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
              return a == 0 || b == 0 ? -1 : (b - 1) * base + a - 1
            })
        }
      case 32:
        return body(
          Places(count: low.count / 4) {
            Int(low.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) - 1
          })
      default:
        return body(
          Places(count: low.count / 8) {
            Int(truncatingIfNeeded: low.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) - 1
          })
      }
    }
  }
}
