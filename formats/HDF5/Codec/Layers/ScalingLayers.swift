import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

extension LayerBinding {
  static let scalingLayers: [LayerBinding] = [
    LayerBinding("Rescaling") { (site) throws(DecodeError) in [try site.rescaling()] },
    LayerBinding(
      "Normalization",
      slots: { (settings) throws(DecodeError) in
        guard settings["mean"] == nil else { return [] }
        let keys = ["mean", "variance", "count"]
        return WeightSlot.list(keys, fixed: Set(keys))
      }
    ) { (site) throws(DecodeError) in [try site.standardizing()] },
    LayerBinding("UnitNormalization") { (site) throws(DecodeError) in
      [try site.unitNormalization()]
    },
    LayerBinding(
      "RMSNormalization",
      slots: { (_) throws(DecodeError) in
        WeightSlot.list(["scale"])
      }
    ) { (site) throws(DecodeError) in [try site.rootMeanSquare()] },
  ]
}

extension LayerSite {
  /// The input as floating-point numbers.
  func floating() throws(DecodeError) -> KerasTensor {
    let x = try input()
    if x.element.isFloat { return x }
    let element = try settings.element() ?? .float32
    var cast = Cast()
    cast.target = element.isFloat ? element : .float32
    return try map(cast, x)
  }

  /// A tensor that Keras broadcasts to the value's last axes, in the order of the value's axes.
  func broadcast(_ tensor: Tensor, to x: KerasTensor) -> Tensor? {
    if tensor.rank == 0 { return tensor }
    guard tensor.rank <= x.order.count else { return nil }
    return tensor.reshaped(Array(repeating: 1, count: x.order.count - tensor.rank) + tensor.shape)?
      .permuted(x.order)
  }

  /// `scale · x + offset`
  fileprivate func rescaling() throws(DecodeError) -> KerasTensor {
    var x = try floating()
    if x.isFlat { x = KerasTensor(try plain(x)) }
    for (key, fallback) in [("scale", 1.0), ("offset", 0.0)] {
      let (shape, numbers) = try settings.array(key) ?? ([], [fallback])
      if numbers.allSatisfy({ $0 == fallback }) { continue }
      let tensor = Tensor(x.element, shape, doubles: numbers).flatMap { broadcast($0, to: x) }
      let constant = try constant(made: key, tensor)
      x = x.with(
        key == "scale"
          ? try emit(Mul(), [x.wire, constant]) : try emit(Add(), [x.wire, constant]))
    }
    return x
  }

  /// `(x - mean) / max(sqrt(variance), 1e-7)` over the axes that are not kept.
  fileprivate func standardizing() throws(DecodeError) -> KerasTensor {
    var x = try floating()
    if x.isFlat { x = KerasTensor(try plain(x)) }
    let axes: [Int]
    if let value = settings.json["axis"], value.isNull {
      axes = []
    } else {
      axes = (try settings.integers("axis") ?? [-1]).map { $0 < 0 ? $0 + x.rank : $0 }.sorted()
    }
    guard axes.allSatisfy({ $0 >= 0 && $0 < x.rank }) else {
      throw settings.fault("axis", "axes \(axes)")
    }
    let extents = x.dimensions
    let shape = (0..<x.rank).map { axes.contains($0) ? extents[$0].extent ?? 1 : 1 }
    func parameter(_ key: String) throws(DecodeError) -> Wire {
      func placed(_ tensor: Tensor) -> Tensor? {
        if tensor.count == 1 { return tensor.reshaped(Array(repeating: 1, count: x.rank)) }
        return tensor.reshaped(shape)?.permuted(x.order)
      }
      if let (extents, numbers) = try settings.array(key) {
        return try constant(
          made: key, Tensor(x.element, extents, doubles: numbers).flatMap(placed))
      }
      return try constant(key, form: "broadcast", placed)
    }
    let mean = try parameter("mean")
    let deviation = try emit(
      Max(),
      [
        try emit(Sqrt(), [try parameter("variance")]), try scalar(1e-7, x.element, "least"),
      ])
    if try settings.flag("invert") {
      return x.with(try emit(Add(), [try emit(Mul(), [x.wire, deviation]), mean]))
    }
    return x.with(try emit(Div(), [try emit(Sub(), [x.wire, mean]), deviation]))
  }

  /// Keras's axes of a setting as axes of the wire.
  func positions(_ key: String, _ x: KerasTensor) throws(DecodeError) -> [Int] {
    let axes = (try settings.integers(key) ?? [-1]).map { $0 < 0 ? $0 + x.rank : $0 }
    guard axes.allSatisfy({ $0 >= 0 && $0 < x.rank }), Set(axes).count == axes.count else {
      throw settings.fault(key, "axes \(axes)")
    }
    return axes.map { x.position($0) }.sorted()
  }

  /// `x / sqrt(max(Σ x², 1e-12))`
  fileprivate func unitNormalization() throws(DecodeError) -> KerasTensor {
    var x = try input()
    if x.isFlat { x = KerasTensor(try plain(x)) }
    let axes = try positions("axis", x)
    let squares = try emit(ReduceSumSquare(), [x.wire, try vector(axes)])
    let least = try emit(Max(), [squares, try scalar(1e-12, x.element, "least square")])
    return x.with(try emit(Div(), [x.wire, try emit(Sqrt(), [least])]))
  }

  /// `scale · x / sqrt(mean(x²) + epsilon)`
  fileprivate func rootMeanSquare() throws(DecodeError) -> KerasTensor {
    var x = try input()
    if x.isFlat { x = KerasTensor(try plain(x)) }
    let axes = (try settings.integers("axis") ?? [-1]).map { $0 < 0 ? $0 + x.rank : $0 }
    let squares = try emit(Mul(), [x.wire, x.wire])
    let mean = try emit(ReduceMean(), [squares, try vector(try positions("axis", x))])
    let epsilon = try scalar(try settings.number("epsilon", 1e-6), x.element, "epsilon")
    let root = try emit(Sqrt(), [try emit(Add(), [mean, epsilon])])
    let scaled = try emit(Div(), [x.wire, root])
    let scale = try constant("scale", form: x.isInOrder && axes == [x.rank - 1] ? "" : "placed") {
      tensor in self.placed(tensor, on: axes, of: x)
    }
    return x.with(try emit(Mul(), [scaled, scale]))
  }

  /// A tensor whose axes are some of Keras's, with axes of extent 1 for the others, as the value's
  /// stand. The last axis alone needs none.
  func placed(_ tensor: Tensor, on axes: [Int], of x: KerasTensor) -> Tensor? {
    if x.isInOrder, axes == [x.rank - 1] { return tensor }
    guard axes == axes.sorted(), tensor.rank == axes.count else { return nil }
    var shape = [Int](repeating: 1, count: x.rank)
    for (axis, extent) in zip(axes, tensor.shape) where axis < shape.count { shape[axis] = extent }
    return tensor.reshaped(shape)?.permuted(x.order)
  }
}
