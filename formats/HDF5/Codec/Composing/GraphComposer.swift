import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Says a graph in layers of Keras, in a form that Keras 2 and Keras 3 read alike.
final class GraphComposer {
  let sheet = LayerSheet()
  private let graph: Graph
  private let types: [String: ValueType]
  private let contradiction: TypeError?
  private var constants: [String: Tensor]
  private var strands: [String: Strand] = [:]
  private var arrangements: [Arrangement: Strand] = [:]
  /// The first input, and zeros made from it.
  private(set) var entrance: Strand?
  var zeros: [ElementType: Strand] = [:]
  /// Values of unknown extents whose elements are all one number.
  private var uniforms: [String: Double] = [:]
  /// Extents of tensors as values: what takes them may know them without.
  private var measures: Set<String> = []
  /// How often each value is used.
  private var uses: [String: Int] = [:]
  /// The value that each layer was made for.
  private var made: [Int: String] = [:]

  private struct Arrangement: Hashable {
    var origin: Strand.Origin
    var axes: [Int?]
    var wanted: [Int]
  }

  /// Whether functions between layers may stand for what no layer says; only Keras 3 reads them.
  let allowsOperations: Bool
  /// What the graph has and the layers don't.
  private(set) var losses: [Loss] = []

  init(_ model: Model, allowsOperations: Bool) {
    graph = model.graph
    self.allowsOperations = allowsOperations
    let inference = TypeInference(model)
    (types, constants) = (inference.types, inference.contents)
    contradiction = inference.errors.first
    // Values that callers may leave out are always left out.
    for entry in graph.initializers { constants[entry.name] = entry.tensor }
    for node in graph.nodes {
      for case let name? in node.inputs { uses[name, default: 0] += 1 }
    }
    for output in graph.outputs { uses[output.name, default: 0] += 1 }
  }

  /// The model in layers.
  ///
  /// - Throws: `EncodeError.inexpressible` that names every operator that Keras has no layers for.
  func page() throws(EncodeError) -> LayerSheet.Page {
    if let contradiction {
      throw EncodeError(.invalid("\(contradiction.reason)"), contradiction.place)
    }
    var numbers: [String?: Int] = [:]
    for (index, node) in graph.nodes.enumerated() { numbers[node.outputs.first ?? nil] = index }
    var refusals: [EncodeError] = []
    var inputs: [(name: String, layer: Int)] = []
    let held = Set(graph.initializers.map(\.name))
    for input in graph.inputs {
      if held.contains(input.name) {
        let place = Place().inside("graph").inside("input", input.name)
        losses.append(
          Loss(.capability, "another value than the default, which becomes a constant", place))
        continue
      }
      do throws(EncodeError) {
        inputs.append((input.name, try enter(input)))
      } catch {
        refusals.append(error)
      }
    }
    guard refusals.isEmpty else { throw Self.all(refusals) }
    for node in graph.nodes { _ = fold(node) }
    var decompositions = Decompositions(graph, constants, types)
    let nodes = decompositions.found()
    constants.merge(decompositions.made) { own, _ in own }
    for node in nodes {
      let index = numbers[node.outputs.first ?? nil] ?? 0
      let place = Place().inside("graph").inside("node", at: index, node.name)
      do throws(EncodeError) {
        try express(node, at: place)
      } catch {
        // What rests on a refused value says nothing of its own.
        if error.reason != Self.consequence { refusals.append(error) }
      }
    }
    guard refusals.isEmpty else { throw Self.all(refusals) }
    var outputs: [(name: String, origin: Strand.Origin)] = []
    for output in graph.outputs {
      let place = Place().inside("graph").inside("output", output.name)
      let strand = try inOrder(try self.strand(output.name, at: place), at: place)
      let isTaken =
        outputs.contains { $0.origin.layer == strand.origin.layer }
        || inputs.contains { $0.layer == strand.origin.layer } || strand.origin.output != 0
      let origin =
        isTaken
        ? map(strand, "Activation", [("activation", "linear")], named: output.name).origin
        : strand.origin
      outputs.append((output.name, origin))
    }
    return sheet.page(name: graph.name, inputs: inputs, outputs: outputs)
  }

  private static let consequence = EncodeError.Reason.inexpressible("an earlier value")

  private static func all(_ errors: [EncodeError]) -> EncodeError {
    guard errors.count > 1 else { return errors.first ?? EncodeError(consequence) }
    return EncodeError(.inexpressible(errors.map(\.description).joined(separator: "\n")))
  }

