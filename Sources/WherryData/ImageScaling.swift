import WherryBytes
import WherryGraph

/// How pixels become numbers: `(pixel * scale - mean) / deviation`, for each channel.
public struct ImageScaling: Sendable, Hashable {
  public var scale: Double
  /// One for all channels or one for each.
  public var mean: [Double]
  public var deviation: [Double]

  public init(scale: Double = 1, mean: [Double] = [0], deviation: [Double] = [1]) {
    (self.scale, self.mean, self.deviation) = (scale, mean, deviation)
  }

  /// The tensor of an image for an input of type `[N, C, H, W]` or `[N, H, W, C]`, N being 1 or open.
  ///
  /// Alpha is dropped. Pictures are never resized.
  /// - Throws: `DecodeError` when width, height or channels are not the input's.
  public func tensor(_ image: Image, for type: ValueType) throws(DecodeError) -> Tensor {
    guard let element = type.element, let shape = type.shape, shape.rank == 4 || shape.rank == 3
    else { throw DecodeError(.inconsistent("an image for an input \(type)")) }
    let colors = image.channels > 2 ? 3 : 1
    let axes = Array(shape.dimensions.suffix(3))
    func fits(_ extents: [Int]) -> Bool {
      zip(axes, extents).allSatisfy { $0.extent == nil || $0.extent == $1 }
    }
    let isPlanar = fits([colors, image.height, image.width])
    guard isPlanar || fits([image.height, image.width, colors]),
      shape.rank == 3 || (shape[0].extent ?? 1) == 1
    else {
      throw DecodeError(
        .inconsistent("an image of \(image.width) x \(image.height) x \(colors) for \(type)"))
    }
    guard [1, colors].contains(mean.count), [1, colors].contains(deviation.count),
      deviation.allSatisfy({ $0 != 0 && $0.isFinite }), mean.allSatisfy(\.isFinite),
      scale.isFinite
    else { throw DecodeError(.invalid("mean or deviation for \(colors) channels")) }
    let plane = image.width * image.height
    var numbers = [Double](repeating: 0, count: plane * colors)
    // Numbers mean the same whatever the file's depth: 255 is full brightness.
    let unit = 255 / Double(max(image.top, 1))
    for pixel in 0..<plane {
      for color in 0..<colors {
        let raw = Double(image.samples[pixel * image.channels + color]) * unit
        let value =
          (raw * scale - mean[mean.count == 1 ? 0 : color])
          / deviation[deviation.count == 1 ? 0 : color]
        numbers[isPlanar ? color * plane + pixel : pixel * colors + color] = value
      }
    }
    let inner =
      isPlanar ? [colors, image.height, image.width] : [image.height, image.width, colors]
    guard let tensor = Tensor(element, (shape.rank == 4 ? [1] : []) + inner, doubles: numbers)
    else { throw DecodeError(.unsupported("an image as \(element)")) }
    return tensor
  }
}
