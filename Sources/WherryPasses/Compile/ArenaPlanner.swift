import CWherryABI
import WherryGraph

/// Gives every buffer of a plan its place in the arena.
///
/// Two buffers may share memory when they are not needed at the same time. Several orders of placing
/// are tried, each putting a buffer at the lowest free place; the smallest arena wins. Deterministic.
public struct ArenaPlanner {
  /// A buffer and the operations between which it is needed, both included.
  struct Need: Sendable {
    var bytes: Int
    var first: Int
    var last: Int
  }

  struct Layout: Sendable {
    var offsets: [Int]
    var bytes: Int
  }

  private let needs: [Need]
  private let operationCount: Int

  init(_ needs: [Need], operationCount: Int) {
    (self.needs, self.operationCount) = (needs, operationCount)
  }

  /// `bytes` rounded up to `WH_ALIGNMENT`.
  public static func aligned(_ bytes: Int) -> Int {
    (bytes + Int(WH_ALIGNMENT) - 1) / Int(WH_ALIGNMENT) * Int(WH_ALIGNMENT)
  }

  /// The largest sum of sizes at one operation: no layout is smaller.
  var bound: Int {
    var change = [Int](repeating: 0, count: operationCount + 3)
    for need in needs {
      change[need.first + 1] += need.bytes
      change[need.last + 2] -= need.bytes
    }
    var (now, most) = (0, 0)
    for delta in change {
      now += delta
      most = max(most, now)
    }
    return most
  }

  func layout() -> Layout {
    let all = needs.indices.filter { needs[$0].bytes > 0 }
    let bound = bound
    let length = { (i: Int) in needs[i].last - needs[i].first }
    let bySize = all.sorted {
      (-needs[$0].bytes, needs[$0].first, $0) < (-needs[$1].bytes, needs[$1].first, $1)
    }
    let byBreadth = breadthOrder(all)
    let byTime = all.sorted {
      (needs[$0].first, -needs[$0].bytes, $0) < (needs[$1].first, -needs[$1].bytes, $1)
    }
    let byArea = all.sorted {
      (-needs[$0].bytes * (length($0) + 1), $0) < (-needs[$1].bytes * (length($1) + 1), $1)
    }
    var best: (layout: Layout, order: [Int])?
    for order in [bySize, byBreadth, byTime, byArea] {
      let found = place(order)
      if best == nil || found.bytes < best?.layout.bytes ?? .max { best = (found, order) }
      if found.bytes == bound { return found }
    }
    guard let start = best else { return Layout(offsets: [], bytes: 0) }
    return search(from: start.layout, order: start.order, bound: bound)
  }

  /// Swaps neighbours of the best order at random, keeping what is not worse.
  private func search(from layout: Layout, order: [Int], bound: Int) -> Layout {
    var random = SplitMix(seed: 0x5EED)
    var (best, order) = (layout, order)
    guard order.count > 2 else { return best }
    // The work of one placing grows with the square of the count.
    let rounds = min(2000, max(20, 20_000_000 / (order.count * order.count)))
    for _ in 0..<rounds {
      var candidate = order
      candidate.swapAt(random.below(order.count), random.below(order.count))
      let found = place(candidate)
      guard found.bytes <= best.bytes else { continue }
      (best, order) = (found, candidate)
      if best.bytes == bound { break }
    }
    return best
  }

  /// Buffers of the operation that needs most memory first, then of the next.
  private func breadthOrder(_ all: [Int]) -> [Int] {
    var load = [Int](repeating: 0, count: operationCount + 2)
    var members = [[Int]](repeating: [], count: operationCount + 2)
    for index in all {
      for operation in needs[index].first...needs[index].last {
        load[operation + 1] += needs[index].bytes
        members[operation + 1].append(index)
      }
    }
    var (order, seen): ([Int], Set<Int>) = ([], [])
    for operation in load.indices.sorted(by: { (-load[$0], $0) < (-load[$1], $1) }) {
      for index in members[operation].sorted(by: {
        (-needs[$0].bytes, $0) < (-needs[$1].bytes, $1)
      }) where seen.insert(index).inserted {
        order.append(index)
      }
    }
    return order
  }

  /// Puts each buffer at the lowest place that is free for as long as it is needed.
  private func place(_ order: [Int]) -> Layout {
    var offsets = [Int](repeating: 0, count: needs.count)
    var placed: [Int] = []
    var end = 0
    for index in order {
      let need = needs[index]
      var at = 0
      for other in placed {
        let taken = needs[other]
        guard taken.first <= need.last, need.first <= taken.last else { continue }
        if offsets[other] >= at + need.bytes { break }
        at = max(at, offsets[other] + taken.bytes)
      }
      offsets[index] = at
      end = max(end, at + need.bytes)
      var (low, high) = (0, placed.count)
      while low < high {
        let middle = (low + high) / 2
        if offsets[placed[middle]] <= at { low = middle + 1 } else { high = middle }
      }
      placed.insert(index, at: low)
    }
    return Layout(offsets: offsets, bytes: end)
  }
}

/// A small seeded generator, so that equal models give equal plans.
///
/// - Source: Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014.
public struct SplitMix: Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// A number in `0 ..< limit`; `limit` is at least 1.
  public mutating func below(_ limit: Int) -> Int { Int(next() >> 1) % limit }

  /// A number in `-1 ..< 1`.
  public mutating func unit() -> Float {
    Float(Int32(truncatingIfNeeded: next() >> 32)) / 2_147_483_648
  }
}
