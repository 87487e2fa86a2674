import Testing

@testable import WherryPasses

private func overlaps(_ a: ArenaPlanner.Need, _ b: ArenaPlanner.Need) -> Bool {
  a.first <= b.last && b.first <= a.last
}

@Test func buffersNeededTogetherNeverShareMemory() {
  var random = SplitMix(seed: 3)
  for _ in 0..<50 {
    let count = 2 + random.below(40)
    let needs = (0..<count).map { _ in
      let first = random.below(30)
      return ArenaPlanner.Need(
        bytes: 64 * (1 + random.below(50)), first: first, last: first + random.below(6))
    }
    let planner = ArenaPlanner(needs, operationCount: 40)
    let layout = planner.layout()
    #expect(layout.bytes >= planner.bound)
    for i in 0..<count {
      #expect(layout.offsets[i] % 64 == 0)
      #expect(layout.offsets[i] + needs[i].bytes <= layout.bytes)
      for j in 0..<i where overlaps(needs[i], needs[j]) {
        let apart =
          layout.offsets[i] + needs[i].bytes <= layout.offsets[j]
          || layout.offsets[j] + needs[j].bytes <= layout.offsets[i]
        #expect(apart, "buffers \(i) and \(j)")
      }
    }
  }
}

@Test func aChainNeedsItsTwoLargestNeighbours() {
  let needs = [(640, 0, 1), (1280, 1, 2), (64, 2, 3), (1920, 3, 4)].map {
    ArenaPlanner.Need(bytes: $0.0, first: $0.1, last: $0.2)
  }
  let planner = ArenaPlanner(needs, operationCount: 5)
  #expect(planner.bound == 1984)
  #expect(planner.layout().bytes == 1984)
}

@Test func equalNeedsGiveEqualLayouts() {
  var random = SplitMix(seed: 9)
  let needs = (0..<60).map { index in
    ArenaPlanner.Need(
      bytes: 64 * (1 + random.below(9)), first: index, last: index + random.below(9))
  }
  let first = ArenaPlanner(needs, operationCount: 80).layout()
  let second = ArenaPlanner(needs, operationCount: 80).layout()
  #expect(first.offsets == second.offsets)
}
