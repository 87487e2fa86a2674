import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

// What the functions of `keras.ops` are given, and the arithmetic that they share.
extension LayerSite {
  /// The operand at a position, or under the name that NumPy gives it.
  func argument(at index: Int) -> LayerArgument? {
    if index < call.arguments.count { return call.arguments[index] }
    return keyword("x\(index + 1)") ?? (index == 0 ? keyword("x") : nil)
  }

  func operand(_ index: Int) throws(DecodeError) -> KerasTensor {
    guard case .tensor(let position)? = argument(at: index), position < arguments.count else {
      throw unsupported("an operand that is no tensor")
    }
    return arguments[position]
  }

  /// Broadcasts two operands, of which one may be a number or an array.
  ///
  /// - Parameter inFloats: whether integers become floating-point numbers first.
  func paired(
    _ operation: some Operator, inFloats: Bool = false
  ) throws(DecodeError) -> KerasTensor {
    let (first, second) = (argument(at: 0), argument(at: 1))
    if case .tensor? = first, case .tensor? = second {
      let (a, b) = try promoted(try operand(0), try operand(1), inFloats)
      if a.rank == b.rank {
        let (wires, order, isFlat) = try aligned([a, b])
        return KerasTensor(try emit(operation, wires), order: order, isFlat: isFlat)
      }
      return KerasTensor(try emit(operation, [try plain(a), try plain(b)]))
    }
    if case .tensor? = first, let value = second.flatMap(Self.constant) {
      let (x, constant) = try constantOperand(try operand(0), value, "second", inFloats)
      return x.with(try emit(operation, [x.wire, constant]))
    }
    if case .tensor? = second, let value = first.flatMap(Self.constant) {
      let (x, constant) = try constantOperand(try operand(1), value, "first", inFloats)
      return x.with(try emit(operation, [constant, x.wire]))
    }
    throw unsupported("operands of this kind")
  }

  /// Two values of one type: integers beside floating-point numbers become such.
  private func promoted(
    _ a: KerasTensor, _ b: KerasTensor, _ inFloats: Bool
  ) throws(DecodeError) -> (KerasTensor, KerasTensor) {
    if a.element == b.element {
      guard inFloats, !a.element.isFloat else { return (a, b) }
      return (try number(a, .float32), try number(b, .float32))
    }
    if a.element.isFloat == b.element.isFloat { return (a, b) }
    return a.element.isFloat ? (a, try number(b, a.element)) : (try number(a, b.element), b)
  }

  /// The value in another element type.
  func number(_ x: KerasTensor, _ element: ElementType) throws(DecodeError) -> KerasTensor {
    if x.element == element { return x }
    var cast = Cast()
    cast.target = element
    return try map(cast, x)
  }

  private func constantOperand(
    _ x: KerasTensor, _ value: JSONValue, _ role: String, _ inFloats: Bool
  ) throws(DecodeError) -> (KerasTensor, Wire) {
    let (shape, numbers) = try array(value, role)
    var x = x.isFlat && !shape.isEmpty ? KerasTensor(try plain(x)) : x
    guard shape.count <= x.rank else { throw unsupported("an operand of more axes") }
    let isFraction = numbers.contains { $0 != $0.rounded() }
    if !x.element.isFloat, x.element != .bool, inFloats || isFraction {
      x = try number(x, .float32)
    }
    let tensor = Tensor(x.element, shape, doubles: numbers).flatMap { broadcast($0, to: x) }
    return (x, try constant(made: role, tensor))
  }

  /// A constant argument: numbers with their extents.
  private func array(
    _ value: JSONValue, _ role: String
  ) throws(DecodeError) -> (shape: [Int], numbers: [Double]) {
    let holder = LayerSettings(json: .object([JSONMember(role, value)]), place: place)
    if let flag = value.bool { return ([], [flag ? 1 : 0]) }
    guard let array = try holder.array(role) else { throw unsupported("no operand") }
    return array
  }

  /// An operand as Keras has it, be it a tensor or a constant of the given element type.
  func plainOperand(_ index: Int, _ element: ElementType) throws(DecodeError) -> Wire {
    switch argument(at: index) {
    case .tensor?: return try plain(try operand(index))
    case let given?:
      guard let value = Self.constant(given) else { throw unsupported("operands of this kind") }
      let (shape, numbers) = try array(value, "operand \(index)")
      return try constant(
        made: "operand \(index)", Tensor(element, shape, doubles: numbers))
    case nil: throw invalid("operand \(index) is absent")
    }
  }

  /// An argument without tensors as the JSON value that it was.
  static func constant(_ argument: LayerArgument) -> JSONValue? {
    switch argument {
    case .constant(let value): return value
    case .tensor: return nil
    case .list(let parts):
      let values = parts.compactMap { constant($0) }
      return values.count == parts.count ? .array(values) : nil
    }
  }

  func reduced<O: Operator>(
    _ operation: O, _ keeps: WritableKeyPath<O, Bool>
  ) throws(DecodeError) -> KerasTensor {
    try reduced(try operand(0), operation, keeps)
  }

  func reduced<O: Operator>(
    _ x: KerasTensor, _ operation: O, _ keeps: WritableKeyPath<O, Bool>
  ) throws(DecodeError) -> KerasTensor {
    let x = x.isFlat ? KerasTensor(try plain(x)) : x
    let axes = try axes("axis", x) ?? Array(0..<x.rank)
    let keepsAxes = try settings.flag("keepdims")
    var operation = operation
    operation[keyPath: keeps] = keepsAxes
    let wire = try emit(operation, [x.wire, try vector(axes.map { x.position($0) }.sorted())])
    return KerasTensor(wire, order: keepsAxes ? x.order : Self.order(x.order, without: axes))
  }

  /// Keras's axes that a setting names; nil when it names none.
  func axes(_ key: String, _ x: KerasTensor) throws(DecodeError) -> [Int]? {
    guard let axes = try settings.integers(key)?.map({ $0 < 0 ? $0 + x.rank : $0 }) else {
      return nil
    }
    guard axes.allSatisfy({ $0 >= 0 && $0 < x.rank }), Set(axes).count == axes.count else {
      throw settings.fault(key, "axes \(axes)")
    }
    return axes
  }

  /// The order of the axes that remain when some are gone.
  static func order(_ order: [Int], without axes: [Int]) -> [Int] {
    let rest = order.filter { !axes.contains($0) }
    return rest.map { axis in rest.filter { $0 < axis }.count }
  }

  /// Computes on numbers where the operand is true or false.
  func asFlags(
    _ body: (KerasTensor) throws(DecodeError) -> KerasTensor
  ) throws(DecodeError) -> KerasTensor {
    var (number, flag) = (Cast(), Cast())
    (number.target, flag.target) = (.float32, .bool)
    return try map(flag, try body(try map(number, try operand(0))))
  }

  /// A product over the last axis of one and the last but one of the other.
  func product() throws(DecodeError) -> KerasTensor {
    let element = try operand(argument(at: 0)?.tensors.isEmpty == false ? 0 : 1).element
    var wires = [try plainOperand(0, element), try plainOperand(1, element)]
    guard layer.className != "Dot" || wires[1].rank <= 2 else {
      throw unsupported("a dot product of more than two axes")
    }
    for (index, key) in ["transpose_a", "transpose_b"].enumerated() where try settings.flag(key) {
      let rank = wires[index].rank
      guard rank >= 2 else { throw settings.fault(key, "an operand of \(rank) axes") }
      wires[index] = try permuted(wires[index], Array(0..<rank - 2) + [rank - 1, rank - 2])
    }
    return KerasTensor(try emit(MatMul(), wires))
  }
}
