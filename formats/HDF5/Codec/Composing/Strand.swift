import WherryGraph

/// A value of a graph as the tensor that a Keras layer gives.
///
/// Keras keeps the batch in front and channels behind; a graph's value may have its axes in any order.
/// A transposition only changes the note of which axis stands where, so that a network of channels in
/// front becomes one of channels behind with permutations at its ends.
struct Strand {
  /// A layer and which of its outputs.
  struct Origin: Hashable {
    var layer: Int
    var output = 0
  }

  var origin: Origin
  var element: ElementType
  /// Extents of Keras's tensor, the batch in front; nil where not known.
  var extents: [Int?]
  /// Axis `i` of the graph's value is axis `axes[i]` of the tensor; nil for an axis of extent 1 that the
  /// tensor doesn't have. Every axis of the tensor stands here once.
  var axes: [Int?]
  /// Whether no element is below 0.
  var isNonNegative = false

  init(_ origin: Origin, _ element: ElementType, _ extents: [Int?], axes: [Int?]? = nil) {
    (self.origin, self.element, self.extents) = (origin, element, extents)
    self.axes = axes ?? Array(extents.indices)
  }

  /// The number of axes that the graph's value has.
  var rank: Int { axes.count }

  /// The extent of an axis of the graph's value.
  func extent(_ axis: Int) -> Int? {
    guard axis >= 0, axis < axes.count else { return nil }
    guard let position = axes[axis] else { return 1 }
    return position < extents.count ? extents[position] : nil
  }

  /// Extents of the graph's value.
  var shape: [Int?] { axes.indices.map { extent($0) } }

  /// The graph's axis that is the batch.
  var batchAxis: Int? { axes.firstIndex(of: 0) }

  /// The graph's axes in the order of Keras's.
  var order: [Int] {
    extents.indices.compactMap { position in axes.firstIndex(of: position) }
  }
}

extension ElementType {
  /// Whether layers of both generations compute in this type.
  var isComputed: Bool { [.float16, .bfloat16, .float32, .float64].contains(self) }
}
