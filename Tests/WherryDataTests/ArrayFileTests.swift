import Foundation
import Testing
import WherryBytes
import WherryData
import WherryGraph

@Suite struct ArrayFileTests {
  private func golden(_ name: String) throws -> Bytes {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try Bytes(mapping: root.appending(path: "fixtures/golden/\(name)").path)
  }

  @Test func numpyArchiveGivesItsArrays() throws {
    let arrays = Dictionary(
      uniqueKeysWithValues: try Npz.read(golden("arrays.npz")).map { ($0.name, $0.tensor) })
    #expect(arrays["ramp"]?.shape == [2, 3])
    #expect(arrays["ramp"]?.doubles == [0, 1, 2, 3, 4, 5])
    #expect(arrays["big"]?.element == .int64)
    #expect(arrays["big"]?.integers == [1, -2, 1 << 62])
    #expect(arrays["words"]?.strings.map(\.text) == ["one", "zwölf"])
    #expect(arrays["flag"]?.booleans == [true, false])
  }

  @Test func fortranOrderIsRearranged() throws {
    let tensor = try Npy.read(golden("fortran.npy"))
    #expect(tensor.shape == [2, 3, 4])
    #expect(tensor.integers == (0..<24).map { Int64($0) })
  }

  @Test(
    arguments: ElementType.allCases.filter {
      ![.string].contains($0) && !$0.isSmallFloat && $0.bitWidth >= 8
    })
  func writtenArraysReadBack(element: ElementType) throws {
    let count = element.isComplex ? 12 : 6
    let numbers = (0..<count).map(Double.init)
    let tensor = try #require(
      element == .bool
        ? Tensor([2, 3], booleans: [true, false, true, true, false, false])
        : Tensor(element, [2, 3], doubles: numbers))
    let back = try Npy.read(Bytes(Npy.write(tensor)))
    #expect(back.shape == [2, 3])
    #expect(element == .bfloat16 ? back.doubles == tensor.doubles : back == tensor)
  }

  @Test func everyPrefixOfAnArrayIsRefused() throws {
    let whole = try golden("fortran.npy")
    for count in 0..<whole.count {
      let prefix = try #require(whole.slice(0..<count))
      #expect(throws: DecodeError.self) { try Npy.read(prefix) }
    }
  }

  @Test func everyPrefixOfAnArchiveIsRefused() throws {
    let whole = try golden("arrays.npz")
    for count in 0..<whole.count {
      let prefix = try #require(whole.slice(0..<count))
      #expect(throws: DecodeError.self) { try Npz.read(prefix) }
    }
  }

  @Test func aFlippedByteOfAnArchiveNeverCrashes() throws {
    let whole = try golden("arrays.npz").array
    for index in whole.indices {
      for mask: UInt8 in [0x01, 0x80, 0xFF] {
        var bytes = whole
        bytes[index] ^= mask
        _ = try? Npz.read(Bytes(bytes))
      }
    }
  }
}
