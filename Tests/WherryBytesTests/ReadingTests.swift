import Testing
import WherryBytes

@Suite struct ReadingTests {
  @Test func truncatedFieldNamesItsByte() throws {
    var reader = ByteReader(Bytes([1, 2, 3, 4, 5]))
    #expect(try reader.integer(UInt32.self) == 0x0403_0201)
    let error = #expect(throws: DecodeError.self) { try reader.integer(UInt16.self) }
    #expect(error == DecodeError(.truncated(needed: 2, available: 1), .byte(4)))
    #expect(reader.offset == 4)
  }

  @Test(arguments: [-1, 6, Int.max, Int.min])
  func takingMoreThanThereIsIsRefused(count: Int) {
    var reader = ByteReader(Bytes([1, 2, 3, 4, 5]), origin: 100)
    let error = #expect(throws: DecodeError.self) { try reader.take(count) }
    #expect(error?.place == .byte(100))
  }

  @Test func aCountNeedsBytesThatJustifyIt() {
    var reader = ByteReader(Bytes([255, 255, 255, 255, 0, 0, 0, 0]))
    let error = #expect(throws: DecodeError.self) { try reader.count(elementSize: 1) }
    #expect(error?.place == .byte(0))
  }

  @Test func slicesShareAndCompareByContent() throws {
    let whole = Bytes([1, 2, 3, 1, 2])
    let head = try #require(whole.slice(0..<2))
    let tail = try #require(whole.slice(3..<5))
    #expect(head == tail)
    #expect(head.hashValue == tail.hashValue)
    #expect(head.store === tail.store)
    #expect(whole.slice(3..<6) == nil)
    #expect(tail.byte(2) == nil)
  }

  @Test func productsOfExtentsDoNotOverflow() {
    #expect(Checked.product([1 << 32, 1 << 32]) == nil)
    #expect(Checked.product([0, 5]) == 0)
    #expect(Checked.product([-1, 2]) == nil)
    #expect(Checked.product([Int]()) == 1)
  }

  @Test func aPlaceReadsAsARoad() {
    let place = Place.byte(1042).inside("graph").inside("node", at: 17, "conv1").inside(
      "attribute", "pads")
    #expect(place.description == "byte 1042, graph > node 17 \"conv1\" > attribute \"pads\"")
    #expect(Place.line(3, column: 7).description == "line 3, column 7")
  }
}
