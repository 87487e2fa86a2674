import WherryGraph
import WherryOperators

/// Makes one table of several functions of the same 8-bit tensor.
///
/// Sums, products and tables that depend on one 8-bit tensor and single constants are computed for all
/// of its 256 values by the operators themselves, so every result stays what it was.
public enum FuseTables: Pass {
  public static let name = "fuse-tables"
  public static let summary = "makes one table of functions of one 8-bit tensor"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    guard model.graph.nodes.contains(where: { isFunction($0.operation) || $0.operation is Gather })
    else { return 0 }
    var fusion = Fusion(model)
    for index in model.graph.nodes.indices { fusion.recognize(at: index) }
    for index in model.graph.nodes.indices { fusion.fuse(at: index) }
    guard fusion.changes > 0 else { return 0 }
    model.graph.nodes = fusion.nodes
    model.graph.initializers += fusion.made
    _ = model.graph.removeDead()
    return fusion.changes
  }

  /// Operators on 8-bit tensors that compute each element from those at its place alone.
  private static func isFunction(_ operation: any Operator) -> Bool {
    operation is any QuantizedBinary || operation is any QuantizedUnary || operation is Lookup
  }

  private struct Fusion {
    private(set) var nodes: [Node]
    private(set) var made: [Initializer] = []
    private(set) var changes = 0
    private var makers: [String: Int] = [:]
    private var constants: [String: Tensor] = [:]
    private var taken: Set<String>
    private let types: [String: ValueType]

    init(_ model: Model) {
      nodes = model.graph.nodes
      taken = model.graph.definedNames
      types = TypeInference(model).types
      let inputs = Set(model.graph.inputs.map(\.name))
      for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
        constants[initializer.name] = initializer.tensor
      }
      for (index, node) in nodes.enumerated() {
        for case let name? in node.outputs { makers[name] = index }
      }
    }

    /// A table of 256 results that is read as ONNX can say it: `Gather(table, Cast(x))`, 128 added to
    /// what int8 values give.
    mutating func recognize(at index: Int) {
      let node = nodes[index]
      guard let gather = node.operation as? Gather, gather.axis == 0, node.inputs.count == 2,
        let name = node.inputs[0], let table = constants[name], table.shape == [256],
        [.int8, .uint8, .float32].contains(table.element), var place = node.inputs[1],
        var maker = makers[place].map({ nodes[$0] })
      else { return }
      var shift: Int64 = 0
      if maker.operation is Add, maker.inputs.count == 2 {
        let sides = maker.inputs.map { $0.flatMap { constants[$0] } }
        guard let side = sides.firstIndex(where: { $0 != nil }), let number = sides[side],
          number.count == 1, number.rank == 0, let value = number.integers.first,
          let other = maker.inputs[1 - side], let inner = makers[other]
        else { return }
        (shift, place, maker) = (value, other, nodes[inner])
      }
      guard let cast = maker.operation as? Cast, cast.target == .int32 || cast.target == .int64,
        let source = maker.inputs.first ?? nil, let element = types[source]?.element,
        element == .int8 && shift == 128 || element == .uint8 && shift == 0
      else { return }
      nodes[index].operation = Lookup()
      nodes[index].inputs = [source, name]
      changes += 1
    }

    /// Operators of one table at most.
    private static let largestRegion = 64

    mutating func fuse(at index: Int) {
      let node = nodes[index]
      guard FuseTables.isFunction(node.operation), let output = node.outputs.first ?? nil,
        let (source, region) = region(of: index), !(region.count == 1 && node.operation is Lookup),
        let table = table(region, source, output)
      else { return }
      var name = "\(output)_table"
      while taken.contains(name) { name += "_" }
      taken.insert(name)
      constants[name] = table
      made.append(Initializer(name, table))
      nodes[index].operation = Lookup()
      nodes[index].inputs = [source, name]
      changes += 1
    }

    /// The one 8-bit tensor that a node's result depends on, and the nodes from there to the result.
    private func region(of index: Int) -> (source: String, nodes: [Int])? {
      var (pending, found): ([Int], Set<Int>) = ([index], [index])
      var source: String?
      while let next = pending.popLast() {
        for case let name? in nodes[next].inputs {
          if let tensor = constants[name] {
            guard tensor.count == 1 || nodes[next].operation is Lookup else { return nil }
          } else if let maker = makers[name], FuseTables.isFunction(nodes[maker].operation),
            found.count < Self.largestRegion
          {
            if found.insert(maker).inserted { pending.append(maker) }
          } else {
            guard source == nil || source == name else { return nil }
            source = name
          }
        }
      }
      guard let source, let output = nodes[index].outputs.first ?? nil,
        let shape = types[source]?.shape?.extents, shape == types[output]?.shape?.extents
      else { return nil }
      return (source, found.sorted())
    }

    private func table(_ region: [Int], _ source: String, _ output: String) -> Tensor? {
      guard let element = types[source]?.element, let values = ByteTable.values(element) else {
        return nil
      }
      var known = [source: values]
      for index in region {
        let node = nodes[index]
        var operands: [Value?] = []
        for name in node.inputs {
          let tensor = name.flatMap { known[$0] ?? constants[$0] }
          guard name == nil || tensor != nil else { return nil }
          let isScalar = tensor?.count == 1
          operands.append((isScalar ? tensor?.reshaped([]) : tensor).map { .tensor($0) })
        }
        let call = OperatorCall(
          inputs: operands, wanted: [true],
          runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
        guard let name = node.outputs.first ?? nil,
          let result = (try? node.operation.evaluate(call))?.first??.tensor, result.shape == [256]
        else { return nil }
        known[name] = result
      }
      return known[output]
    }
  }
}
