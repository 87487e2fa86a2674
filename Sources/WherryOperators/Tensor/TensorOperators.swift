import WherryGraph

extension OperatorSet {
  /// Shape, indexing, movement and type of tensors; sequences, optionals, strings; control flow.
  static let tensorOperators: [any Operator.Type] =
    movementOperators + makingOperators + flowOperators + textOperators

  private static let movementOperators: [any Operator.Type] = [
    CenterCropPad.self, Compress.self, Concat.self, Expand.self, Flatten.self, Gather.self,
    GatherElements.self, GatherND.self, Identity.self, Pad.self, Reshape.self, ReverseSequence.self,
    Scatter.self, ScatterElements.self, ScatterND.self, SliceOperator.self, Split.self,
    Squeeze.self,
    TensorScatter.self, Tile.self, TopK.self, Transpose.self, Trilu.self, Unique.self,
    Unsqueeze.self,
    Where.self,
  ]

  private static let makingOperators: [any Operator.Type] = [
    Constant.self, ConstantOfShape.self, EyeLike.self, NonZero.self, OneHot.self,
    RangeOperator.self,
    ShapeOperator.self, Size.self,
  ]

  private static let flowOperators: [any Operator.Type] = [
    ConcatFromSequence.self, If.self, Loop.self, OptionalGetElement.self, OptionalHasElement.self,
    OptionalOperator.self, Scan.self, SequenceAt.self, SequenceConstruct.self, SequenceEmpty.self,
    SequenceErase.self, SequenceInsert.self, SequenceLength.self, SequenceMap.self,
    SplitToSequence.self,
  ]

  private static let textOperators: [any Operator.Type] = [
    RegexFullMatch.self, StringConcat.self, StringNormalizer.self, StringSplit.self,
    TfIdfVectorizer.self,
  ]
}
