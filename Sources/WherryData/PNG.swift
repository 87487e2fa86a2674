import CZlib
import WherryBytes

/// Portable Network Graphics: every color type and depth, interlaced or not; no color management.
///
/// - Source: W3C Recommendation "Portable Network Graphics (PNG) Specification", third edition.
enum PNG {
  private static let magic: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  static func recognizes(_ bytes: Bytes) -> Bool { bytes.slice(0..<8)?.array == magic }

  /// - Throws: `DecodeError` for a damaged file, a wrong checksum, or pixels beyond the limits.
  static func read(_ bytes: Bytes, limits: Limits = .standard) throws(DecodeError) -> Image {
    var reader = ByteReader(bytes)
    try reader.skip(8)
    var header: PNGHeader?
    var palette: [UInt8] = []
    var data: [UInt8] = []
    while true {
      let place = reader.place
      let length = Int(UInt32(bigEndian: try reader.integer(UInt32.self)))
      let kind = try reader.take(4)
      let body = try reader.take(length)
      let sum = UInt32(bigEndian: try reader.integer(UInt32.self))
      guard checksum(kind, body) == sum else {
        throw DecodeError(.inconsistent("PNG chunk checksum"), place)
      }
      let name = String(decoding: kind.array, as: UTF8.self)
      guard header != nil || name == "IHDR" else {
        throw DecodeError(.invalid("PNG chunk \(name) before the header"), place)
      }
      switch name {
      case "IHDR":
        guard header == nil else { throw DecodeError(.duplicate("IHDR"), place) }
        header = try PNGHeader(body, at: place)
      case "PLTE": palette = body.array
      case "IDAT": data += body.array
      case "IEND":
        guard let header else { throw DecodeError(.missing("IHDR"), place) }
        let plain = try inflate(data, header, limits, at: place)
        return try PNGPixels(header, palette, plain, at: place).image
      default:
        // Bit 5 of the first letter: the picture can be shown without this chunk.
        guard kind.array[0] & 0x20 != 0 else {
          throw DecodeError(.unsupported("PNG chunk \(name)"), place)
        }
      }
    }
  }

  private static func checksum(_ kind: Bytes, _ body: Bytes) -> UInt32 {
    var sum = crc32(0, nil, 0)
    for part in [kind, body] {
      part.withUnsafeBytes { raw in
        guard !raw.isEmpty else { return }
        sum = crc32(sum, raw.bindMemory(to: UInt8.self).baseAddress, uInt(raw.count))
      }
    }
    return UInt32(truncatingIfNeeded: sum)
  }

  private static func inflate(
    _ data: [UInt8], _ header: PNGHeader, _ limits: Limits, at place: Place
  ) throws(DecodeError) -> [UInt8] {
    // A deflated byte gives at most 1,032.
    guard let size = header.filteredBytes, size <= limits.expandedBytes, size / 1100 <= data.count
    else { throw DecodeError(.limit("expanded bytes", limits.expandedBytes), place) }
    var result = [UInt8](repeating: 0, count: size)
    var length = uLongf(size)
    let status = uncompress(&result, &length, data, uLong(data.count))
    guard status == Z_OK, Int(length) == size else {
      throw DecodeError(.invalid("compressed PNG data"), place)
    }
    return result
  }
}

/// What the first chunk of a PNG file says.
struct PNGHeader {
  let width: Int
  let height: Int
  let depth: Int
  let color: UInt8
  let isInterlaced: Bool

