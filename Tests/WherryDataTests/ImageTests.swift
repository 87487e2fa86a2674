import CZlib
import Testing
import WherryBytes
import WherryGraph

@testable import WherryData

/// Pictures: what is decoded, what is refused and where.
@Suite struct ImageTests {
  private func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let content = Array(name.utf8) + body
    let sum = UInt32(truncatingIfNeeded: crc32(crc32(0, nil, 0), content, uInt(content.count)))
    return bytes(UInt32(body.count)) + content + bytes(sum)
  }

  private func bytes(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  private func deflated(_ rows: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: rows.count + 100)
    var length = uLongf(result.count)
    compress(&result, &length, rows, uLong(rows.count))
    return Array(result[..<Int(length)])
  }

  /// - Parameter rows: each with its filter's number in front.
  private func png(
    _ width: Int, _ height: Int, depth: UInt8 = 8, color: UInt8, interlaced: Bool = false,
    palette: [UInt8]? = nil, rows: [UInt8]
  ) -> [UInt8] {
    let header =
      bytes(UInt32(width)) + bytes(UInt32(height)) + [depth, color, 0, 0, interlaced ? 1 : 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header)
      + (palette.map { chunk("PLTE", $0) } ?? []) + chunk("tEXt", [1, 2, 3])
      + chunk("IDAT", deflated(rows)) + chunk("IEND", [])
  }

  private func image(_ bytes: [UInt8]) throws -> Image { try #require(try Image(Bytes(bytes))) }

  private func refusal(_ bytes: [UInt8]) -> DecodeError? {
    do throws(DecodeError) {
      _ = try Image(Bytes(bytes))
      return nil
    } catch {
      return error
    }
  }

  @Test func everyFilterIsUndone() throws {
    // Rows of three gray pixels: 10 20 30, then the same by each filter.
    let rows: [UInt8] = [
      0, 10, 20, 30, 1, 10, 10, 10, 2, 0, 0, 0, 3, 5, 5, 5, 4, 0, 0, 0,
    ]
    let picture = try image(png(3, 5, color: 0, rows: rows))
    #expect(picture.channels == 1 && picture.top == 255)
    #expect(
      picture.samples == [10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30])
  }

  @Test func depthsAndPalettesAreUnpacked() throws {
    #expect(
      try image(png(4, 1, depth: 2, color: 0, rows: [0, 0b0001_1011])).samples == [0, 1, 2, 3])
    let wide = try image(png(1, 1, depth: 16, color: 0, rows: [0, 0x12, 0x34]))
    #expect(wide.samples == [0x1234] && wide.top == 65535)
    let indexed = try image(
      png(2, 1, depth: 4, color: 3, palette: [1, 2, 3, 9, 8, 7], rows: [0, 0x10]))
    #expect(indexed.samples == [9, 8, 7, 1, 2, 3] && indexed.channels == 3)
    #expect(try image(png(1, 1, color: 6, rows: [0, 1, 2, 3, 4])).channels == 4)
  }

  @Test func interlacedPicturesAreAssembled() throws {
    // 3 x 3, pixel = row * 3 + column: passes 1 (0,0), 5, 6 and 7 hold pixels.
    let rows: [UInt8] = [0, 0, 0, 2, 0, 6, 8, 0, 1, 0, 7, 0, 3, 4, 5]
    let picture = try image(png(3, 3, color: 0, interlaced: true, rows: rows))
    #expect(picture.samples == [0, 1, 2, 3, 4, 5, 6, 7, 8])
  }

  @Test func damagedPNGsAreRefused() throws {
    let good = png(2, 2, color: 2, rows: [0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12])
    #expect(refusal(good) == nil)
    for length in 8..<good.count {
      #expect(refusal(Array(good[..<length])) != nil, "\(length) bytes")
    }
    var flipped = good
    flipped[20] ^= 1
    #expect(refusal(flipped)?.reason == .inconsistent("PNG chunk checksum"))
    #expect(refusal(flipped)?.place == .byte(8))
    #expect(
      refusal(png(2, 1, color: 3, palette: [1, 2, 3], rows: [0, 0, 1]))?.reason
        == .invalid("PNG palette index 1"))
    #expect(refusal(png(1, 1, color: 0, rows: [9, 1]))?.reason == .invalid("PNG filter 9"))
    #expect(refusal(png(0, 1, color: 0, rows: [0]))?.reason == .invalid("PNG header"))
    #expect(refusal(png(1, 1, depth: 3, color: 0, rows: [0, 0]))?.reason == .invalid("PNG header"))
    // A picture of 64 gigapixels in a few bytes.
    let bomb = png(1 << 18, 1 << 18, color: 0, rows: [0])
    guard case .limit = try #require(refusal(bomb)).reason else {
      Issue.record("\(refusal(bomb)?.description ?? "")")
      return
    }
  }

  @Test func portableMapsAreRead() throws {
    let gray = Array("P5 # gray\n2 1\n100\n".utf8) + [0, 100]
    #expect(try image(gray).samples == [0, 100])
    #expect(try image(gray).top == 100)
    let color = Array("P6\n1 1 65535\n".utf8) + [1, 0, 2, 0, 3, 0]
    #expect(try image(color).samples == [256, 512, 768])
  }

  @Test func damagedPortableMapsAreRefused() {
    #expect(refusal(Array("P5\n2 2\n255\n".utf8) + [1, 2, 3]) != nil)
    #expect(refusal(Array("P5\n2 x\n255\n".utf8)) != nil)
    #expect(refusal(Array("P5\n99999999999 1\n255\n".utf8)) != nil)
    #expect(refusal(Array("P6\n1 1\n0\n".utf8)) != nil)
    let over = refusal(Array("P5\n2 1\n100\n".utf8) + [100, 101])
    #expect(over?.reason == .invalid("a sample above 100"))
    #expect(over?.place == .byte(12))
  }

  @Test func pixelsAreNormalizedForEitherLayout() throws {
    let picture = try image(Array("P6\n2 1\n255\n".utf8) + [10, 20, 30, 40, 50, 60])
    let scaling = ImageScaling(scale: 0.5, mean: [1, 2, 3], deviation: [2])
    let planar = ValueType.tensor(.float32, Shape([.unknown, 3, 1, 2]))
    #expect(try scaling.tensor(picture, for: planar).doubles == [2, 9.5, 4, 11.5, 6, 13.5])
    #expect(try scaling.tensor(picture, for: planar).shape == [1, 3, 1, 2])
    let packed = ValueType.tensor(.float32, Shape([1, 1, 2, 3]))
    #expect(try scaling.tensor(picture, for: packed).doubles == [2, 4, 6, 9.5, 11.5, 13.5])
    let other = ValueType.tensor(.float32, Shape([1, 3, 2, 2]))
    #expect(throws: DecodeError.self) { try scaling.tensor(picture, for: other) }
    let wrong = ImageScaling(mean: [1, 2])
    #expect(throws: DecodeError.self) { try wrong.tensor(picture, for: planar) }
  }
}
