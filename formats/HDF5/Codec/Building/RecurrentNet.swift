import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// A recurrent layer in the graph's terms: weights, functions and directions of one node.
struct RecurrentNet {
  enum Kind: String {
    case lstm = "LSTM"
    case gru = "GRU"
    case simple = "SimpleRNN"
  }

  let kind: Kind
  let units: Int
  let sites: [LayerSite]
  let resetsAfter: Bool
  /// Whether the weights are laid out as NVIDIA's library has them.
  private let isCuDNN: Bool

  /// - Parameter sites: one for each direction, the forward one first.
  init(_ sites: [LayerSite]) throws(DecodeError) {
    guard let first = sites.first, let kind = Kind(rawValue: first.layer.className) else {
      throw DecodeError(
        .unsupported("a layer that is not recurrent"), sites.first?.place ?? Place())
    }
    (self.kind, self.sites) = (kind, sites)
    units = try first.settings.integer("units")
    isCuDNN = first.layer.classInFile.hasPrefix("CuDNN")
    resetsAfter =
      try first.settings.flag("reset_after", first.generation == .three || isCuDNN)
    for site in sites.dropFirst() {
      guard site.layer.className == kind.rawValue, try site.settings.integer("units") == units
      else {
        throw site.unsupported("directions of different kinds")
      }
    }
  }

  /// The layer's weights, in Keras's order of gates.
  static let slots: LayerBinding.Slots = { (settings) throws(DecodeError) in
    WeightSlot.list(
      ["kernel", "recurrent_kernel", try settings.flag("use_bias", true) ? "bias" : nil],
      in: "cell")
  }

  private var gates: Int { kind == .lstm ? 4 : kind == .gru ? 3 : 1 }

  /// Keras's gates in the graph's order: LSTM has input, forget, cell, output in Keras and input,
  /// output, forget, cell in the graph; GRU has update, reset, hidden in both.
  private var order: [Int] { kind == .lstm ? [0, 3, 1, 2] : Array(0..<gates) }

  /// The activations of every direction and their parameters.
  private func functions() throws(DecodeError) -> (names: [String], alpha: [Float], beta: [Float]) {
    var (names, alpha, beta): ([String], [Float], [Float]) = ([], [], [])
    for site in sites {
      let cell = try RecurrentFunction(site, "activation", "tanh")
      let gate =
        kind == .simple ? cell : try RecurrentFunction(site, "recurrent_activation", "sigmoid")
      for function in kind == .simple ? [cell] : kind == .gru ? [gate, cell] : [gate, cell, cell] {
        names.append(function.name)
        if let value = function.alpha { alpha.append(value) }
        if let value = function.beta { beta.append(value) }
      }
    }
    return (names, alpha, beta)
  }

  /// Weights of all directions, stacked.
  private func stacked(
    _ key: String, _ change: @escaping (Tensor) -> Tensor?
  ) throws(DecodeError) -> Wire {
    let path = sites[0].path
    let wire = try sites[0].builder.constant(
      "\(path)/\(key)/\(sites.count)", weight: try sites[0].weight(key).name
    ) { () throws(DecodeError) in
      var parts: [Tensor] = []
      for site in sites {
        let weight = try site.weight(key).tensor()
        guard let part = change(weight), let one = part.reshaped([1] + part.shape) else {
          throw DecodeError(
            .invalid("shape \(weight.shape)"), site.place.inside("weight", key))
        }
        parts.append(one)
      }
      guard let joined = Tensor.joined(parts) else {
        throw sites[0].invalid("directions whose weights differ in shape")
      }
      return joined
    }
    return try sites[0].computing(wire)
  }

