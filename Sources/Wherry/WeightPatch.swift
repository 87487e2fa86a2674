import WherryBytes
import WherryGraph
import WherryHDF5
import WherryHDF5Graph
import WherryNative
import WherryOperators

/// A model file with some weights replaced and every other byte as it was.
public struct WeightPatch: Sendable {
  /// A weight that was replaced.
  public struct Change: Encodable, Sendable {
    /// As it was asked for.
    public var name: String
    /// The data set's path, or the initializer's name.
    public var target: String
    public var type: String
    public var shape: [Int]
    /// Bytes of the file that differ now.
    public var changedBytes: Int
  }

  public private(set) var changes: [Change] = []
  /// The whole file.
  public private(set) var bytes: Bytes
  private let path: String
  private let limits: Limits

  public init(_ path: String, _ bytes: Bytes, limits: Limits = .standard) {
    (self.path, self.bytes, self.limits) = (path, bytes, limits)
  }

  /// Replaces a weight.
  ///
  /// - Parameters:
  ///   - name: of HDF5 files the path of a data set, or as much of it as is needed to tell it from the
  ///     others, from the layer's name on: `dense/kernel` for
  ///     `/model_weights/dense/dense/kernel:0`. Of ONNX files and of HDF5's graph layout the name of an
  ///     initializer.
  ///   - tensor: of the type and shape that the weight has.
  /// - Throws: `ReadFailure` when there is no such weight or more than one, when type or shape differ,
  ///   and for files whose weights can't be replaced in place, by name.
  public mutating func replace(_ name: String, with tensor: Tensor) throws(ReadFailure) {
    do throws(DecodeError) {
      if HDF5File.recognizes(bytes) {
        try replaceDataset(name, tensor)
        return
      }
    } catch {
      throw ReadFailure(error)
    }
    try replaceInitializer(name, tensor)
  }

  private func fit(
    _ tensor: Tensor, _ element: ElementType?, _ shape: [Int], _ place: Place
  ) throws(DecodeError) {
    guard tensor.element == element else {
      throw DecodeError(
        .inconsistent("\(tensor.element) in place of \(element.map { "\($0)" } ?? "its type")"),
        place)
    }
    guard tensor.shape == shape else {
      throw DecodeError(.inconsistent("shape \(tensor.shape) in place of \(shape)"), place)
    }
  }

  // MARK: HDF5

  private mutating func replaceDataset(_ name: String, _ tensor: Tensor) throws(DecodeError) {
    let file = try HDF5File(bytes, limits: limits)
    let dataset = try WeightNames(file, isGraph: HDF5GraphFormat.recognizes(bytes)).find(name)
    let place = Place().inside("data set", dataset.path)
    try fit(
      tensor, HDF5Format.element(of: dataset.type.native), dataset.space.shape ?? [], place)
    var end = bytes.count
    let edits = try dataset.edits(replacing: tensor.bytes, end: &end)
    let patched = Self.applied(edits, to: bytes, count: end)
    // Reading it again proves that what leads to the elements still does.
    guard case .dataset(let again) = try HDF5File(patched, limits: limits).object(at: dataset.path),
      try again.read().bytes == tensor.bytes
    else { throw DecodeError(.unsupported("replacing elements of this data set"), place) }
    take(name, dataset.path, tensor, patched)
  }

  private static func applied(_ edits: [HDF5Edit], to bytes: Bytes, count: Int) -> Bytes {
    Bytes(count: count) { target in
      bytes.withUnsafeBytes { target.copyMemory(from: $0) }
      for edit in edits {
        let end = edit.offset + edit.bytes.count
        guard edit.offset >= 0, end <= target.count else { continue }
        edit.bytes.withUnsafeBytes {
          UnsafeMutableRawBufferPointer(rebasing: target[edit.offset..<end]).copyMemory(from: $0)
        }
      }
    }
  }

  // MARK: Formats whose models borrow from their files

  private mutating func replaceInitializer(
    _ name: String, _ tensor: Tensor
  ) throws(ReadFailure) {
    guard let format = Formats.recognize(bytes, path: path) else {
      throw ReadFailure(DecodeError(.notThisFormat("a model file of a known format"), .byte(0)))
    }
    let place = Place().inside("initializer", name)
    guard format != NativeFormat.self, format != HDF5Format.self else {
      let what =
        format == NativeFormat.self
        ? "replacing weights of a native file, whose plan holds them in another form"
        : "replacing weights of an archive"
      throw ReadFailure(DecodeError(.unsupported(what), place))
    }
    func model(_ bytes: Bytes) throws(ReadFailure) -> Model {
      let source = ModelSource(bytes, path: path, limits: limits, operators: OperatorSet.all)
      return try format.read(source).model
    }
    func weight(_ model: Model) -> Tensor? {
      model.graph.initializers.first { $0.name == name }?.tensor
    }
    let before = try model(bytes)
    do throws(DecodeError) {
      guard let old = weight(before) else { throw DecodeError(.missing(name)) }
      try fit(tensor, old.element, old.shape, place)
      guard old.element != .string, old.bytes.store === bytes.store else {
        throw DecodeError(
          .unsupported("replacing a weight that the file does not hold as plain bytes"), place)
      }
      let start = old.bytes.offset - bytes.offset
      let patched = Bytes(count: bytes.count) { target in
        bytes.withUnsafeBytes { target.copyMemory(from: $0) }
        tensor.bytes.withUnsafeBytes {
          UnsafeMutableRawBufferPointer(rebasing: target[start..<start + $0.count])
            .copyMemory(from: $0)
        }
      }
      let after = try? model(patched)
      guard after.flatMap(weight) == tensor else {
        throw DecodeError(.unsupported("replacing this weight"), place)
      }
      take(name, name, tensor, patched)
    } catch {
      throw ReadFailure(error)
    }
  }

  private mutating func take(_ name: String, _ target: String, _ tensor: Tensor, _ new: Bytes) {
    let changed = bytes.withUnsafeBytes { old in
      new.withUnsafeBytes { new in
        let common = min(old.count, new.count)
        var count = max(old.count, new.count) - common
        for index in 0..<common where old[index] != new[index] { count += 1 }
        return count
      }
    }
    bytes = new
    changes.append(
      Change(
        name: name, target: target, type: tensor.element.name, shape: tensor.shape,
        changedBytes: changed))
  }
}
