import WherryBytes
import WherryGraph

/// Weights as Keras 1 and other backends than TensorFlow laid them out, in today's layout.
///
/// - Source: tf_keras, `saving/legacy/hdf5_format.py`, `preprocess_weights_for_loading`; Keras 2.0,
///   `engine/topology.py`, `_need_convert_kernel`.
struct OldWeights {
  private let layer: LayerDescription
  private let generation: KerasGeneration
  private let backend: String?

  init(_ layer: LayerDescription, _ generation: KerasGeneration, _ backend: String?) {
    (self.layer, self.generation, self.backend) = (layer, generation, backend)
  }

  /// How many weights Keras 1 stored for a layer: recurrent ones had one for each gate.
  static func count(_ layer: LayerDescription, _ today: Int) -> Int {
    switch layer.className {
    case "LSTM", "ConvLSTM2D": 12
    case "GRU": 9
    default: today
    }
  }

  func converted(_ weights: [WeightVariable]) throws(DecodeError) -> [WeightVariable] {
    var weights = weights
    if generation == .one {
      switch (layer.className, weights.count) {
      // The gates were input, cell, forget, output.
      case ("LSTM", 12), ("ConvLSTM2D", 12): weights = try joined(weights, [0, 6, 3, 9])
      case ("GRU", 9): weights = try joined(weights, [0, 3, 6])
      default: break
      }
      if let first = weights.first, let kernel = try oldKernel(first) {
        weights[0] = kernel
        if layer.className == "ConvLSTM2D", let inner = try oldKernel(weights[1]) {
          weights[1] = inner
        }
      }
    }
    // Theano's convolutions turn their kernels round.
    if backend == "theano", Self.spatial[layer.className] != nil, !weights.isEmpty {
      weights[0] = try turned(weights[0])
      if layer.className == "ConvLSTM2D" { weights[1] = try turned(weights[1]) }
    }
    return weights
  }

  private static let spatial = [
    "Conv1D": 1, "Conv2D": 2, "Conv3D": 3, "Conv2DTranspose": 2, "ConvLSTM2D": 2,
  ]

  /// Kernels, recurrent kernels and biases of all gates side by side.
  private func joined(
    _ weights: [WeightVariable], _ gates: [Int]
  ) throws(DecodeError) -> [WeightVariable] {
    var result: [WeightVariable] = []
    for (kind, name) in ["kernel", "recurrent_kernel", "bias"].enumerated() {
      let parts = try gates.map { (gate) throws(DecodeError) in try weights[gate + kind].tensor() }
      let axis = max(0, (parts.first?.rank ?? 1) - 1)
      guard let whole = Tensor.joined(parts, axis: axis) else {
        throw DecodeError(.inconsistent("shapes of the gates"), layer.place.inside("weight", name))
      }
      result.append(WeightVariable(name: "\(layer.path)/\(name)", tensor: whole))
    }
    return result
  }

  /// A kernel of Keras 1 as it is today; nil where nothing changed.
  private func oldKernel(_ weight: WeightVariable) throws(DecodeError) -> WeightVariable? {
    let isFirst = try layer.settings.channelsFirst()
    let kernel = try weight.tensor()
    let result: Tensor?
    switch (layer.className, kernel.rank) {
    case ("Conv1D", 4):
      // [length, 1, in, out], before 1.1 [out, in, length, 1].
      let straight = kernel.shape[1] == 1 ? kernel : kernel.permuted([2, 3, 1, 0])
      result = straight.flatMap { $0.reshaped([$0.shape[0], $0.shape[2], $0.shape[3]]) }
    case ("Conv2D", 4) where isFirst, ("ConvLSTM2D", 4) where isFirst:
      result = kernel.permuted([2, 3, 1, 0])
    case ("Conv2DTranspose", 4): result = kernel.permuted(isFirst ? [2, 3, 0, 1] : [0, 1, 3, 2])
    case ("Conv3D", 5) where isFirst: result = kernel.permuted([2, 3, 4, 1, 0])
    default: return nil
    }
    guard let result else {
      throw DecodeError(
        .invalid("shape \(kernel.shape)"), layer.place.inside("weight", "kernel"))
    }
    return WeightVariable(name: weight.name, tensor: result)
  }

  private func turned(_ weight: WeightVariable) throws(DecodeError) -> WeightVariable {
    let kernel = try weight.tensor()
    var result = kernel
    for axis in 0..<(Self.spatial[layer.className] ?? 0) {
      guard axis < kernel.rank,
        let next = result.choosing(
          Array((0..<kernel.shape[axis]).reversed()), of: kernel.shape[axis], axis: axis)
      else {
        throw DecodeError(
          .invalid("shape \(kernel.shape)"), layer.place.inside("weight", "kernel"))
      }
      result = next
    }
    return WeightVariable(name: weight.name, tensor: result)
  }
}