  private func enter(_ input: ValueInfo) throws(EncodeError) -> Int {
    let place = Place().inside("graph").inside("input", input.name)
    guard case .tensor(let element, let shape?) = input.type.plain, shape.rank >= 1,
      shape.dimensions.allSatisfy({ $0.extent ?? 0 < 1 << 31 }),
      element.isComputed || !element.isFloat && !element.isComplex
    else {
      throw EncodeError(.inexpressible("an input of type \(input.type)"), place)
    }
    let extents = shape.dimensions.map(\.extent)
    let layer = sheet.add(
      .init(
        className: "InputLayer",
        settings: [
          (
            "batch_input_shape",
            .array(extents.map { $0.map { .integer(Int64($0)) } ?? .null })
          ), ("sparse", false), ("ragged", false),
        ], element: element, weights: [], inputs: [], hint: input.name))
    let strand = Strand(.init(layer: layer), element, extents)
    strands[input.name] = strand
    if entrance == nil, element != .string { entrance = strand }
    return layer
  }

  /// Notes what the layers do otherwise than the graph.
  func note(_ what: String, at place: Place) { losses.append(Loss(.capability, what, place)) }

  private func express(_ node: Node, at place: Place) throws(EncodeError) {
    if fold(node) || isUniform(node) {
      if node.operation.name.name == "DequantizeLinear" {
        losses.append(
          Loss(.information, "integers of stored weights, which become floating point", place))
      }
      return
    }
    if isMeasure(node) { return }
    let site = NodeSite(node: node, place: place, composer: self)
    guard let expression = NodeExpression.of(node.operation) else {
      throw site.refusal("\(node.operation.name)")
    }
    let results = try expression(site)
    for (name, strand) in zip(node.outputs, results) {
      guard let name, let strand else { continue }
      strands[name] = strand
      if made[strand.origin.layer] == nil { made[strand.origin.layer] = name }
    }
  }

  /// Whether a node gives extents, or computes with nothing else.
  private func isMeasure(_ node: Node) -> Bool {
    let sources = node.inputs.compactMap { $0 }
    let computes =
      !(node.operation is Expand) && sources.contains { measures.contains($0) }
      && sources.allSatisfy { measures.contains($0) || constants[$0] != nil }
    guard node.operation is ShapeOperator || node.operation is Size || computes else {
      return false
    }
    measures.formUnion(node.outputs.compactMap { $0 })
    return true
  }

  /// Computes a node of constants.
  private func fold(_ node: Node) -> Bool {
    if node.outputs.allSatisfy({ $0.map { constants[$0] != nil } ?? true }) { return true }
    guard !(node.operation is any Nondeterministic), !(node.operation is UnknownOperator) else {
      return false
    }
    var values: [Tensor?] = []
    for name in node.inputs {
      guard let name else {
        values.append(nil)
        continue
      }
      guard let tensor = constants[name] else { return false }
      values.append(tensor)
    }
    guard let results = evaluated(node.operation, values, outputs: node.outputs.map { $0 != nil })
    else { return false }
    for (name, result) in zip(node.outputs, results) {
      guard let name else { continue }
      guard let result else { return false }
      constants[name] = result
    }
    return true
  }

  /// What an operator without subgraphs gives for constants; nil when it can't be run.
  func evaluated(_ operation: any Operator, _ inputs: [Tensor?], outputs: [Bool]) -> [Tensor?]? {
    guard operation.attributes.allSatisfy({ $0.value.subgraphs.isEmpty }) else { return nil }
    var limits = EvaluationLimits()
    limits.elements = 1 << 26
    let call = OperatorCall(
      inputs: inputs.map { $0.map { .tensor($0) } }, wanted: outputs, limits: limits,
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    guard let results = try? operation.evaluate(call), results.count == outputs.count else {
      return nil
    }
    return results.map { $0?.tensor }
  }

  /// Whether a node repeats one number, however often.
  private func isUniform(_ node: Node) -> Bool {
    guard let name = node.outputs.first ?? nil else { return false }
    let source = node.inputs.first ?? nil
    switch node.operation {
    case let operation as ConstantOfShape:
      uniforms[name] = operation.value?.doubles.first ?? 0
    case is Expand where source.map { constants[$0]?.count == 1 } == true:
      uniforms[name] = source.flatMap { constants[$0]?.doubles.first }
    case is Identity where source.map { uniforms[$0] != nil } == true:
      uniforms[name] = source.flatMap { uniforms[$0] }
    default: return false
    }
    return uniforms[name] != nil
  }

  /// The number that all elements of a value are, however many.
  func uniform(_ name: String) -> Double? {
    if let known = uniforms[name] { return known }
    guard let all = constants[name]?.doubles, let first = all.first else { return nil }
    return all.allSatisfy { $0 == first } ? first : nil
  }

  func constant(_ name: String) -> Tensor? { constants[name] }
  func type(_ name: String) -> ValueType? { types[name] }

  /// Whether nothing but one node takes the value.
  func isUsedOnce(_ name: String) -> Bool { uses[name] == 1 }
  /// Whether the layer was made for this value.
  func isMade(_ layer: Int, as name: String) -> Bool { made[layer] == name }
  func isUsed(_ name: String) -> Bool { uses[name, default: 0] > 0 }

  func strand(_ name: String, at place: Place) throws(EncodeError) -> Strand {
    if let strand = strands[name] { return strand }
    if measures.contains(name) {
      throw EncodeError(.inexpressible("extents as a tensor"), place)
    }
    if constants[name] != nil || uniforms[name] != nil {
      throw EncodeError(.inexpressible("the constant \"\(name)\" as the input of a layer"), place)
    }
    throw EncodeError(Self.consequence, place)
  }
}

// Layers.
extension GraphComposer {
  /// Adds a layer.
  ///
  /// - Returns: its first output, whose axes are Keras's.
  func layer(
    _ className: String, _ settings: [(String, JSONValue)], _ inputs: [Strand],
    weights: [LayerSheet.Weight] = [], states: [Strand] = [], extents: [Int?],
    element: ElementType? = nil, named hint: String
  ) -> Strand {
    let element = element ?? inputs.first?.element ?? .float32
    let index = sheet.add(
      .init(
        className: className, settings: settings, element: element, weights: weights,
        inputs: inputs.map(\.origin), states: states.map(\.origin), hint: hint))
    return Strand(.init(layer: index), element, extents)
  }

