import WherryBytes
import WherryGraph
import WherryOperators

/// Models made of a float model, a scheme and its parameters.
public struct QDQModel: Sendable {
  private let model: Model
  private let corrected: Model
  private let scheme: QuantizationScheme
  private let parameters: [QuantizationParameters]

  /// - Parameters:
  ///   - model: prepared by `QuantizationPreparation`.
  ///   - corrected: the same nodes with the weights and biases that quantized layers take; nil for the model's own.
  ///   - scheme: made of the corrected model.
  ///   - parameters: one a group of the scheme.
  public init(
    _ model: Model, corrected: Model? = nil, _ scheme: QuantizationScheme,
    _ parameters: [QuantizationParameters]
  ) {
    (self.model, self.scheme, self.parameters) = (model, scheme, parameters)
    self.corrected = corrected ?? model
  }

  /// The quantized model.
  ///
  /// Values keep their names: what a quantized layer gives is, under its old name, what DequantizeLinear
  /// gives back, so that float nodes, subgraphs and outputs need no change.
  /// - Throws: `QuantizationError` when a layer's sums could leave 32 bits.
  public func quantized(interface: InterfaceType = .float) throws(QuantizationError) -> Model {
    var emitter = QDQEmitter(corrected, scheme, parameters)
    var result = model
    var renames = interface == .float ? [:] : emitInputs(&emitter, &result.graph, interface)
    // A layer stands where its last node stood: everything it reads is there by then.
    let ends = Dictionary(
      scheme.layers.map { ($0.nodes.last ?? $0.core, $0) }, uniquingKeysWith: { a, _ in a })
    let inner = Set(scheme.layers.flatMap { $0.nodes.dropLast() })
    for (index, node) in model.graph.nodes.enumerated() where !inner.contains(index) {
      let layer = ends[index]
      // Float values that a scale goes with: all a layer gives, and outputs of the model that are to be
      // integers.
      let given =
        layer?.outputs
        ?? node.outputs.compactMap { $0 }.filter {
          interface != .float && model.isOutput($0) && scheme.groups.index(of: $0) != nil
        }
      var raw: [String: String] = [:]
      for name in given { raw[name] = emitter.fresh("\(name)_float") }
      if let layer {
        do throws(QuantizedLayer.Overflow) {
          try emitter.emit(layer) { raw[$0] ?? $0 }
        } catch {
          throw QuantizationError(
            .option("sums of channel \(error.channel) could leave 32 bits"),
            Place().inside("graph").inside("node", at: index, node.name))
        }
      } else {
        var node = node.renaming(renames)
        node.outputs = node.outputs.map { name in name.map { raw[$0] ?? $0 } }
        emitter.append(node)
      }
      for name in given {
        guard let source = raw[name] else { continue }
        if interface != .float, model.isOutput(name) {
          renames[name] = emitOutput(name, source, &emitter, &result.graph, interface)
          continue
        }
        let quantized = emitter.quantize(source, as: name)
        emitter.dequantize(quantized, as: name, to: name)
        emitter.setView(name, name)
      }
    }
    result.graph.nodes = emitter.nodes
    result.graph.initializers = corrected.graph.initializers + emitter.made
    result.raiseOperatorSet()
    _ = result.graph.removeDead()
    return result
  }

  /// Quantized inputs in place of float ones, where a quantized layer reads them.
  ///
  /// - Returns: what float nodes read instead of each.
  private func emitInputs(
    _ emitter: inout QDQEmitter, _ graph: inout Graph, _ interface: InterfaceType
  ) -> [String: String] {
    var renames: [String: String] = [:]
    for (index, input) in graph.inputs.enumerated() {
      let name = input.name
      guard scheme.groups.index(of: name) != nil, case .tensor(_, let shape) = input.type.plain
      else { continue }
      let element: ElementType = interface == .uint8 ? .uint8 : .int8
      graph.inputs[index].type = .tensor(element, shape)
      let view = emitter.fresh("\(name)_dequantized")
      if element == .uint8 {
        let float = emitter.fresh("\(name)_float")
        let scale = emitter.scale(of: name, as: .uint8)
        emitter.append(
          Node(
            DequantizeLinear(), name: "\(name)_FromUInt8", inputs: [name] + scale, outputs: [float])
        )
        let quantized = emitter.quantize(float, as: name)
        emitter.dequantize(quantized, as: name, to: view)
      } else {
        emitter.dequantize(name, as: name, to: view)
      }
      emitter.setView(name, view)
      renames[name] = view
    }
    return renames
  }

