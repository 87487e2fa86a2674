import WherryGraph
import WherryHDF5

extension ElementType {
  /// The type of a data set's elements; nil when HDF5 has none of this form.
  public var stored: HDF5Type? {
    switch self {
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .float32: .float32
    case .float64: .float64
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    case .bool: .bool
    default: nil
    }
  }
}
