extension Lowering {
  /// The lowerings of each family's file.
  static let families: [[Lowering]] = [
    matrixProducts, convolutions, pools, batchNormalizations, recurrentLayers, unaryFunctions,
    binaryFunctions, reductionFamilies, shapeChanges, movements,
    stackedProducts, conversions, normalizations, indexing, transposedConvolutions, resampling,
    einsteinSums, integerProducts, integerConvolutions, quantizedProducts, quantizedElements,
    quantizedPools, quantizedRecurrences,
  ]
}