  /// A quantized model output.
  ///
  /// - Returns: the float view of it.
  private func emitOutput(
    _ name: String, _ source: String, _ emitter: inout QDQEmitter, _ graph: inout Graph,
    _ interface: InterfaceType
  ) -> String {
    let view = emitter.fresh("\(name)_dequantized")
    let element: ElementType = interface == .uint8 ? .uint8 : .int8
    for index in graph.outputs.indices where graph.outputs[index].name == name {
      graph.outputs[index].type = .tensor(element, graph.outputs[index].type.shape)
    }
    graph.values.removeAll { $0.name == name }
    if interface == .uint8 {
      let quantized = emitter.quantize(source, as: name)
      emitter.dequantize(quantized, as: name, to: view)
      let scale = emitter.scale(of: name, as: .uint8)
      emitter.append(
        Node(QuantizeLinear(), name: "\(name)_ToUInt8", inputs: [view] + scale, outputs: [name]))
    } else {
      _ = emitter.quantize(source, as: name, to: name)
      emitter.dequantize(name, as: name, to: view)
    }
    emitter.setView(name, view)
    return view
  }

  /// The float model, and each of `chains` once more in quantized form, its first layer fed with float
  /// values and each other one with what the layer before it gives.
  ///
  /// - Returns: the model; the outputs that the last layer of each chain gives, by the value's name; and
  ///   the names of values that stand before a clamp, in quantized form, by those they have in the float one.
  public func isolated(
    _ chains: [[QuantizationScheme.Layer]]
  ) throws(QuantizationError) -> Isolated {
    var emitter = QDQEmitter(corrected, scheme, parameters)
    for node in model.graph.nodes { emitter.append(node) }
    var result = Isolated(model: model)
    for chain in chains {
      // What one chain makes is no other chain's input.
      var restored: [(String, String?)] = []
      for (position, layer) in chain.enumerated() {
        var raw: [String: String] = [:]
        for output in layer.outputs { raw[output] = emitter.fresh("\(output)_isolated_float") }
        let inner: [String: String]
        do throws(QuantizedLayer.Overflow) {
          inner = try emitter.emit(layer, "_isolated") { raw[$0] ?? $0 }
        } catch {
          throw QuantizationError(.option("sums of channel \(error.channel) could leave 32 bits"))
        }
        result.inner.merge(inner) { first, _ in first }
        for output in layer.outputs {
          guard let source = raw[output] else { continue }
          let quantized = emitter.quantize(source, as: output)
          let view = emitter.fresh("\(output)_isolated")
          emitter.dequantize(quantized, as: output, to: view)
          if position == chain.count - 1 { result.outputs[output] = view }
          restored.append((output, emitter.views[output]))
          emitter.setView(output, view)
        }
      }
      for (name, view) in restored.reversed() { emitter.setView(name, view) }
    }
    result.model.graph.nodes = emitter.nodes
    result.model.graph.initializers = corrected.graph.initializers + emitter.made
    return result
  }

  /// A float model with quantized layers beside it.
  public struct Isolated: Sendable {
    public fileprivate(set) var model: Model
    public fileprivate(set) var outputs: [String: String] = [:]
    public fileprivate(set) var inner: [String: String] = [:]
  }
}

extension Node {
  /// The same node reading other values, in its subgraphs too.
  func renaming(_ names: [String: String]) -> Node {
    guard !names.isEmpty else { return self }
    var node = self
    node.inputs = node.inputs.map { $0.map { names[$0] ?? $0 } }
    node.operation = node.operation.renamingCaptures(names)
    return node
  }
}

extension Model {
  fileprivate func isOutput(_ name: String) -> Bool { graph.outputs.contains { $0.name == name } }

  /// Scales for each channel came with operator set 13.
  mutating func raiseOperatorSet(to least: Int64 = 13) {
    for index in operatorSets.indices
    where operatorSets[index].domain.isEmpty || operatorSets[index].domain == "ai.onnx" {
      operatorSets[index].version = max(operatorSets[index].version, least)
    }
  }

  /// The same model giving other values too.
  public func exposing(_ names: some Sequence<String>) -> Model {
    var result = self
    var known = Set(graph.outputs.map(\.name) + graph.inputs.map(\.name))
    for name in names where known.insert(name).inserted {
      result.graph.outputs.append(ValueInfo(name, .tensor(.float32, nil)))
    }
    return result
  }

  /// The same model giving only some of its outputs and inner values.
  public func giving(_ names: some Sequence<String>) -> Model {
    var result = self
    result.graph.outputs = []
    result = result.exposing(names)
    _ = result.graph.removeDead()
    return result
  }
}
