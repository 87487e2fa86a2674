import WherryBytes
import WherryGraph
import WherryOperators

/// Writes layers between QuantizeLinear and DequantizeLinear nodes.
///
/// A layer reads DequantizeLinear of every operand, its weights as int8 and its bias as int32 behind one
/// as well, and its results go through QuantizeLinear.
struct QDQEmitter {
  let scheme: QuantizationScheme
  /// One a group of the scheme.
  let parameters: [QuantizationParameters]
  private let source: [Node]
  private let constants: [String: Tensor]
  private(set) var nodes: [Node] = []
  private(set) var made: [Initializer] = []
  private var taken: Set<String>
  /// Names of scale and zero point by group.
  private var scaleNames: [Int: (scale: String, zero: String)] = [:]
  /// The float view of quantized values.
  private(set) var views: [String: String] = [:]
  private var weightViews: [WeightKey: String] = [:]

  private struct WeightKey: Hashable {
    let name: String
    let layout: WeightLayout
    let scales: [Float]
  }

  init(_ model: Model, _ scheme: QuantizationScheme, _ parameters: [QuantizationParameters]) {
    (self.scheme, self.parameters, source) = (scheme, parameters, model.graph.nodes)
    taken = model.graph.definedNames
    let inputs = Set(model.graph.inputs.map(\.name))
    constants = Dictionary(
      model.graph.initializers.filter { !inputs.contains($0.name) }.map { ($0.name, $0.tensor) },
      uniquingKeysWith: { a, _ in a })
  }

  /// For models in which nothing has a scale but weights.
  init(_ model: Model) { self.init(model, QuantizationScheme(), []) }

  mutating func append(_ node: Node) { nodes.append(node) }

