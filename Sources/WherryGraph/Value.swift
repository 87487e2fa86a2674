/// What flows between operators when a graph is evaluated.
public indirect enum Value: Sendable, Hashable {
  case tensor(Tensor)
  case sparse(SparseTensor)
  /// Elements of one type; the type is kept for when there are none.
  case sequence([Value], ValueType)
  /// An optional that may be empty, and the type it would hold.
  case optional(Value?, ValueType)
  /// Keys are int64 or string tensors of rank 0.
  case map([Tensor: Value], ValueType)

  public var tensor: Tensor? {
    switch self {
    case .tensor(let tensor): tensor
    case .optional(let value?, _): value.tensor
    default: nil
    }
  }

  public var type: ValueType {
    switch self {
    case .tensor(let tensor): tensor.type
    case .sparse(let tensor): .sparseTensor(tensor.values.element, Shape(fixed: tensor.shape))
    case .sequence(_, let type): .sequence(type)
    case .optional(_, let type): .optional(type)
    case .map(_, let type): type
    }
  }
}
