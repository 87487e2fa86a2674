import WherryGraph

extension ElementSet {
  /// The element types that ONNX's movement operators take since IR version 13: all but the 6-bit floats.
  static let movable = ElementSet.all.subtracting(ElementSet(.float6e2m3, .float6e3m2))
  /// Those of ONNX's indexing operators: no sub-byte type and no 8-bit float.
  static let indexable = ElementSet.numbers.union(
    ElementSet(.bool, .string, .complex64, .complex128))
  /// Those that ONNX's sequences hold: `indexable` without bfloat16.
  static let sequenced = ElementSet.indexable.subtracting(ElementSet(.bfloat16))
}
