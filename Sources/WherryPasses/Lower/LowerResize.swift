import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  static let resampling: [Lowering] = [
    Lowering(Resize.self) { (op, site) throws(CompileProblem) in try site.lower(op) }
  ]
}

extension LoweringSite {
  /// One axis after the other. What each output element is made of is asked of the operator itself, by
  /// resizing the unit vectors of the axis.
  fileprivate func lower(_ resize: Resize) throws(CompileProblem) {
    var x = resize.mode == .nearest ? try form(0) : try value(0)
    let target = try outputType(0).shape
    guard resize.mode == .nearest || x.element == .float32 else {
      throw CompileProblem(.unsupportedElement(x.element))
    }
    let isCrop = resize.coordinateTransformationMode == .cropAndResize
    guard !isCrop || resize.extrapolationValue == 0 && resize.mode != .nearest else {
      throw CompileProblem(.unsupported("Resize of a region with a value outside"))
    }
    let rank = x.shape.count
    var axes: [Int] = []
    for axis in resize.axes.flatMap({ $0.isEmpty ? nil : $0 }) ?? Array(0..<rank) {
      axes.append(try self.axis(axis, rank: rank))
    }
    let scales = has(2) ? try requireConstant(2) : nil
    let isScaled = scales.map { $0.count > 0 } ?? false
    guard isScaled || resize.keepAspectRatioPolicy == .stretch else {
      throw CompileProblem(.unsupported("Resize that keeps the aspect ratio"))
    }
    let region = isCrop && has(1) ? try requireConstant(1).doubles : []
    for (index, axis) in axes.enumerated() {
      let extent = x.shape[axis]
      let scale = isScaled ? scales.map { $0.doubles[index] } : nil
      if extent == target[axis], scale ?? 1 == 1, !isCrop { continue }
      let crop =
        isCrop && region.count == 2 * axes.count
        ? [region[index], region[index + axes.count]] : nil
      let rows = try resampled(resize, extent, target[axis], scale, crop)
      x = try apply(rows, to: x, axis, isNearest: resize.mode == .nearest)
    }
    try finish(0, x)
  }

  /// The unit vectors of an axis after resizing: [extent, target].
  private func resampled(
    _ resize: Resize, _ extent: Int, _ target: Int, _ scale: Double?, _ crop: [Double]?
  ) throws(CompileProblem) -> [Double] {
    var one = resize
    one.axes = [1]
    one.keepAspectRatioPolicy = .stretch
    guard let cells = Checked.multiply(extent, max(extent, target)), cells <= 1 << 26 else {
      throw CompileProblem(.tooLarge("a resized axis of \(extent)"))
    }
    var unit = [Double](repeating: 0, count: extent * extent)
    for index in 0..<extent { unit[index * extent + index] = 1 }
    let x = Tensor(.float64, [extent, extent], doubles: unit)
    let scales = scale.flatMap { Tensor(.float32, [1], elements: [Float($0)]) }
    let sizes = scale == nil ? Tensor(vector: [target]) : nil
    let region = crop.flatMap { Tensor(.float32, [2], doubles: $0) }
    let call = OperatorCall(
      inputs: [x, region, scales, sizes].map { $0.map { .tensor($0) } }, wanted: [true],
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    let values: [Value?]
    do throws(RunError) {
      values = try one.evaluate(call)
    } catch {
      throw CompileProblem(.run(error.reason))
    }
    guard let result = values.first.flatMap({ $0?.tensor }), result.shape == [extent, target] else {
      throw CompileProblem(.invalid("a resized axis"))
    }
    return result.doubles
  }

  private func apply(
    _ rows: [Double], to x: Lowered, _ axis: Int, isNearest: Bool
  ) throws(CompileProblem) -> Lowered {
    let extent = x.shape[axis]
    let target = extent == 0 ? 0 : rows.count / extent
    var taps: [[(place: Int, weight: Float)]] = []
    for output in 0..<target {
      taps.append(
        (0..<extent).compactMap { input in
          let weight = rows[input * target + output]
          return weight == 0 ? nil : (input, Float(weight))
        })
    }
    if isNearest { return try take(x, axis: axis, taps.map { $0.first?.place ?? 0 }) }
    let width = max(taps.map(\.count).max() ?? 0, 1)
    var (places, weights): ([Int64], [Float]) = ([], [])
    for list in taps {
      for tap in 0..<width {
        places.append(tap < list.count ? Int64(list[tap].place) : 0)
        weights.append(tap < list.count ? list[tap].weight : 0)
      }
    }
    guard let table = Tensor(.int32, [target, width], integers: places) else {
      throw CompileProblem(.invalid("a resized axis"))
    }
    let view = along(x, axis)
    var shape = x.shape
    shape[axis] = target
    let result = try make(.float32, shape, order: x.order)
    var step = wh_interpolate()
    (step.outer, step.count) = (Int32(small: view.outer), Int32(small: view.count))
    (step.inner, step.out) = (Int32(small: view.inner), Int32(small: target))
    step.taps = Int32(small: width)
    let factors = try weight(weights, [target, width])
    emit(
      .interpolate(step), [x.tensor, try weight(table).tensor, factors.tensor], [result.tensor])
    return result
  }
}
