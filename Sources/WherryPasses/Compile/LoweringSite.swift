import CWherryABI
import WherryBytes
import WherryGraph

/// What a lowering sees: one node, its operands as the plan holds them, and the plan to extend.
final class LoweringSite {
  /// A value of the graph that has been lowered.
  enum Held {
    case constant(Tensor)
    /// The same value in different axis orders; the first is the one it was made in.
    case computed([Lowered])
  }

  let builder: PlanBuilder
  private var types: [String: ValueType]
  private let contents: [String: Tensor]
  private(set) var held: [String: Held] = [:]
  private(set) var node: Node

  init(builder: PlanBuilder, types: [String: ValueType], contents: [String: Tensor]) {
    (self.builder, self.types, self.contents) = (builder, types, contents)
    node = Node(UnknownOperator(), inputs: [], outputs: [])
  }

  func enter(_ node: Node) { self.node = node }

  /// Dequantized constants that stand in 8 bits too, by name.
  var weights8: [String: Weights8] = [:]

  /// Values that are outputs of the model and nothing else.
  var onlyOutputs: Set<String> = []

  /// Whether nothing but the model's caller reads output `index`.
  func isOnlyOutput(_ index: Int) -> Bool {
    guard index < node.outputs.count, let name = node.outputs[index] else { return false }
    return onlyOutputs.contains(name)
  }

  // MARK: Operands

  func has(_ index: Int) -> Bool { index < node.inputs.count && node.inputs[index] != nil }

  func wants(_ index: Int) -> Bool { index < node.outputs.count && node.outputs[index] != nil }

  var inputCount: Int { node.inputs.count }

  private func name(_ index: Int) throws(CompileProblem) -> String {
    guard index < node.inputs.count, let name = node.inputs[index] else {
      throw CompileProblem(.type(.missingInput(index)))
    }
    return name
  }

  /// The contents of an input that doesn't depend on the model's inputs.
  func constant(_ index: Int) -> Tensor? {
    guard index < node.inputs.count, let name = node.inputs[index] else { return nil }
    if case .constant(let tensor) = held[name] { return tensor }
    return held[name] == nil ? contents[name] : nil
  }

  func requireConstant(_ index: Int) throws(CompileProblem) -> Tensor {
    guard let tensor = constant(index) else { throw CompileProblem(.notConstant(input: index)) }
    return tensor
  }

  /// The integers of a constant input, each small enough to calculate with; nil when left out.
  func integers(_ index: Int) throws(CompileProblem) -> [Int]? {
    guard has(index) else { return nil }
    return try requireConstant(index).integers.map { Int($0) }
  }

  func type(_ index: Int) throws(CompileProblem) -> (element: ElementType, shape: [Int]) {
    try type(of: try name(index))
  }

  func shape(_ index: Int) throws(CompileProblem) -> [Int] { try type(index).shape }
  func element(_ index: Int) throws(CompileProblem) -> ElementType { try type(index).element }

  private func type(
    of name: String
  ) throws(CompileProblem) -> (element: ElementType, shape: [Int]) {
    switch held[name] {
    case .constant(let tensor): return (tensor.element, tensor.shape)
    case .computed(let forms):
      if let first = forms.first { return (first.element, first.shape) }
    case nil: break
    }
    if let tensor = contents[name] { return (tensor.element, tensor.shape) }
    guard let type = types[name] else { throw CompileProblem(.openShape(name)) }
    guard case .tensor(let element, let shape) = type.plain else {
      throw CompileProblem(.notTensor(name))
    }
    guard let extents = shape?.extents else { throw CompileProblem(.openShape(name)) }
    return (element, extents)
  }

  /// An input in the order it was made in; constants are row-major.
  func value(_ index: Int) throws(CompileProblem) -> Lowered { try plain(try form(index), index) }

  /// An input as it was made: 8-bit values may be `WH_Q8`, for operations that only move bytes.
  func form(_ index: Int) throws(CompileProblem) -> Lowered {
    let name = try name(index)
    if case .computed(let forms) = held[name], let first = forms.first { return first }
    return try value(index, order: Order.rowMajor(try shape(index).count))
  }

  /// Every form of an input that has been computed.
  func forms(_ index: Int) -> [Lowered] {
    guard index < node.inputs.count, let name = node.inputs[index],
      case .computed(let forms) = held[name]
    else { return [] }
    return forms
  }

  /// Keeps another form of an input for those that ask later.
  func keep(_ form: Lowered, of index: Int) {
    guard index < node.inputs.count, let name = node.inputs[index],
      case .computed(let forms) = held[name]
    else { return }
    held[name] = .computed(forms + [form])
  }

  /// An input whose memory has the given axis order, moved if need be.
  func value(_ index: Int, order: [Int]) throws(CompileProblem) -> Lowered {
    let name = try name(index)
    if let tensor = constant(index) { return try weight(tensor, order: order) }
    guard case .computed(let forms) = held[name], let first = forms.first else {
      throw CompileProblem(.invalid("\"\(name)\" is used before it is computed"))
    }
    if let form = forms.first(where: { !$0.isQ8 && $0.isLike(order) }) {
      return relabel(form, order)
    }
    let moved = try move(try plain(first, index), order: order)
    keep(moved, of: index)
    return moved
  }

