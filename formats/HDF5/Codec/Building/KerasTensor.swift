import WherryGraph

/// A value of the graph under construction, with what is known of it.
struct Wire: Sendable {
  let name: String
  let element: ElementType
  let shape: Shape
  /// The elements, where they are known and few.
  var content: Tensor?
  /// The elements of a vector of extents, as far as they are known.
  var partial: [Dimension]?

  var type: ValueType { .tensor(element, shape) }
  var rank: Int { shape.rank }
}

/// What flows between Keras layers: a value whose axes may stand in another order than Keras has them.
///
/// Keras keeps channels behind the spatial axes, the graph's operators take them in front. A value stays
/// in the order in which it was made until somebody needs another one, so that a whole network holds
/// transpositions only at its ends.
struct KerasTensor {
  var wire: Wire
  /// Axis `i` of the wire is Keras's axis `order[i]`.
  var order: [Int]
  /// Whether Keras sees the value with all axes but the first flattened into one.
  var isFlat = false
  /// Which steps of a sequence count; nil when all do.
  var mask: SequenceMask?

  /// The layer that gave it.
  var source: LayerApplication.Source?

  init(_ wire: Wire, order: [Int]? = nil, isFlat: Bool = false, mask: SequenceMask? = nil) {
    (self.wire, self.isFlat, self.mask) = (wire, isFlat, mask)
    self.order = order ?? Array(0..<wire.rank)
  }

  var element: ElementType { wire.element }

  var isPlain: Bool { !isFlat && isInOrder }

  /// Whether the wire's axes stand as Keras has them, flattening aside.
  var isInOrder: Bool { order == Array(0..<order.count) }

  /// The extents before flattening, in Keras's order.
  var unflattened: [Dimension] {
    var dimensions = [Dimension](repeating: .unknown, count: order.count)
    for (axis, logical) in order.enumerated() where axis < wire.rank {
      dimensions[logical] = wire.shape[axis]
    }
    return dimensions
  }

  /// The extents that Keras sees.
  var dimensions: [Dimension] {
    let all = unflattened
    guard isFlat else { return all }
    var product = 1
    for dimension in all.dropFirst() {
      guard let extent = dimension.extent else { return [all[0], .unknown] }
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { return [all[0], .unknown] }
      product = next
    }
    return [all[0], .fixed(product)]
  }

  var rank: Int { isFlat ? 2 : order.count }

  /// The position in the wire of one of Keras's axes.
  func position(_ axis: Int) -> Int { order.firstIndex(of: axis) ?? axis }

  /// The same value after an operation that touches every element alone.
  func with(_ wire: Wire) -> KerasTensor {
    var result = self
    result.wire = wire
    return result
  }

  /// The order in which spatial operators take the axes: batch, channels, the others.
  static func channelsFirst(rank: Int, channels: Int) -> [Int] {
    [0, channels] + (1..<rank).filter { $0 != channels }
  }
}
