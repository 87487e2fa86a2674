/// One application of a layer, with what it was applied to: a model's calls once the models inside it
/// are resolved.
struct LayerApplication {
  /// What a tensor comes from: a layer by its path, which application of it, which output.
  struct Source: Hashable {
    var path: String
    var application: Int
    var output: Int
  }

  var layer: LayerDescription
  /// Which application of the layer this is, from 0.
  var index: Int
  /// The sources of the call's tensors, by the index they have there.
  var sources: [Source]
  var call: LayerCall
}
