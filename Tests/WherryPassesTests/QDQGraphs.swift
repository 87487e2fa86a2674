import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Small models to quantize, made from their nodes.
struct QDQGraphs {
  var nodes: [Node] = []
  var constants: [Initializer] = []
  private var state: UInt64 = 7

  init() {}

  /// Uniform numbers in -1...1.
  mutating func random(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 23) - 1
    }
  }

  mutating func constant(_ name: String, _ shape: [Int], _ numbers: [Float]? = nil) throws {
    let elements = numbers ?? random(shape.reduce(1, *))
    constants.append(Initializer(name, try #require(Tensor(.float32, shape, elements: elements))))
  }

  mutating func add(_ operation: any Operator, _ inputs: [String?], _ output: String) {
    nodes.append(Node(operation, name: "\(output)_node", inputs: inputs, outputs: [output]))
  }

  /// - Parameter inputs: names and shapes.
  func model(_ inputs: [(String, [Int])], _ outputs: [String]) -> Model {
    Model(
      graph: Graph(
        nodes: nodes,
        inputs: inputs.map { ValueInfo($0.0, .tensor(.float32, Shape(fixed: $0.1))) },
        outputs: outputs.map { ValueInfo($0, .tensor(.float32, nil)) }, initializers: constants),
      operatorSets: [OperatorSetVersion("", 12)])
  }

  static func conv(pads: Int = 1) -> Conv {
    var conv = Conv()
    conv.pads = [pads, pads, pads, pads]
    return conv
  }

  static func maxPool() -> MaxPool {
    var pool = MaxPool()
    (pool.kernelShape, pool.strides) = ([2, 2], [2, 2])
    return pool
  }
}

/// Quantizes by the extremes that some samples show, in the reference evaluator.
struct Quantized {
  let float: Model
  let scheme: QuantizationScheme
  let parameters: [QuantizationParameters]
  let model: Model

  init(_ model: Model, samples: Int = 4, interface: InterfaceType = .float) throws {
    float = try QuantizationPreparation.prepare(model)
    scheme = QuantizationScheme(float, interface: interface)
    var calibration = Calibration(.minMax)
    let inputs = Set(float.graph.inputs.map(\.name))
    let evaluator = ReferenceEvaluator(float.exposing(scheme.observed.subtracting(inputs).sorted()))
    for seed in 0..<samples {
      let sample = try Self.inputs(model, seed: seed)
      let values = try evaluator.run(sample.mapValues { .tensor($0) })
      for name in scheme.observed.sorted() {
        let tensor = try #require(values[name]?.tensor ?? sample[name])
        try calibration.observe(name, tensor)
      }
    }
    parameters = try calibration.parameters(float, scheme, .minMax)
    self.model = try QDQModel(float, scheme, parameters).quantized(interface: interface)
  }

  static func inputs(_ model: Model, seed: Int) throws -> [String: Tensor] {
    var graphs = QDQGraphs()
    _ = graphs.random(seed * 17)
    var result: [String: Tensor] = [:]
    for input in model.graph.inputs {
      let shape = try #require(input.type.shape?.extents)
      result[input.name] = Tensor(.float32, shape, elements: graphs.random(shape.reduce(1, *)))
    }
    return result
  }

  func parameters(of name: String) throws -> QuantizationParameters {
    parameters[try #require(scheme.groups.index(of: name))]
  }

  /// The node that makes a value of the quantized model.
  func maker(_ name: String?) throws -> Node {
    try #require(model.graph.nodes.first { $0.outputs.contains(name) })
  }

  /// Operators that a value went through, from the last one back along first inputs.
  func road(_ name: String, _ steps: Int) throws -> [String] {
    var (result, value): ([String], String?) = ([], name)
    for _ in 0..<steps {
      let node = try maker(value)
      result.append(node.operation.name.name)
      value = node.inputs[0]
    }
    return result
  }
}
