import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryHDF5
import WherryHDF5Graph
import WherryOperators

/// Files of the graph layout that mean harm, or that chance has damaged, are refused with a reason.
@Suite struct GraphLayoutHostileTests {
  private func file(
    _ members: [(name: String, object: HDF5Draft.Object)], version: Int64 = 1
  ) throws -> [UInt8] {
    let sink = MemorySink()
    let root = HDF5Draft.Group(
      attributes: [.init("format", .text("wherry-graph")), .init("version", .integer(version))],
      members: members)
    try HDF5Writer.write(root, to: sink)
    return sink.bytes
  }

  private func errors(_ bytes: [UInt8], limits: Limits = .standard) -> [DecodeError] {
    do throws(ReadFailure) {
      _ = try decoded(bytes, limits: limits)
      return []
    } catch {
      return error.errors
    }
  }

  private func record(_ attributes: [HDF5Draft.Attribute]) -> HDF5Draft.Object {
    .group(.init(attributes: attributes))
  }

  @Test func newerVersionsAreRefused() throws {
    let reasons = errors(try file([("graph", record([]))], version: 2)).map(\.reason)
    #expect(reasons == [.unsupportedVersion("wherry-graph 2")])
  }

  @Test func unknownValuesAreRefused() throws {
    let found = errors(try file([("graph", record([.init("nmae", .text("x"))]))]))
    #expect(found.map(\.reason) == [.invalid("unknown value \"nmae\"")])
    #expect(found.first?.place.road == [.named("graph", nil)])
  }

  @Test func everyWrongNodeIsNamed() throws {
    let nodes = HDF5Draft.Group(members: [
      ("0", record([.init("op", .text("Gemm")), .init("inputs", .integer(3))])),
      ("1", record([.init("op", .text("Relu"))])),
      ("2", record([.init("op", .text("Relu")), .init("isRaw", .text("yes"))])),
      ("4", record([])),
    ])
    let graph = HDF5Draft.Group(members: [("nodes", .group(nodes))])
    let found = errors(try file([("graph", .group(graph))]))
    #expect(
      found.map { $0.place.road.dropFirst().first } == [0, 2, 3].map { .indexed("node", $0, nil) })
    #expect(found.last?.reason == .missing("3"))
  }

  /// A subgraph that two links lead to would be read twice, one in it four times, and so on.
  @Test func objectsThatTwoLinksLeadToAreRefused() throws {
    let graph = HDF5Draft.Group(members: [("nodes", .softLink("/nodes"))])
    let nodes = HDF5Draft.Group(members: [
      ("0", record([.init("op", .text("Relu"))])), ("1", .softLink("0")),
    ])
    let found = errors(try file([("graph", .group(graph)), ("nodes", .group(nodes))]))
    guard case .duplicate = found.first?.reason else {
      Issue.record("\(found)")
      return
    }
  }

  @Test func subgraphsOfNoEndAreRefused() throws {
    var graph = HDF5Draft.Group(attributes: [.init("kind", .text("graph"))])
    for _ in 0..<40 {
      let attributes = HDF5Draft.Group(members: [("body", .group(graph))])
      let node = HDF5Draft.Group(
        attributes: [.init("op", .text("Odd")), .init("domain", .text("d"))],
        members: [("attributes", .group(attributes))])
      graph = HDF5Draft.Group(
        attributes: [.init("kind", .text("graph"))],
        members: [("nodes", .group(.init(members: [("0", .group(node))])))])
    }
    graph.attributes = []
    var limits = Limits()
    limits.depth = 30
    let bytes = try file([("graph", .group(graph))])
    #expect(errors(bytes).isEmpty)
    #expect(!errors(bytes, limits: limits).isEmpty)
  }

  @Test func damagedFilesAreReadOrRefused() throws {
    let parent = try encoded(SampleModel.everything)
    let count = Suites.environment("WHERRY_MUTANTS").flatMap { Int($0) } ?? 1000
    var state: UInt64 = 1
    func below(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    var limits = Limits()
    (limits.expandedBytes, limits.elements) = (1 << 22, 1 << 14)
    var (read, refused) = (0, 0)
    for _ in 0..<count {
      var bytes = parent
      for _ in 0...below(3) { bytes[below(bytes.count)] = UInt8(below(256)) }
      if errors(bytes, limits: limits).isEmpty { read += 1 } else { refused += 1 }
    }
    #expect(read > 0 && refused > count / 10, "\(read) read, \(refused) refused")
  }
}
