import WherryBytes
import WherryText

/// A layer as a Keras file describes it.
struct LayerDescription: Sendable {
  /// Current name of the class, without its module: `Conv2D`.
  var className: String
  /// The class as the file names it.
  var classInFile: String
  var name: String
  /// The names from the outermost model down to the layer, joined by "/"; unique.
  var path: String
  var settings: LayerSettings
  var isTrainable: Bool
  /// Tells layers that were one object from those that were two, where the file says so.
  var sharedObject: Int?
  /// Whether the entry is a function of `keras.ops` rather than a layer.
  var isOperation = false
  /// Where the layer is applied within its model.
  var calls: [LayerCall] = []
  /// The model that the layer is, if it is one.
  var model: ModelDescription?
  /// The layers inside a wrapper, by the attribute that holds each: `layer`, `forward_layer`.
  var inner: [InnerLayer] = []
  var place: Place { settings.place }
}

/// A layer inside a wrapper.
struct InnerLayer: Sendable {
  var attribute: String
  var layer: LayerDescription
}

/// One application of a layer: what it is given.
struct LayerCall: Sendable {
  /// The tensors among the arguments, in order, those given by keyword behind.
  var tensors: [TensorReference] = []
  /// The arguments by position and by name, tensors standing as their index in `tensors`.
  var arguments: [LayerArgument] = []
  var keywords: [(name: String, value: LayerArgument)] = []
}

/// An argument of a layer's call.
indirect enum LayerArgument: Sendable {
  case tensor(Int)
  case list([LayerArgument])
  case constant(JSONValue)

  /// The tensors in it, in order.
  var tensors: [Int] {
    switch self {
    case .tensor(let index): [index]
    case .list(let parts): parts.flatMap(\.tensors)
    case .constant: []
    }
  }
}

/// A tensor by the layer that makes it, which call of it, and which of the call's outputs.
struct TensorReference: Sendable, Hashable {
  var layer: String
  var call: Int
  var output: Int
}

/// A model: layers and how they are joined.
struct ModelDescription: Sendable {
  enum Kind: Sendable { case sequential, functional }
  var kind: Kind
  var name: String
  var layers: [LayerDescription]
  var inputs: [TensorReference]
  var outputs: [TensorReference]
  /// Extents of a sequential model's input, where no input layer states them.
  var inputShape: [Int?]?

  /// The layers that have a group in an `.h5` file: what Keras has in `model.layers`. Functions of `keras.ops` are no
  /// layers, and the input of a sequential model is not counted among them.
  var layersWithGroups: [LayerDescription] {
    layers.filter { layer in
      (!layer.isOperation || TensorFlowFunction.isLayer(layer.classInFile))
        && !(kind == .sequential && layer.className == "InputLayer")
    }
  }
}

/// Which generation of Keras wrote a file: the meaning of some settings changed.
enum KerasGeneration: Int, Sendable, Comparable {
  case one = 1
  case two = 2
  case three = 3

  static func < (a: KerasGeneration, b: KerasGeneration) -> Bool { a.rawValue < b.rawValue }

  /// The generation of a version such as `2.2.4-tf`; the first one's files state none.
  init(version: String?) {
    switch version?.first {
    case nil, "0", "1": self = .one
    case "2": self = .two
    default: self = .three
    }
  }
}
