import WherryBytes
import WherryGraph
import WherryOperators

/// A graph on its way from float operators between quantizations to integer operators.
struct QDQRewriter {
  private(set) var result: [Node] = []
  private(set) var made: [Initializer] = []
  var report = CollapseQDQ.Report()

  let nodes: [Node]
  private(set) var types: [String: ValueType]
  private var constants: [String: Tensor] = [:]
  /// Index of the node that makes a value.
  private(set) var makers: [String: Int] = [:]
  /// Index of the last node that reads a value.
  private var readers: [String: Int] = [:]
  /// How often a value is read, as an output or inside subgraphs too.
  private var uses: [String: Int] = [:]
  private let outputs: Set<String>
  private var taken: Set<String>
  private var scalars: [Tensor: String] = [:]
  /// New names of values whose nodes went.
  private var renamed: [String: String] = [:]
  /// Float values that are known to be 8-bit ones, and those known not to be.
  private var eights: [String: EightBit?] = [:]
  /// Equal quantizations and dequantizations, by what they read.
  private var seen: [RepeatKey: String] = [:]

  /// Two nodes of equal key give equal values.
  private struct RepeatKey: Hashable {
    let name: OperatorName
    let attributes: [NamedAttribute]
    let inputs: [String?]
  }

  init(_ model: Model) {
    nodes = model.graph.nodes
    types = TypeInference(model).types
    taken = model.graph.definedNames
    outputs = Set(model.graph.outputs.map(\.name))
    let inputs = Set(model.graph.inputs.map(\.name))
    for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    for (index, node) in nodes.enumerated() {
      for case let name? in node.outputs { makers[name] = index }
      for name in node.usedNames {
        uses[name, default: 0] += 1
        readers[name] = index
      }
    }
    for output in model.graph.outputs { uses[output.name, default: 0] += 1 }
    mergeRepeats()
  }

  /// Counts equal quantizations of one value as one reader.
  private mutating func mergeRepeats() {
    var found: Set<RepeatKey> = []
    for node in nodes where Quantization.isQuantizing(node.operation) {
      let key = RepeatKey(
        name: node.operation.name, attributes: node.operation.attributes, inputs: node.inputs)
      guard !found.insert(key).inserted else { continue }
      for name in node.usedNames { uses[name, default: 1] -= 1 }
    }
  }

  // MARK: Walking

  mutating func visit(_ index: Int) {
    var node = nodes[index]
    if !renamed.isEmpty {
      node.inputs = node.inputs.map { name in name.map { renamed[$0] ?? $0 } }
      node.operation = node.operation.renamingCaptures(renamed)
    }
    let quantizes = Quantization.isQuantizing(node.operation)
    if quantizes || Quantization.isDequantizing(node.operation),
      let name = node.outputs.first ?? nil
    {
      let key = RepeatKey(
        name: node.operation.name, attributes: node.operation.attributes, inputs: node.inputs)
      if let same = seen[key], !outputs.contains(name) {
        renamed[name] = same
        return
      }
      seen[key] = name
    }
    if quantizes, collapse(node) {
      report.changes += 1
    } else if collapseRecurrent(node, at: index) || collapseDynamic(node) {
      report.changes += 1
    } else {
      result.append(node)
    }
  }

  /// Puts a node on 8-bit values in place of a quantization; false when it must stay.
  private mutating func collapse(_ node: Node) -> Bool {
    guard let target = quantization(of: node), let value = node.inputs.first ?? nil,
      let output = node.outputs.first ?? nil
    else { return false }
    return collapse(value, to: target, output, node.name)
  }

  /// Emits what gives `output = Q(value)`; false when nothing does.
  private mutating func collapse(
    _ value: String, to target: Quantization, _ output: String, _ name: String
  ) -> Bool {
    if let eight = eight(value) {
      take(eight, as: output, target, name)
      return true
    }
    if lookup(value, target, output, name) { return true }
    // A movement of what is quantized is a movement of 8-bit values.
    if isReadOnce(value), let node = maker(value), isMovement(node), let source = node.inputs[0] {
      let inner = fresh("\(output)_unmoved")
      guard collapse(source, to: target, inner, name) else { return false }
      var moved = node
      moved.inputs = node.inputs.map { $0.map { current($0) } }
      (moved.inputs[0], moved.outputs) = (current(inner), [output])
      emit(moved)
      return true
    }
    guard let clamped = peel(value), let maker = makers[clamped.core] else { return false }
    let work = Work(
      core: nodes[maker], coreName: clamped.core, target: target,
      low: target.quantize(clamped.low), high: target.quantize(clamped.high), output: output)
    do throws(Refusal) {
      if try build(work) { return true }
      let isBetween = work.core.inputs.contains { $0.flatMap { eight($0) } != nil }
      if isBetween { throw Refusal(why: "no integer operator computes this") }
    } catch {
      let place = Place().inside("graph").inside("node", at: maker, nodes[maker].name)
      report.left.append(
        .init(operation: nodes[maker].operation.name, place: place, why: error.why))
    }
    return false
  }