  mutating func fresh(_ base: String) -> String {
    var name = base
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(base)_\(number)"
    }
    return name
  }

  mutating func constant(_ base: String, _ tensor: Tensor?) -> String {
    let name = fresh(base)
    if let tensor { made.append(Initializer(name, tensor)) }
    return name
  }

  /// Says which float value stands for a quantized one.
  mutating func setView(_ name: String, _ view: String?) { views[name] = view }

  /// Scale and zero point of a value's group, with another element type than int8 as separate constants.
  mutating func scale(of name: String, as element: ElementType = .int8) -> [String] {
    guard let group = scheme.groups.index(of: name) else { return [] }
    let parameters = parameters[group]
    let base = scheme.groups.all[group].members.first ?? name
    if scaleNames[group] == nil {
      scaleNames[group] = (
        constant("\(base)_scale", Tensor(.float32, [], elements: [parameters.scale])),
        constant("\(base)_zero_point", Tensor(.int8, [], integers: [Int64(parameters.zeroPoint)]))
      )
    }
    guard let names = scaleNames[group] else { return [] }
    guard element == .uint8 else { return [names.scale, names.zero] }
    let zero = Tensor(.uint8, [], integers: [Int64(parameters.zeroPoint + 128)])
    return [names.scale, constant("\(name)_zero_point_uint8", zero)]
  }

  /// QuantizeLinear of the float value `source`, at the scale of the value `name`.
  mutating func quantize(_ source: String, as name: String, to target: String? = nil) -> String {
    let target = target ?? fresh("\(name)_quantized")
    let scale = scale(of: name)
    append(
      Node(
        QuantizeLinear(), name: "\(name)_QuantizeLinear", inputs: [source] + scale,
        outputs: [target]))
    return target
  }

  mutating func dequantize(_ source: String, as name: String, to target: String) {
    let scale = scale(of: name)
    append(
      Node(
        DequantizeLinear(), name: "\(name)_DequantizeLinear", inputs: [source] + scale,
        outputs: [target]))
  }

  /// The float view of an operand, made of its own value or constant where there is none yet.
  mutating func view(of name: String) -> String {
    if let view = views[name] { return view }
    let view = fresh("\(name)_dequantized")
    if let tensor = constants[name], let group = scheme.groups.index(of: name) {
      let parameters = parameters[group]
      let values = tensor.doubles.map { parameters.quantize(Float($0)) }
      let quantized = constant(
        "\(name)_quantized", Tensor(.int8, tensor.shape, elements: values))
      dequantize(quantized, as: name, to: view)
    } else {
      let quantized = quantize(name, as: name)
      dequantize(quantized, as: name, to: view)
    }
    views[name] = view
    return view
  }

  /// The layer's nodes, from float views to float results.
  ///
  /// - Parameters:
  ///   - suffix: told from the layer's own values where the float layer stays too; else empty.
  ///   - result: the name of each of the layer's outputs before QuantizeLinear.
  /// - Returns: new names of the layer's values.
  /// - Throws: `Overflow` when a sum could leave 32 bits.
  @discardableResult
  mutating func emit(
    _ layer: QuantizationScheme.Layer, _ suffix: String = "", result: (String) -> String
  ) throws(QuantizedLayer.Overflow) -> [String: String] {
    var names: [String: String] = [:]
    for output in layer.outputs { names[output] = result(output) }
    var inputs: [QuantizationScheme.Port: String] = [:]
    for operand in layer.operands { inputs[operand.port] = view(of: operand.name) }
    if layer.isWeighted {
      let quantized = try int8Weights(layer)
      if let name = source[layer.core].inputs[1] {
        inputs[.init(node: layer.core, position: 1)] = weightView(name, quantized.weights)
      }
      if let port = layer.bias, let bias = quantized.bias {
        inputs[port] = emitBias(layer, port, bias)
      }
    } else if layer.rule.kind == .recurrent {
      for position in 1...2 {
        inputs[.init(node: layer.core, position: position)] =
          emitWeights(position, source[layer.core])?.view
      }
    }
    for index in layer.nodes {
      var node = source[index]
      for position in node.inputs.indices {
        if let view = inputs[.init(node: index, position: position)] {
          node.inputs[position] = view
        } else if let name = node.inputs[position], let renamed = names[name] {
          node.inputs[position] = renamed
        }
      }
      for (position, name) in node.outputs.enumerated() {
        guard let name else { continue }
        if names[name] == nil, !suffix.isEmpty { names[name] = fresh("\(name)\(suffix)") }
        node.outputs[position] = names[name] ?? name
      }
      append(node)
    }
    return names
  }

  private mutating func emitBias(
    _ layer: QuantizationScheme.Layer, _ port: QuantizationScheme.Port,
    _ bias: (values: [Int64], scales: [Float])
  ) -> String {
    let name = source[port.node].inputs[port.position] ?? "bias"
    let base = "\(name)_\(layer.name)"
    let values = constant(
      "\(base)_quantized", Tensor(.int32, [bias.values.count], integers: bias.values))
    let scale = constant(
      "\(base)_scale", Tensor(.float32, [bias.scales.count], elements: bias.scales))
    let view = fresh("\(base)_dequantized")
    var dequantize = DequantizeLinear()
    dequantize.axis = 0
    append(
      Node(
        dequantize, name: "\(base)_DequantizeLinear", inputs: [values, scale], outputs: [view]))
    return view
  }

  /// Weights and bias of a weighted layer at its input's and output's scales.
  func int8Weights(
    _ layer: QuantizationScheme.Layer
  ) throws(QuantizedLayer.Overflow) -> QuantizedLayer {
    let node = source[layer.core]
    guard let name = node.inputs[1], let tensor = constants[name],
      let input = layer.operands.first.flatMap({ scheme.groups.index(of: $0.name) }),
      let output = layer.outputs.first.flatMap({ scheme.groups.index(of: $0) })
    else { throw QuantizedLayer.Overflow(channel: 0) }
    let bias = layer.bias.flatMap { source[$0.node].inputs[$0.position] }.flatMap {
      constants[$0]
    }
    return try QuantizedLayer(
      tensor, WeightLayout(node.operation, tensor), bias: bias?.doubles,
      inputScale: parameters[input].scale, outputScale: parameters[output].scale)
  }

  /// Weights that stand alone behind DequantizeLinear, at their own scales.
  ///
  /// - Returns: what the node reads instead of them; nil when they can't be quantized.
  mutating func emitWeights(_ position: Int, _ node: Node) -> (view: String, weights: Int8Weights)?
  {
    guard let name = node.inputs[position], let tensor = constants[name] else { return nil }
    let layout = WeightLayout(node.operation, tensor)
    let floors = [Float](repeating: 0, count: layout.channels)
    guard let weights = Int8Weights(tensor, layout, floors: floors) else { return nil }
    return (weightView(name, weights), weights)
  }

  private mutating func weightView(_ name: String, _ weights: Int8Weights) -> String {
    let key = WeightKey(name: name, layout: weights.layout, scales: weights.scales)
    if let known = weightViews[key] { return known }
    let count = weights.scales.count
    let values = constant("\(name)_quantized", weights.values)
    let scale = constant("\(name)_scale", Tensor(.float32, [count], elements: weights.scales))
    let zeros = [Int64](repeating: 0, count: count)
    let zero = constant("\(name)_zero_point", Tensor(.int8, [count], integers: zeros))
    let view = fresh("\(name)_dequantized")
    var dequantize = DequantizeLinear()
    dequantize.axis = weights.layout.axis
    append(
      Node(
        dequantize, name: "\(name)_DequantizeLinear", inputs: [values, scale, zero],
        outputs: [view]))
    weightViews[key] = view
    return view
  }
}
