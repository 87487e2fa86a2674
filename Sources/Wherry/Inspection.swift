import WherryBytes
import WherryGraph
import WherryNative

/// What there is to see about a model file; for `wherry inspect` and its JSON.
public struct Inspection: Encodable, Sendable {
  public struct NamedValue: Encodable, Sendable {
    public var name, type: String
    public var labels: [String]?
  }
  public struct KeyValue: Encodable, Sendable {
    public var key, value: String
  }
  public struct NodeLine: Encodable, Sendable {
    public var name, op: String
    public var inputs, outputs, types: [String]
  }
  public struct PlanFacts: Encodable, Sendable {
    public var operations, macs, arenaBytes, liveBytes: Int
  }

  public var path, format, producer, docString, name: String
  public var bytes: Int
  public var irVersion: Int64?
  public var modelVersion: Int64
  public var operatorSets: [String: Int64]
  public var inputs, outputs: [NamedValue]
  public var nodeCount, functionCount, parameterCount, parameterBytes: Int
  public var operators: [String: Int]
  public var properties: [KeyValue]
  public var plan: PlanFacts?
  public var nodes: [NodeLine]
  public var problems: [String]

  public init(_ file: ModelFile) {
    let model = file.model
    let graph = model.graph
    let inference = TypeInference(model)
    (path, format, bytes) = (file.path, file.format.name, file.bytes.count)
    let metadata = model.metadata
    producer = [metadata.producerName, metadata.producerVersion].filter { !$0.isEmpty }.joined(
      separator: " ")
    docString = metadata.docString.isEmpty ? graph.docString : metadata.docString
    (name, irVersion, modelVersion) = (graph.name, metadata.irVersion, metadata.modelVersion)
    operatorSets = Dictionary(
      model.operatorSets.map { ($0.domain.isEmpty ? "ai.onnx" : $0.domain, $0.version) },
      uniquingKeysWith: max)
    let constants = Set(graph.initializers.map(\.name))
    inputs = graph.inputs.filter { !constants.contains($0.name) }
      .map { NamedValue(name: $0.name, type: "\($0.type)") }
    outputs = graph.outputs.map { output in
      NamedValue(
        name: output.name, type: "\(inference.types[output.name] ?? output.type)",
        labels: model.labels.first { $0.output == output.name }?.labels)
    }
    let tensors = graph.initializers.map(\.tensor)
    (nodeCount, functionCount) = (graph.nodes.count, model.functions.count)
    parameterCount = tensors.reduce(0) { $0 + $1.count }
    parameterBytes = tensors.reduce(0) { $0 + $1.bytes.count }
    operators = graph.nodes.reduce(into: [:]) { $0[$1.operation.name.description, default: 0] += 1 }
    properties = (metadata.properties + graph.properties).map {
      KeyValue(key: $0.key, value: $0.value)
    }
    plan = NativeFormat.plan(file.bytes).map {
      PlanFacts(
        operations: $0.operations, macs: $0.macs, arenaBytes: $0.arenaBytes, liveBytes: $0.liveBytes
      )
    }
    nodes = graph.nodes.map { node in
      NodeLine(
        name: node.name, op: node.operation.name.description, inputs: node.inputs.map { $0 ?? "" },
        outputs: node.outputs.map { $0 ?? "" },
        types: node.outputs.map { $0.flatMap { inference.types[$0] }.map(\.description) ?? "?" })
    }
    problems = file.losses.map(\.description) + inference.errors.map(\.description)
  }
}
