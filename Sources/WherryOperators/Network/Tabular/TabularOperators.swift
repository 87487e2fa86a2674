import WherryGraph

extension OperatorSet {
  /// Classical models and their preprocessing: ONNX's domain ai.onnx.ml.
  static let tabularOperators: [any Operator.Type] = [
    TreeEnsemble.self, TreeEnsembleClassifier.self, TreeEnsembleRegressor.self,
    LinearClassifier.self, LinearRegressor.self, SVMClassifier.self, SVMRegressor.self,
    Scaler.self, Normalizer.self, Binarizer.self, Imputer.self, LabelEncoder.self,
    CategoryMapper.self, OneHotEncoder.self, ArrayFeatureExtractor.self, FeatureVectorizer.self,
    ZipMap.self, DictVectorizer.self, CastMap.self,
  ]
}
