import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Constants as tensors between layers.
extension NodeSite {
  /// An input that is a tensor or a floating-point constant, which gets axes in front up to `rank`.
  func numbersOrConstant(_ index: Int, rank: Int = 0) throws(EncodeError) -> Strand {
    guard let constant = constant(index) else { return try numbers(index) }
    let shape = Array(repeating: 1, count: max(0, rank - constant.rank)) + constant.shape
    return try composer.constantStrand(
      try exact(constant.reshaped(shape)), named: hint, at: place)
  }

  /// Whether a constant can be broadcast to the tensor, but for the batch.
  func fits(_ constant: Tensor, _ x: Strand) -> Bool {
    let offset = x.rank - constant.rank
    guard offset >= 0 else { return false }
    return constant.shape.enumerated().allSatisfy { axis, extent in
      extent == 1 || x.extent(axis + offset) == extent && x.axes[axis + offset] != 0
    }
  }

  /// One tensor where a constant is true, another elsewhere; each of them may be a constant.
  func chosen(where condition: Tensor) throws(EncodeError) -> Strand {
    let flags = condition.doubles.map { $0 != 0 }
    func part(_ index: Int, _ wanted: Bool) throws(EncodeError) -> Strand {
      let x = try numbers(index)
      guard fits(condition, x) else { throw refusal("Where over another shape") }
      return try scaled(
        x,
        try exact(
          Tensor(x.element, condition.shape, doubles: flags.map { $0 == wanted ? 1 : 0 })))
    }
    /// The constant where it counts, zeros elsewhere.
    func shift(_ index: Int, _ wanted: Bool, _ constant: Tensor) throws(EncodeError) -> Tensor {
      let mask = try exact(Tensor(condition.shape, booleans: flags.map { $0 == wanted }))
      return try evaluated(
        Where(), [mask, constant, .filled(constant.element, [], 0)])
    }
    if let constant = self.constant(2) {
      return try shifted(try part(1, true), try shift(2, false, constant))
    }
    if let constant = self.constant(1) {
      return try shifted(try part(2, false), try shift(1, true, constant))
    }
    return try merged([try part(1, true), try part(2, false)], "Add")
  }

  /// What an operator gives for constants.
  func evaluated(_ operation: some Operator, _ inputs: [Tensor?]) throws(EncodeError) -> Tensor {
    try exact(composer.evaluated(operation, inputs, outputs: [true])?.first ?? nil)
  }
}

extension GraphComposer {
  /// A tensor of the same numbers for every example: a product with nothing, and a bias.
  ///
  /// Its first axis is the batch, along which it may not differ.
  func constantStrand(
    _ constant: Tensor, named hint: String, at place: Place
  ) throws(EncodeError) -> Strand {
    guard constant.element.isComputed, constant.count > 0,
      constant.rank == 0 || constant.shape[0] == 1
    else {
      throw EncodeError(
        .inexpressible("a constant of shape \(constant.shape) and type \(constant.element)"), place)
    }
    let zero = try zero(constant.element, at: place)
    guard let kernel = Tensor.filled(constant.element, [1, constant.count], 0),
      let bias = constant.reshaped([constant.count])
    else { throw EncodeError(.inexpressible("a constant of shape \(constant.shape)"), place) }
    let flat = layer(
      "Dense",
      [
        ("units", .integer(Int64(constant.count))), ("activation", "linear"), ("use_bias", true),
      ], [zero], weights: [.init("kernel", kernel), .init("bias", bias)],
      extents: [zero.extents[0], constant.count], element: constant.element, named: hint)
    var result = try reshaped(
      flat, [zero.extents[0]] + constant.shape.dropFirst().map { $0 }, at: place)
    result.isNonNegative = constant.doubles.allSatisfy { $0 >= 0 }
    return result
  }

  /// A zero for every example, whatever the input holds.
  private func zero(_ element: ElementType, at place: Place) throws(EncodeError) -> Strand {
    if let known = zeros[element] { return known }
    guard var x = entrance else {
      throw EncodeError(.inexpressible("a constant in a graph without inputs"), place)
    }
    let batch = x.extents[0]
    if x.element != element {
      x = map(x, "Rescaling", [("scale", 0.0), ("offset", 0.0)], element: element, named: "zero")
    }
    if x.extents != [batch, 1] {
      let unknown = x.extents.dropFirst().filter { $0 == nil }.count
      guard unknown <= 1 else {
        throw EncodeError(.inexpressible("a constant beside several unknown extents"), place)
      }
      let count = unknown == 0 ? Checked.product(x.extents.dropFirst().compactMap { $0 }) : nil
      let line = layer(
        "Reshape", [("target_shape", [-1, 1])], [x], extents: [batch, count, 1], named: "reshape")
      x = layer(
        "GlobalMaxPooling1D", [("data_format", "channels_last"), ("keepdims", false)], [line],
        extents: [batch, 1], named: "zero")
    }
    let zero = map(
      x, "ReLU", [("max_value", 0.0), ("negative_slope", 0.0), ("threshold", 0.0)], named: "zero")
    zeros[element] = zero
    return zero
  }
}
