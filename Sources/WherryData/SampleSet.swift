import WherryBytes
import WherryGraph

/// Samples for a model: several along the first axis of a file's arrays, or one a file.
///
/// A sample is what the model takes in one run: its fixed first extent, or 1 where that is open. All of
/// it is checked when it is added: shapes, element types, and that every number is finite.
public struct SampleSet: Sendable {
  private let model: Model
  private let isCasting: Bool
  private let extents: [String: Int]
  private let images: ImageScaling
  private let names: [String]
  /// Arrays by input, each with the number of samples in it.
  private var parts: [String: [(tensor: Tensor, samples: Int)]] = [:]

  /// - Parameter shapes: shapes of one run, by input, where the model leaves the first axis open.
  public init(
    _ model: Model, shapes: [String: [Int]] = [:], isCasting: Bool = false,
    images: ImageScaling = ImageScaling()
  ) {
    (self.model, self.isCasting, self.images) = (model, isCasting, images)
    let constants = Set(model.graph.initializers.map(\.name))
    let inputs = model.graph.inputs.filter { !constants.contains($0.name) }
    names = inputs.map(\.name)
    var extents: [String: Int] = [:]
    for input in inputs {
      guard let shape = input.type.shape, shape.rank > 0 else { continue }
      extents[input.name] = max(shapes[input.name]?.first ?? shape[0].extent ?? 1, 1)
    }
    self.extents = extents
  }

  /// The samples of every input; the smallest number where inputs differ.
  public var count: Int {
    names.map { name in parts[name]?.reduce(0) { $0 + $1.samples } ?? 0 }.min() ?? 0
  }

  /// Adds a file of any kind that `InputData` reads, or an image.
  ///
  /// - Throws: `DecodeError` when the data doesn't fit; its place names the input, and where numbers are
  ///   concerned the sample and the element.
  public mutating func add(_ bytes: Bytes, path: String, input: String?) throws(DecodeError) {
    if let image = try Image(bytes) {
      try add(image, input: input)
      return
    }
    var data = InputData(model, isCasting: isCasting)
    try data.add(bytes, path: path, input: input)
    for name in names {
      guard let tensor = data.tensors[name] else { continue }
      try add(tensor, name)
    }
  }

  private mutating func add(_ image: Image, input: String?) throws(DecodeError) {
    guard let name = input ?? (names.count == 1 ? names[0] : nil),
      let declared = model.graph.inputs.first(where: { $0.name == name })
    else {
      throw DecodeError(.invalid("the model has \(names.count) inputs; say NAME=FILE"))
    }
    let place = Place().inside("input", name)
    do {
      try add(try images.tensor(image, for: declared.type), name)
    } catch {
      throw DecodeError(error.reason, place)
    }
  }

  private mutating func add(_ tensor: Tensor, _ name: String) throws(DecodeError) {
    let place = Place().inside("input", name)
    let extent = extents[name] ?? 1
    let first = extents[name] == nil ? 1 : tensor.shape.first ?? 1
    let before = parts[name]?.reduce(0) { $0 + $1.samples } ?? 0
    guard tensor.count > 0 else {
      throw DecodeError(
        .invalid("a sample of shape \(tensor.shape) is empty"),
        place.inside("sample", at: before, nil))
    }
    guard first % extent == 0 else {
      throw DecodeError(
        .inconsistent("\(first) rows do not make samples of \(extent)"),
        place.inside("sample", at: before + first / extent, nil))
    }
    let samples = first / extent
    if let position = tensor.firstNotFinite {
      let size = max(tensor.count / samples, 1)
      throw DecodeError(
        .invalid("\(tensor.element == .float32 ? "NaN or infinite" : "not finite")"),
        place.inside("sample", at: before + position / size, nil)
          .inside("element", at: position % size, nil))
    }
    parts[name, default: []].append((tensor, samples))
  }

  /// Says what is wrong with the set as a whole.
  ///
  /// - Throws: `DecodeError` when an input has no samples or another number than the others.
  public func check() throws(DecodeError) {
    var counts: Set<Int> = []
    for name in names {
      let samples = parts[name]?.reduce(0) { $0 + $1.samples } ?? 0
      guard samples > 0 else {
        throw DecodeError(.invalid("no samples"), Place().inside("input", name))
      }
      counts.insert(samples)
    }
    if counts.count > 1 {
      throw DecodeError(
        .inconsistent("the inputs have different numbers of samples: \(counts.sorted())"))
    }
  }

  /// The inputs of one run.
  ///
  /// - Parameter index: in `0..<count`; nothing for others.
  public func sample(_ index: Int) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for name in names {
      var rest = index
      for (tensor, samples) in parts[name] ?? [] {
        guard rest >= samples else {
          result[name] = tensor.slice(rest, of: samples)
          break
        }
        rest -= samples
      }
    }
    return result
  }
}

extension Tensor {
  /// One of `count` equal parts along the first axis.
  fileprivate func slice(_ index: Int, of count: Int) -> Tensor? {
    guard count > 1, let first = shape.first else { return self }
    let size = bytes.count / count
    guard let part = bytes.slice(index * size..<(index + 1) * size) else { return nil }
    return Tensor(element, [first / count] + shape.dropFirst(), bytes: part)
  }

  /// The position of the first NaN or infinite element of a float tensor.
  fileprivate var firstNotFinite: Int? {
    guard element.isFloat else { return nil }
    guard element == .float32 else { return doubles.firstIndex { !$0.isFinite } }
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).first {
        !raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self).isFinite
      }
    }
  }
}