  /// Bytes in the order it was made in, or moved into rows where that is another.
  func rowMajorForm(_ index: Int) throws(CompileProblem) -> Lowered {
    let form = try form(index)
    let order = Order.rowMajor(form.shape.count)
    if form.isLike(order) { return relabel(form, order) }
    let moved = try move(form, order: order)
    keep(moved, of: index)
    return moved
  }

  func rowMajor(_ index: Int) throws(CompileProblem) -> Lowered {
    try value(index, order: Order.rowMajor(try shape(index).count))
  }

  /// - Throws: `unsupportedElement` when the input has another element type.
  func require(_ element: ElementType, _ index: Int) throws(CompileProblem) {
    let found = try self.element(index)
    guard found == element else { throw CompileProblem(.unsupportedElement(found)) }
  }

  // MARK: Results

  func outputType(_ index: Int) throws(CompileProblem) -> (element: ElementType, shape: [Int]) {
    guard index < node.outputs.count, let name = node.outputs[index] else {
      throw CompileProblem(.invalid("output \(index) is left out"))
    }
    return try type(of: name)
  }

  /// Says what output `index` is; nothing happens when nobody asks for it.
  func finish(_ index: Int, _ value: Lowered) throws(CompileProblem) {
    guard index < node.outputs.count, let name = node.outputs[index] else { return }
    if case .tensor(let element, let shape) = types[name]?.plain {
      if let extents = shape?.extents, extents != value.shape || element != value.element {
        throw CompileProblem(
          .invalid("lowered to \(value.element)\(value.shape), not \(element)\(extents)"))
      }
    }
    held[name] = .computed([value])
  }

  func finishConstant(_ index: Int, _ tensor: Tensor) {
    guard index < node.outputs.count, let name = node.outputs[index] else { return }
    held[name] = .constant(tensor)
  }

  func hold(_ name: String, _ value: Held) { held[name] = value }

  /// The result of another operator on values that no name stands for: for operators that are made of
  /// others.
  func apply(
    _ operation: any Operator, _ operands: [Held?]
  ) throws(CompileProblem) -> Lowered {
    guard let lowering = Lowering.table[operation.name] else {
      throw CompileProblem(.unsupportedOperator(operation.name))
    }
    let outer = node
    defer { node = outer }
    var names: [String?] = []
    var given: [ValueType?] = []
    for (index, operand) in operands.enumerated() {
      // No name of a graph begins with NUL.
      names.append(operand.map { _ in "\u{0}\(index)" })
      switch operand {
      case .constant(let tensor): given.append(tensor.type)
      case .computed(let forms):
        given.append(forms.first.map { .tensor($0.element, Shape(fixed: $0.shape)) })
      case nil: given.append(nil)
      }
      held["\u{0}\(index)"] = operand
    }
    var inference = InferenceSite(
      inputs: given, isPresent: operands.map { $0 != nil },
      contents: operands.map { if case .constant(let tensor) = $0 { tensor } else { nil } },
      outputCount: 1, inferGraph: { (_, _) throws(TypeError) in [] })
    do throws(TypeError) {
      try operation.infer(&inference)
    } catch {
      throw CompileProblem(.type(error.reason))
    }
    let result = "\u{0}result"
    types[result] = inference.outputs[0]
    held[result] = nil
    node = Node(operation, name: outer.name, inputs: names, outputs: [result])
    try lowering.apply(operation, self)
    switch held[result] {
    case .computed(let forms):
      if let first = forms.first { return try plain(first) }
    case .constant(let tensor): return try weight(tensor)
    case nil: break
    }
    throw CompileProblem(.invalid("\(operation.name) gave nothing"))
  }

  /// An input as another operator takes it.
  func operand(_ index: Int) throws(CompileProblem) -> Held {
    if let tensor = constant(index) { return .constant(tensor) }
    return .computed([try value(index)])
  }

  // MARK: Building

  /// A new value; `order` defaults to row-major.
  func make(
    _ element: ElementType, _ shape: [Int], order: [Int]? = nil
  ) throws(CompileProblem) -> Lowered {
    let order = order ?? Order.rowMajor(shape.count)
    let tensor = try builder.tensor(element, order.map { shape[$0] })
    return Lowered(tensor: tensor, element: element, shape: shape, order: order)
  }

  /// A new value of the element type and storage of another.
  func make(
    like x: Lowered, _ shape: [Int], order: [Int]? = nil
  ) throws(CompileProblem) -> Lowered {
    guard x.isQ8 else { return try make(x.element, shape, order: order) }
    return try makeQ8(
      x.element, shape, order: order, builder.tensors[x.tensor].quantization)
  }

