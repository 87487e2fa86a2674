import WherryBytes
import WherryGraph
import WherryHDF5

extension HDF5Group {
  /// The data set at a path as a tensor that shares the file's bytes where it can.
  ///
  /// - Throws: `DecodeError` when there is none, or its elements are not those of a tensor.
  func tensor(at path: String) throws(DecodeError) -> Tensor {
    guard case .dataset(let dataset) = try object(at: path) else {
      throw DecodeError(.invalid("a data set is expected"), Place().inside("group", path))
    }
    return try dataset.tensor()
  }

  func group(at path: String) throws(DecodeError) -> HDF5Group {
    guard case .group(let group) = try object(at: path) else {
      throw DecodeError(.invalid("a group is expected"), Place().inside("data set", path))
    }
    return group
  }

  /// A text attribute of one element; nil when there is none of that name.
  func text(_ name: String) throws(DecodeError) -> String? {
    guard let attribute = try attributes().first(where: { $0.name.text == name }) else {
      return nil
    }
    return try attribute.read().strings().first
  }

  /// A list of texts, which Keras splits over `name0`, `name1` … when it is long.
  func texts(_ name: String) throws(DecodeError) -> [String]? {
    let attributes = try attributes()
    if let whole = attributes.first(where: { $0.name.text == name }) {
      return try Self.texts(whole)
    }
    var parts: [String] = []
    var count = 0
    while let part = attributes.first(where: { $0.name.text == "\(name)\(count)" }) {
      parts += try Self.texts(part)
      count += 1
    }
    return count == 0 ? nil : parts
  }

  /// Keras writes an empty list as one of numbers.
  private static func texts(_ attribute: HDF5Attribute) throws(DecodeError) -> [String] {
    let array = try attribute.read()
    return array.count == 0 ? [] : try array.strings()
  }
}

extension HDF5Dataset {
  /// The elements as a tensor.
  func tensor() throws(DecodeError) -> Tensor {
    let array = try read()
    let place = Place().inside("data set", path)
    guard let shape = array.shape else {
      throw DecodeError(.unsupported("an empty data set"), place)
    }
    switch array.type {
    case .string, .variableString:
      let strings = try array.values().map { value in
        if case .string(let bytes) = value { bytes } else { Bytes() }
      }
      guard let tensor = Tensor(shape, strings: strings) else { break }
      return tensor
    default:
      guard let element = array.type.element,
        let tensor = Tensor(element, shape, bytes: array.bytes)
      else { break }
      return tensor
    }
    throw DecodeError(.unsupported("elements of this type as a tensor"), place)
  }
}

extension HDF5Type {
  /// The tensor element that has this form; nil when none has.
  var element: ElementType? {
    switch self {
    case .float16: .float16
    case .bfloat16: .bfloat16
    // NumPy has no such type, so that h5py stores the plain bytes.
    case .opaque(size: 2, let tag) where tag.isEmpty: .bfloat16
    case .float32: .float32
    case .float64: .float64
    case .integer(let bits, let isSigned):
      switch (bits.size, isSigned) {
      case (1, true): .int8
      case (2, true): .int16
      case (4, true): .int32
      case (8, true): .int64
      case (1, false): .uint8
      case (2, false): .uint16
      case (4, false): .uint32
      case (8, false): .uint64
      default: nil
      }
    case .enumeration(let base, let cases) where base.size == 1 && cases.count == 2: .bool
    default: nil
    }
  }
}