  init(_ body: Bytes, at place: Place) throws(DecodeError) {
    var reader = ByteReader(body)
    width = Int(UInt32(bigEndian: try reader.integer(UInt32.self)))
    height = Int(UInt32(bigEndian: try reader.integer(UInt32.self)))
    depth = Int(try reader.integer(UInt8.self))
    color = try reader.integer(UInt8.self)
    let methods = [try reader.integer(UInt8.self), try reader.integer(UInt8.self)]
    let interlace = try reader.integer(UInt8.self)
    isInterlaced = interlace == 1
    let depths: [UInt8: [Int]] = [
      0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16],
    ]
    guard (1..<1 << 31).contains(width), (1..<1 << 31).contains(height),
      depths[color]?.contains(depth) == true, methods == [0, 0], interlace <= 1
    else { throw DecodeError(.invalid("PNG header"), place) }
  }

  /// Numbers a pixel in the file.
  var fileChannels: Int { [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][color] ?? 1 }

  /// Bytes of a row of `width` pixels.
  func rowBytes(_ width: Int) -> Int { (width * fileChannels * depth + 7) / 8 }

  /// The reduced pictures of an interlaced file, or the only one: first column and row, steps, extents.
  var passes: [(x: Int, y: Int, dx: Int, dy: Int, width: Int, height: Int)] {
    guard isInterlaced else { return [(0, 0, 1, 1, width, height)] }
    let starts = [
      (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
      (0, 1, 1, 2),
    ]
    return starts.compactMap { x, y, dx, dy in
      let (columns, rows) = ((width - x + dx - 1) / dx, (height - y + dy - 1) / dy)
      return width > x && height > y ? (x, y, dx, dy, columns, rows) : nil
    }
  }

  /// Bytes of all rows, each after its filter's number; nil when it overflows.
  var filteredBytes: Int? {
    var sum = 0
    for pass in passes {
      guard let size = Checked.multiply(rowBytes(pass.width) + 1, pass.height),
        let next = Checked.add(sum, size)
      else { return nil }
      sum = next
    }
    return sum
  }
}

/// Undoes the filters and unpacks the pixels.
private struct PNGPixels {
  let image: Image

  init(
    _ header: PNGHeader, _ palette: [UInt8], _ data: [UInt8], at place: Place
  ) throws(DecodeError) {
    var data = data
    let isIndexed = header.color == 3
    let channels = isIndexed ? 3 : header.fileChannels
    guard let count = Checked.product([header.width, header.height, channels]) else {
      throw DecodeError(.invalid("PNG header"), place)
    }
    var samples = [UInt16](repeating: 0, count: count)
    let step = max(header.fileChannels * header.depth / 8, 1)
    var start = 0
    for pass in header.passes {
      let size = header.rowBytes(pass.width)
      for row in 0..<pass.height {
        guard Self.unfilter(&data, at: start, size: size, step: step, isFirst: row == 0) else {
          throw DecodeError(.invalid("PNG filter \(data[start])"), place)
        }
        for column in 0..<pass.width {
          let target =
            ((pass.y + row * pass.dy) * header.width + pass.x + column * pass.dx) * channels
          for channel in 0..<header.fileChannels {
            let value = Self.number(
              data, row: start + 1, index: column * header.fileChannels + channel, header.depth)
            guard isIndexed else {
              samples[target + channel] = value
              continue
            }
            let entry = Int(value) * 3
            guard entry + 3 <= palette.count else {
              throw DecodeError(.invalid("PNG palette index \(value)"), place)
            }
            for color in 0..<3 { samples[target + color] = UInt16(palette[entry + color]) }
          }
        }
        start += size + 1
      }
    }
    image = Image(
      width: header.width, height: header.height, channels: channels,
      top: isIndexed ? 255 : 1 << header.depth - 1, samples: samples)
  }

  private static func number(_ data: [UInt8], row: Int, index: Int, _ depth: Int) -> UInt16 {
    switch depth {
    case 8: return UInt16(data[row + index])
    case 16: return UInt16(data[row + index * 2]) << 8 | UInt16(data[row + index * 2 + 1])
    default:
      let bit = index * depth
      return UInt16(data[row + bit / 8] >> UInt8(8 - depth - bit % 8)) & (1 << UInt16(depth) - 1)
    }
  }

  /// Restores the row whose filter number stands at `at`; false for an unknown filter.
  private static func unfilter(
    _ data: inout [UInt8], at: Int, size: Int, step: Int, isFirst: Bool
  ) -> Bool {
    let filter = data[at]
    guard filter <= 4 else { return false }
    guard filter > 0 else { return true }
    let (row, above) = (at + 1, at - size)
    for index in 0..<size {
      let left = index >= step ? Int(data[row + index - step]) : 0
      let up = isFirst ? 0 : Int(data[above + index])
      let corner = isFirst || index < step ? 0 : Int(data[above + index - step])
      let predicted: Int
      switch filter {
      case 1: predicted = left
      case 2: predicted = up
      case 3: predicted = (left + up) / 2
      default:
        let estimate = left + up - corner
        let (a, b, c) = (
          (estimate - left).magnitude, (estimate - up).magnitude, (estimate - corner).magnitude
        )
        predicted = a <= b && a <= c ? left : b <= c ? up : corner
      }
      data[row + index] = data[row + index] &+ UInt8(truncatingIfNeeded: predicted)
    }
    return true
  }
}