  /// Adds a layer that touches every element alone.
  func map(
    _ strand: Strand, _ className: String, _ settings: [(String, JSONValue)],
    weights: [LayerSheet.Weight] = [], element: ElementType? = nil, named hint: String
  ) -> Strand {
    var result = layer(
      className, settings, [strand], weights: weights, extents: strand.extents, element: element,
      named: hint)
    result.axes = strand.axes
    return result
  }

  /// A tensor of other extents behind the batch, in Keras's order.
  func reshaped(
    _ strand: Strand, _ extents: [Int?], at place: Place
  ) throws(EncodeError) -> Strand {
    if extents == strand.extents { return Strand(strand.origin, strand.element, extents) }
    guard extents.dropFirst().filter({ $0 == nil }).count <= 1 else {
      throw EncodeError(.inexpressible("several unknown extents in a Reshape layer"), place)
    }
    let shape = extents.dropFirst().map { JSONValue.integer(Int64($0 ?? -1)) }
    var result = layer(
      "Reshape", [("target_shape", .array(shape))], [strand], extents: extents, named: "reshape")
    result.isNonNegative = strand.isNonNegative
    return result
  }

  /// The tensor whose axes are those of the graph's value in the order `wanted`; the batch comes first.
  func arranged(
    _ strand: Strand, _ wanted: [Int], at place: Place
  ) throws(EncodeError) -> Strand {
    var strand = strand
    // Axes of extent 1 can take each other's place.
    if let first = wanted.first, strand.axes[first] == nil, strand.extents.first == 1,
      let batch = strand.batchAxis
    {
      strand.axes.swapAt(first, batch)
    }
    guard let first = wanted.first, strand.axes[first] == 0 else {
      throw EncodeError(.inexpressible("the batch at axis \(strand.batchAxis ?? -1)"), place)
    }
    let key = Arrangement(origin: strand.origin, axes: strand.axes, wanted: wanted)
    if let known = arrangements[key] { return known }
    let shape = wanted.map { strand.extent($0) }
    var result = strand
    // Where axes of extent 1 stand makes no difference to the elements.
    let moving = wanted.filter { axis in strand.axes[axis] == 0 || strand.extent(axis) != 1 }
    let positions = moving.compactMap { strand.axes[$0] }
    if positions != positions.sorted() {
      let present = wanted.compactMap { strand.axes[$0] }
      let dims = present.dropFirst().map { JSONValue.integer(Int64($0)) }
      result = layer(
        "Permute", [("dims", .array(dims))], [strand], extents: present.map { strand.extents[$0] },
        named: "permute")
      result.isNonNegative = strand.isNonNegative
    }
    result = try reshaped(result, shape, at: place)
    result.isNonNegative = strand.isNonNegative
    result.axes = strand.axes
    for (position, axis) in wanted.enumerated() { result.axes[axis] = position }
    arrangements[key] = result
    return result
  }

  /// The tensor with the graph's axes in the graph's order.
  func inOrder(_ strand: Strand, at place: Place) throws(EncodeError) -> Strand {
    try arranged(strand, Array(0..<strand.rank), at: place)
  }

  /// The tensor with all axes, and one of them behind.
  func arranged(_ strand: Strand, last axis: Int, at place: Place) throws(EncodeError) -> Strand {
    let absent = strand.axes.indices.filter { strand.axes[$0] == nil && $0 != axis }
    let wanted = strand.order.filter { $0 != axis } + absent + [axis]
    return try arranged(strand, wanted, at: place)
  }
}
