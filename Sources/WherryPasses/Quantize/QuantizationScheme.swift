import WherryBytes
import WherryGraph
import WherryOperators

/// Which nodes of a model are quantized, and which values share a scale.
public struct QuantizationScheme: Sendable {
  /// Nodes that take quantized values and give quantized ones, and float numbers only between them: an
  /// operator with the bias and the clamp after it, or a function of one value.
  public struct Layer: Sendable {
    /// Indices in the graph's nodes, in order; the last one gives the outputs.
    public let nodes: [Int]
    /// The one of them with the weights, or whose name the layer has.
    public let core: Int
    /// The name of the core, or of its first output where it has none.
    public let name: String
    public let operation: String
    let rule: QuantizationRule
    /// Quantized inputs that aren't weights.
    let operands: [Operand]
    /// Where the bias of a layer with weights is read; nil without one.
    let bias: Port?
    /// The quantized values it gives.
    public let outputs: [String]

    /// Whether reports list it.
    public var isReported: Bool { rule.isReported }
    var isWeighted: Bool { rule.kind == .weighted }
  }

  /// An input of a node.
  struct Port: Sendable, Hashable {
    let node: Int
    let position: Int
  }

  /// A quantized input of a layer.
  struct Operand: Sendable {
    let port: Port
    let name: String
    let isConstant: Bool
  }

  /// A node that could be expected to be quantized but stays float, and why.
  public struct Kept: Sendable, Hashable {
    public let node: Int
    public let name: String
    public let operation: String
    public let reason: String
  }

  /// In the graph's order.
  public let layers: [Layer]
  public let kept: [Kept]
  /// Values that share scale and zero point.
  public let groups: QuantizationGroups

  /// Nothing is quantized.
  init() { (layers, kept, groups) = ([], [], QuantizationGroups()) }

  /// - Parameter excluded: names of layers that stay float, with the reason for each.
  public init(_ model: Model, excluding excluded: [String: String] = [:], interface: InterfaceType)
  {
    let facts = GraphFacts(model)
    var candidates = LayerCandidates(model.graph, facts, excluded: excluded)
    candidates.find()
    var spread = LayerSpread(candidates.layers, facts, interface: interface)
    let chosen = spread.run()
    layers = chosen.sorted { $0.core < $1.core }
    kept = (candidates.kept + spread.kept).sorted { $0.node < $1.node }
    // Quantized inputs and outputs have scales even where only float layers read or make them.
    let ends = (model.graph.inputs + model.graph.outputs).map(\.name).filter {
      interface != .float && facts.isFloat($0) && facts.constants[$0] == nil
    }
    groups = QuantizationGroups(layers, others: ends, facts, model.graph.nodes)
  }

  /// The values whose distribution has to be observed.
  public var observed: Set<String> { Set(groups.all.flatMap(\.observed)) }
}