  /// Adds the node.
  ///
  /// - Parameters:
  ///   - x: `[time, batch, features]`
  ///   - lengths: int32 `[batch]`; nil when every step counts.
  ///   - states: initial ones, `[directions, batch, units]`.
  /// - Returns: the whole sequence `[time, directions, batch, units]`, and the last states `[directions,
  ///   batch, units]`, one for LSTM's cell more.
  func emit(_ x: Wire, lengths: Wire?, states: [Wire?]) throws(DecodeError) -> [Wire] {
    let site = sites[0]
    let w = try stacked("kernel", { kernelRows($0, isInput: true) })
    let r = try stacked("recurrent_kernel", { kernelRows($0, isInput: false) })
    let hasBias = try site.settings.flag("use_bias", true)
    let b = hasBias ? try stacked("bias", biasRow) : nil
    let (names, alpha, beta) = try functions()
    let reversed = try site.settings.flag("go_backwards")
    let direction: RecurrentDirection =
      sites.count == 2 ? .bidirectional : reversed ? .reverse : .forward
    let hidden = states.first ?? nil
    switch kind {
    case .lstm:
      var net = LSTM()
      (net.hiddenSize, net.direction, net.activations) = (units, direction, names)
      (net.activationAlpha, net.activationBeta) = (Self.list(alpha), Self.list(beta))
      let cell = states.count > 1 ? states[1] : nil
      return try site.emit(net, trimmed([x, w, r, b, lengths, hidden, cell]), outputs: 3)
    case .gru:
      var net = GRU()
      (net.hiddenSize, net.direction, net.activations) = (units, direction, names)
      (net.activationAlpha, net.activationBeta) = (Self.list(alpha), Self.list(beta))
      net.linearBeforeReset = resetsAfter
      return try site.emit(net, trimmed([x, w, r, b, lengths, hidden]), outputs: 2)
    case .simple:
      var net = RNN()
      (net.hiddenSize, net.direction, net.activations) = (units, direction, names)
      (net.activationAlpha, net.activationBeta) = (Self.list(alpha), Self.list(beta))
      return try site.emit(net, trimmed([x, w, r, b, lengths, hidden]), outputs: 2)
    }
  }

  private static func list(_ values: [Float]) -> [Float]? { values.isEmpty ? nil : values }

  private func trimmed(_ inputs: [Wire?]) -> [Wire?] {
    let count = (inputs.lastIndex { $0 != nil } ?? -1) + 1
    return Array(inputs.prefix(count))
  }

  /// `[in, gates · units]` as `[gates · units, in]`.
  private func kernelRows(_ kernel: Tensor, isInput: Bool) -> Tensor? {
    guard kernel.rank == 2, kernel.shape[1] == gates * units else { return nil }
    guard isCuDNN else {
      return kernel.choosing(order, of: gates, axis: 1)?.permuted([1, 0])
    }
    // Each gate's block holds its rows as the graph wants them.
    let blocks = order.map { gate in
      kernel.choosing([gate], of: gates, axis: 1)?.reshaped([units, kernel.shape[0]])
    }
    let whole = blocks.compactMap { $0 }
    return whole.count == blocks.count ? Tensor.joined(whole) : nil
  }

  /// Biases of the input and of the recurrence, one after the other.
  private func biasRow(_ bias: Tensor) -> Tensor? {
    let count = gates * units
    if bias.count == 2 * count {
      return bias.reshaped([2, count])?.choosing(order, of: gates, axis: 1)?.reshaped([2 * count])
    }
    guard bias.count == count,
      let own = bias.reshaped([count])?.choosing(order, of: gates, axis: 0),
      let zeros = Tensor(
        bias.element, [count], bytes: Bytes(count: count * bias.element.bitWidth / 8) { _ in })
    else { return nil }
    return Tensor.joined([own, zeros])
  }
}

/// An activation function as a recurrent operator names it.
struct RecurrentFunction {
  let name: String
  var alpha: Float?
  var beta: Float?

  init(_ site: LayerSite, _ key: String, _ fallback: String) throws(DecodeError) {
    let value = site.settings[key]
    let text = value?.string ?? value?["config"]?.string ?? (value == nil ? fallback : nil)
    switch text {
    case "linear":
      // A layer without an activation states none.
      (name, alpha, beta) = ("Affine", 1, 0)
    case "tanh": name = "Tanh"
    case "sigmoid": name = "Sigmoid"
    case "relu": name = "Relu"
    case "hard_sigmoid":
      (name, alpha, beta) = ("HardSigmoid", site.generation == .three ? 1 / 6 : 0.2, 0.5)
    case "elu": (name, alpha) = ("Elu", 1)
    case "leaky_relu": (name, alpha) = ("LeakyRelu", 0.2)
    case "softsign": name = "Softsign"
    case "softplus": name = "Softplus"
    default:
      let shown = text ?? value?["class_name"]?.string ?? "of another kind"
      throw site.settings.unsupported(key, "activation \(shown) in a recurrent layer")
    }
  }
}