  /// What a collapse is about: the float operator at the bottom, and what its 8-bit result is to be.
  struct Work {
    let core: Node
    /// The float value that the core makes.
    let coreName: String
    let target: Quantization
    /// Bounds of the 8-bit result, from clamps after the core.
    let low, high: Int64
    let output: String
  }

  /// Why an operator that has an integer form stays in float.
  struct Refusal: Error { let why: String }

  /// Emits the integer operator for a core, after everything that may refuse; false when it has none.
  private mutating func build(_ work: Work) throws(Refusal) -> Bool {
    switch work.core.operation {
    case let conv as Conv: try collapse(conv, work)
    case is MatMul: try collapseMatMul(work)
    case let gemm as Gemm: try collapse(gemm, work)
    case is Add: try collapseSum(work, QLinearAdd())
    case is Sum: try collapseBinary(work, QLinearAdd())
    case is Sub: try collapseBinary(work, QLinearSub())
    case is Mul: try collapseBinary(work, QLinearMul())
    case let pool as AveragePool: try collapse(pool, work)
    case is GlobalAveragePool: try collapseGlobalPool(work)
    case let mean as ReduceMean: try collapse(mean, work)
    case let concat as Concat: try collapse(concat, work)
    case let softmax as Softmax: try collapse(softmax, work)
    case let resize as Resize: try collapse(resize, work)
    case is Where: try collapseWhere(work)
    default: false
    }
  }

  /// Says that `output` is an 8-bit value that exists, at another scale if need be.
  private mutating func take(
    _ eight: EightBit, as output: String, _ target: Quantization, _ name: String
  ) {
    if eight.quantization.isSame(target) {
      if outputs.contains(output) {
        emit(Node(Identity(), name: name, inputs: [eight.name], outputs: [output]))
      } else {
        renamed[output] = eight.name
      }
      return
    }
    let source = eight.quantization
    let table = source.element.integerRange.map { target.quantize(source.dequantize($0)) }
    emitLookup(eight.name, table, target, output, name)
  }

  mutating func emitLookup(
    _ source: String, _ entries: [Int64], _ target: Quantization, _ output: String, _ name: String
  ) {
    guard let tensor = Tensor(target.element, [256], integers: entries) else { return }
    let table = constant(tensor, "\(output)_table")
    emit(Node(Lookup(), name: name, inputs: [source, table], outputs: [output]))
  }

  // MARK: What values are

  /// The scale and zero point of a node that quantizes or dequantizes whole 8-bit tensors.
  func quantization(of node: Node) -> Quantization? {
    let operation: any Operator
    switch node.operation {
    case let contrib as ContribQuantizeLinear: operation = contrib.plain
    case let contrib as ContribDequantizeLinear: operation = contrib.plain
    default: operation = node.operation
    }
    guard node.inputs.count > 1, let scaleName = node.inputs[1], let tensor = constants[scaleName],
      tensor.element == .float32, tensor.count == 1, let number = tensor.doubles.first,
      Quantization.isUsable(Float(number))
    else { return nil }
    let zeroName = node.inputs.count > 2 ? node.inputs[2] : nil
    var element: ElementType?
    var zeroPoint: Int64 = 0
    if let zeroName {
      guard let zero = constants[zeroName], zero.count == 1, let value = zero.integers.first else {
        return nil
      }
      (element, zeroPoint) = (zero.element, value)
    }
    if let quantize = operation as? QuantizeLinear {
      guard quantize.precision == 0, quantize.outputType == 0 || element != nil else { return nil }
      element = element ?? .uint8
    } else if let source = node.inputs[0] {
      guard (operation as? DequantizeLinear)?.outputType ?? 0 == 0 else { return nil }
      element = element ?? types[source]?.element
    }
    guard let element, element == .int8 || element == .uint8 else { return nil }
    return Quantization(
      element: element, scale: Float(number), zeroPoint: zeroPoint, scaleName: scaleName,
      zeroName: zeroName)
  }

  /// The 8-bit values that a float value stands for, made where they don't exist yet.
  mutating func eight(_ value: String) -> EightBit? {
    if let known = eights[value] { return known }
    eights[value] = .some(nil)
    guard let index = makers[value] else { return nil }
    let node = nodes[index]
    var found: EightBit?
    if Quantization.isDequantizing(node.operation) {
      if let quantization = quantization(of: node), let source = node.inputs.first ?? nil {
        found = EightBit(name: renamed[source] ?? source, quantization: quantization)
      }
    } else {
      found = moved(node, value)
    }
    eights[value] = .some(found)
    return found
  }

