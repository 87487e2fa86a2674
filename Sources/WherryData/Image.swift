import WherryBytes

/// A decoded picture: rows from the top, channels next to each other.
public struct Image: Sendable {
  public let width: Int
  public let height: Int
  /// 1 (gray), 2 (gray, alpha), 3 (red, green, blue) or 4 (with alpha).
  public let channels: Int
  /// The number that stands for full brightness: 255 or 65535, or what a PNM file says.
  public let top: Int
  /// `height * width * channels` numbers in 0...top.
  public let samples: [UInt16]

  init(width: Int, height: Int, channels: Int, top: Int, samples: [UInt16]) {
    (self.width, self.height, self.channels) = (width, height, channels)
    (self.top, self.samples) = (top, samples)
  }

  /// The picture in a file; nil when the bytes begin like none that is read: PNG, binary PGM and PPM.
  ///
  /// - Throws: `DecodeError` for a damaged file or a variant that is not read.
  public init?(_ bytes: Bytes) throws(DecodeError) {
    if PNG.recognizes(bytes) {
      self = try PNG.read(bytes)
    } else if Netpbm.recognizes(bytes) {
      self = try Netpbm.read(bytes)
    } else {
      return nil
    }
  }
}
