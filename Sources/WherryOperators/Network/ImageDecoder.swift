import WherryGraph

/// An encoded image decoded to pixels. Carried through conversions, not executed.
///
/// `encoded_stream: [bytes] uint8`, `image: [H, W, C] uint8`.
/// - Source: ONNX operator specification, ImageDecoder-20.
public struct ImageDecoder: Operator {
  public enum PixelFormat: String, AttributeConvertible {
    case rgb = "RGB"
    case bgr = "BGR"
    case grayscale = "Grayscale"
  }

  public var pixelFormat = PixelFormat.rgb

  public init() {}

  public static let signature = Signature(
    "ImageDecoder", [.init("encoded_stream", ElementSet(.uint8))],
    [.init("image", ElementSet(.uint8))])

  public static let fields: [Field<ImageDecoder>] = [Field("pixel_format", \.pixelFormat)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank != 1 { throw TypeError(.rank(input: 0, rank, expected: "1")) }
    site.set(0, .uint8, Shape([.unknown, .unknown, pixelFormat == .grayscale ? 1 : 3]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    throw RunError(.unsupported("running ImageDecoder"))
  }
}