  /// A new value for output `index`.
  func makeOutput(_ index: Int, order: [Int]? = nil) throws(CompileProblem) -> Lowered {
    let (element, shape) = try outputType(index)
    return try make(element, shape, order: order)
  }

  /// The same memory under other extents, both row-major.
  func reshaped(_ value: Lowered, _ shape: [Int]) -> Lowered {
    Lowered(
      tensor: builder.alias(value.tensor, shape), element: value.element, shape: shape,
      order: Order.rowMajor(shape.count), isQ8: value.isQ8)
  }

  /// The same memory with axes of extent 1 at other positions.
  func relabel(_ value: Lowered, _ order: [Int]) -> Lowered {
    if value.order == order { return value }
    var result = value
    result.order = order
    result.tensor = builder.alias(value.tensor, result.dims)
    return result
  }

  /// A constant in memory of the plan, its axes in `order`.
  func weight(_ tensor: Tensor, order: [Int]? = nil) throws(CompileProblem) -> Lowered {
    let order = order ?? Order.rowMajor(tensor.rank)
    var result = Lowered(tensor: 0, element: tensor.element, shape: tensor.shape, order: order)
    var weight = Weight(tensor.bytes, width: max(tensor.element.width, 1))
    if !result.isRowMajor {
      let strides = StridedLoop.dense(tensor.shape)
      let view = StridedView(extents: result.dims, strides: order.map { strides[$0] })
      weight.packing = .strided(view)
    }
    result.tensor = try builder.weight(weight, tensor.element, result.dims)
    return result
  }

  /// float32 numbers as a constant of the plan.
  func weight(_ numbers: [Float], _ shape: [Int]? = nil) throws(CompileProblem) -> Lowered {
    guard let tensor = Tensor(.float32, shape ?? [numbers.count], elements: numbers) else {
      throw CompileProblem(.invalid("a constant's shape"))
    }
    return try weight(tensor)
  }

  func emit(_ step: PlanStep, _ inputs: [Int?], _ outputs: [Int?], scratch: Int? = nil) {
    builder.emit(
      PlanOperation(step: step, inputs: inputs, outputs: outputs, scratch: scratch, name: node.name)
    )
  }

  /// Counts multiply-accumulates.
  func count(macs factors: Int...) {
    let product = Checked.product(factors) ?? .max
    builder.macs = Checked.add(builder.macs, product) ?? .max
  }

  // MARK: Moving

  /// The same value with its axes in another order in memory.
  func move(_ value: Lowered, order: [Int]) throws(CompileProblem) -> Lowered {
    let result = try make(like: value, value.shape, order: order)
    try copy(
      value.shape, from: value.tensor, strides: value.strides, to: result.tensor,
      targetStrides: result.strides, element: value.element)
    return result
  }

  /// Copies a strided block. Strides and offsets in elements, per axis of `extents`.
  func copy(
    _ extents: [Int], from source: Int, offset: Int = 0, strides: [Int], to target: Int,
    targetOffset: Int = 0, targetStrides: [Int], element: ElementType
  ) throws(CompileProblem) {
    guard !extents.contains(0) else { return }
    // The target's own order merges most axes.
    let order = extents.indices.sorted {
      (-abs(targetStrides[$0]), $0) < (-abs(targetStrides[$1]), $1)
    }
    let loop = StridedLoop(
      order.map { extents[$0] }, [order.map { targetStrides[$0] }, order.map { strides[$0] }])
    guard loop.extents.count <= Int(WH_MAX_RANK) else {
      throw CompileProblem(.unsupported("a copy over \(loop.extents.count) axes"))
    }
    var move = wh_move()
    move.element_size = Int32(small: element.width)
    move.rank = Int32(small: loop.extents.count)
    (move.source_offset, move.target_offset) = (Int64(offset), Int64(targetOffset))
    move.shape = CArray.int32(loop.extents)
    move.source_strides = CArray.int64(loop.strides[1])
    move.target_strides = CArray.int64(loop.strides[0])
    emit(.move(move), [source], [target])
  }

  /// Sets every element to one value.
  func fill(_ value: Lowered, _ bits: UInt64 = 0) {
    guard !value.shape.contains(0) else { return }
    var fill = wh_fill()
    fill.element_size = Int32(small: value.element.width)
    fill.value = bits
    emit(.fill(fill), [], [value.tensor])
  }

  // MARK: Checking

  /// Attribute values small enough to calculate with.
  ///
  /// - Throws: `tooLarge` when one is not within ±2^31.
  func small(_ values: [Int]) throws(CompileProblem) -> [Int] {
    for value in values where Int32(exactly: value) == nil {
      throw CompileProblem(.tooLarge("the number \(value)"))
    }
    return values
  }

  func axis(_ axis: Int, rank: Int) throws(CompileProblem) -> Int {
    guard axis >= -rank, axis < rank else {
      throw CompileProblem(.invalid("axis \(axis) of a tensor of rank \(rank)"))
    }
    return axis < 0 ? axis + rank : axis
  }
}
