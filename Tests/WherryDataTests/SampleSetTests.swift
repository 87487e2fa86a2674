import Testing
import WherryBytes
import WherryGraph

@testable import WherryData

/// Calibration samples: how files become samples, and what is refused where.
@Suite struct SampleSetTests {
  private func model(_ inputs: [(String, [Dimension])]) -> Model {
    Model(
      graph: Graph(inputs: inputs.map { ValueInfo($0.0, .tensor(.float32, Shape($0.1))) }))
  }

  private func npy(_ shape: [Int], _ numbers: [Float]? = nil) throws -> Bytes {
    let count = shape.reduce(1, *)
    let elements = numbers ?? (0..<count).map { Float($0) }
    return Bytes(Npy.write(try #require(Tensor(.float32, shape, elements: elements))))
  }

  private func refusal(_ body: () throws(DecodeError) -> Void) -> DecodeError? {
    do throws(DecodeError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func rowsOfSeveralFilesAreSamples() throws {
    var samples = SampleSet(model([("x", [.symbolic("batch"), 2])]))
    try samples.add(try npy([3, 2]), path: "a.npy", input: nil)
    try samples.add(Bytes("7,8\n9,10\n".utf8), path: "b.csv", input: nil)
    try samples.check()
    #expect(samples.count == 5)
    #expect(samples.sample(1)["x"]?.doubles == [2, 3])
    #expect(samples.sample(4)["x"]?.doubles == [9, 10])
    #expect(samples.sample(4)["x"]?.shape == [1, 2])
    #expect(samples.sample(5)["x"] == nil)
  }

  @Test func aFixedBatchIsOneSample() throws {
    var samples = SampleSet(model([("x", [2, 2])]))
    try samples.add(try npy([6, 2]), path: "a.npy", input: nil)
    #expect(samples.count == 3)
    #expect(samples.sample(2)["x"]?.doubles == [8, 9, 10, 11])
    let error = refusal { () throws(DecodeError) in
      try samples.add((try? npy([3, 2])) ?? Bytes(), path: "b.npy", input: nil)
    }
    #expect(error?.reason == .inconsistent("3 rows do not make samples of 2"))
    #expect(error?.place == Place().inside("input", "x").inside("sample", at: 4))
  }

  @Test func numbersThatAreNotFiniteAreNamed() throws {
    for bad in [Float.nan, .infinity] {
      var samples = SampleSet(model([("x", [.unknown, 2])]))
      try samples.add(try npy([1, 2]), path: "a.npy", input: nil)
      let bytes = try npy([2, 2], [1, 2, 3, bad])
      let error = refusal { () throws(DecodeError) in
        try samples.add(bytes, path: "b.npy", input: nil)
      }
      #expect(error?.reason == .invalid("NaN or infinite"))
      #expect(
        error?.place
          == Place().inside("input", "x").inside("sample", at: 2).inside("element", at: 1))
    }
  }

  @Test func wrongShapesAreRefusedAtTheirInput() throws {
    for shape in [[3, 3], [2], [2, 2, 1]] {
      var samples = SampleSet(model([("x", [.unknown, 2])]))
      let bytes = try npy(shape)
      let error = refusal { () throws(DecodeError) in
        try samples.add(bytes, path: "a.npy", input: nil)
      }
      guard case .inconsistent = error?.reason else {
        Issue.record("\(shape): \(String(describing: error))")
        continue
      }
      #expect(error?.place == Place().inside("input", "x"))
      #expect(samples.count == 0)
    }
    var samples = SampleSet(model([("x", [.unknown, 2])]))
    let error = refusal { () throws(DecodeError) in
      try samples.add(Bytes("1,2,3\n".utf8), path: "a.csv", input: nil)
    }
    guard case .inconsistent = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.place.road.contains(Place().inside("input", "x").road[0]) == true)
  }

  @Test func emptyDataIsRefusedAtItsSample() throws {
    var samples = SampleSet(model([("x", [.unknown, 2])]))
    try samples.add(try npy([3, 2]), path: "a.npy", input: nil)
    let bytes = try npy([0, 2])
    let error = refusal { () throws(DecodeError) in
      try samples.add(bytes, path: "b.npy", input: nil)
    }
    #expect(error?.reason == .invalid("a sample of shape [0, 2] is empty"))
    #expect(error?.place == Place().inside("input", "x").inside("sample", at: 3))
    #expect(throws: DecodeError.self) { try samples.add(Bytes(), path: "c.npy", input: nil) }
    let none = refusal { () throws(DecodeError) in
      try SampleSet(model([("x", [.unknown, 2])])).check()
    }
    #expect(none?.reason == .invalid("no samples"))
    #expect(none?.place == Place().inside("input", "x"))
  }

  @Test func inputsNeedTheSameNumberOfSamples() throws {
    var samples = SampleSet(model([("x", [.unknown, 2]), ("y", [.unknown, 1])]))
    try samples.add(try npy([3, 2]), path: "a.npy", input: "x")
    #expect(throws: DecodeError.self) { try samples.check() }
    try samples.add(try npy([2, 1]), path: "b.npy", input: "y")
    #expect(throws: DecodeError.self) { try samples.check() }
    try samples.add(try npy([1, 1]), path: "c.npy", input: "y")
    try samples.check()
    #expect(samples.count == 3 && samples.sample(2)["y"]?.doubles == [0])
  }

  @Test func eachImageIsASample() throws {
    var samples = SampleSet(
      model([("x", [1, 1, 1, 2])]), images: ImageScaling(mean: [100], deviation: [10]))
    for level: UInt8 in [100, 120] {
      try samples.add(
        Bytes(Array("P5\n2 1\n255\n".utf8) + [level, level + 10]), path: "a.pgm", input: nil)
    }
    #expect(samples.count == 2)
    #expect(samples.sample(1)["x"]?.doubles == [2, 3])
    let error = refusal { () throws(DecodeError) in
      try samples.add(Bytes(Array("P5\n1 2\n255\n".utf8) + [1, 2]), path: "b.pgm", input: nil)
    }
    #expect(error?.place == Place().inside("input", "x"))
  }
}