  mutating func remember(_ value: String, _ eight: EightBit) { eights[value] = .some(eight) }

  /// The 8-bit values of a float value that has been asked for before.
  func known(_ value: String) -> EightBit? { eights[value] ?? nil }

  func maker(_ value: String) -> Node? { makers[value].map { nodes[$0] } }

  /// The last node that reads a value.
  func reader(of value: String) -> Node? { readers[value].map { nodes[$0] } }

  /// Whether nothing but one node reads a value.
  func isReadOnce(_ value: String) -> Bool { uses[value] == 1 && !outputs.contains(value) }

  func constant(_ name: String?) -> Tensor? { name.flatMap { constants[renamed[$0] ?? $0] } }

  func current(_ name: String) -> String { renamed[name] ?? name }

  func extents(_ value: String) -> [Int]? { types[value]?.shape?.extents }

  /// A value below clamps that nothing else reads, and the bounds they set together.
  private func peel(_ value: String) -> (core: String, low: Float, high: Float)? {
    var (at, low, high) = (value, -Float.infinity, Float.infinity)
    while isReadOnce(at), let node = maker(at), let bounds = clampBounds(node),
      let source = node.inputs.first ?? nil
    {
      // What comes later wins where ranges are disjoint, which no model means.
      guard max(low, bounds.low) <= min(high, bounds.high) else { return nil }
      (low, high) = (max(low, bounds.low), min(high, bounds.high))
      at = source
    }
    guard isReadOnce(at) else { return nil }
    return (at, low, high)
  }

  /// What a node limits its first input to; nil when it does anything else.
  func clampBounds(_ node: Node) -> (low: Float, high: Float)? {
    switch node.operation {
    case is Relu: return (0, .infinity)
    case is Clip:
      var bounds: [Float?] = [nil, nil]
      for side in 0..<2 where side + 1 < node.inputs.count && node.inputs[side + 1] != nil {
        guard let number = constant(node.inputs[side + 1])?.doubles.first, !number.isNaN else {
          return nil
        }
        bounds[side] = Float(number)
      }
      let (low, high) = (bounds[0] ?? -.infinity, bounds[1] ?? .infinity)
      return low <= high ? (low, high) : nil
    default: return nil
    }
  }

  // MARK: Making

  mutating func emit(_ node: Node) { result.append(node) }

  /// A name that no value has.
  mutating func fresh(_ base: String) -> String {
    var name = base
    var number = 1
    while taken.contains(name) {
      number += 1
      name = "\(base)_\(number)"
    }
    taken.insert(name)
    return name
  }

  /// A new constant; equal single numbers share one.
  mutating func constant(_ tensor: Tensor, _ base: String) -> String {
    if tensor.count <= 1, let known = scalars[tensor] { return known }
    let name = fresh(base)
    if tensor.count <= 1 { scalars[tensor] = name }
    constants[name] = tensor
    made.append(Initializer(name, tensor))
    return name
  }

  /// The zero point's constant, made where none is stated.
  mutating func zeroName(_ quantization: Quantization) -> String {
    if let name = quantization.zeroName { return current(name) }
    let zero = Tensor(quantization.element, [], integers: [quantization.zeroPoint])
    return zero.map { constant($0, "\(quantization.scaleName)_zero") } ?? ""
  }

  /// Emits an integer operator and, where the type's own bounds don't do it, a clamp of its result.
  mutating func emit(_ operation: any Operator, _ inputs: [String?], for work: Work) {
    let bounds = work.target.element.integerRange
    let isClamped = work.low > bounds.lowerBound || work.high < bounds.upperBound
    let result = isClamped ? fresh("\(work.output)_unclamped") : work.output
    var node = work.core
    (node.operation, node.inputs, node.outputs) = (operation, inputs, [result])
    emit(node)
    guard isClamped else { return }
    emitClamp(result, work.target.element, work.low, work.high, work.output, work.core.name)
  }

  mutating func emitClamp(
    _ source: String, _ element: ElementType, _ low: Int64, _ high: Int64, _ output: String,
    _ name: String
  ) {
    let bounds = element.integerRange
    func bound(_ value: Int64, isNeeded: Bool, _ base: String) -> String? {
      guard isNeeded, let tensor = Tensor(element, [], integers: [value]) else { return nil }
      return constant(tensor, "\(output)_\(base)")
    }
    let least = bound(low, isNeeded: low > bounds.lowerBound, "min")
    let most = bound(high, isNeeded: high < bounds.upperBound, "max")
    emit(
      Node(
        Clip(), name: name, inputs: [source, least] + (most == nil ? [] : [most]), outputs: [output]
      ))
  }
}
