import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

extension OperationBinding {
  static let statistics: [OperationBinding] = [
    OperationBinding("Var") { (site) throws(DecodeError) in [try site.variance()] },
    OperationBinding("Std") { (site) throws(DecodeError) in
      [try site.map(Sqrt(), try site.variance())]
    },
    OperationBinding("Norm") { (site) throws(DecodeError) in [try site.norm()] },
    OperationBinding("Normalize") { (site) throws(DecodeError) in
      guard try site.settings.integer("order", 2) == 2 else {
        throw site.settings.unsupported("order", "a norm of this order")
      }
      return [try site.unitLength(try site.settings.number("epsilon", 1e-7))]
    },
    OperationBinding("UnitLength") { (site) throws(DecodeError) in
      [try site.unitLength(try site.settings.number("epsilon", 1e-12).squareRoot())]
    },
    OperationBinding("Argmax") { (site) throws(DecodeError) in
      [try site.extreme(ArgMax(), \.axis, \.keepsAxis)]
    },
    OperationBinding("Argmin") { (site) throws(DecodeError) in
      [try site.extreme(ArgMin(), \.axis, \.keepsAxis)]
    },
    OperationBinding("Cumsum") { (site) throws(DecodeError) in
      let x = try site.operand(0)
      var operation = CumSum()
      operation.isExclusive = try site.settings.flag("exclusive")
      operation.isReverse = try site.settings.flag("reverse")
      guard let axis = try site.axes("axis", x)?.first else {
        throw site.unsupported("a sum over all axes in a row")
      }
      let position = try site.constant(
        made: "axis", Tensor(.int64, [], integers: [Int64(axis)]))
      return [KerasTensor(try site.emit(operation, [try site.plain(x), position]))]
    },
  ]

  static let arrays: [OperationBinding] = [
    OperationBinding("Stack") { (site) throws(DecodeError) in [try site.stacked()] },
    OperationBinding("Hstack") { (site) throws(DecodeError) in [try site.concatenated(axis: 1)] },
    OperationBinding("Swapaxes") { (site) throws(DecodeError) in
      let x = try site.operand(0)
      let pair = [try site.axes("axis1", x), try site.axes("axis2", x)].compactMap { $0?.first }
      guard pair.count == 2 else { throw DecodeError(.missing("axis1"), site.place) }
      var order = Array(0..<x.rank)
      order.swapAt(pair[0], pair[1])
      return [KerasTensor(try site.permuted(try site.plain(x), order))]
    },
    OperationBinding("Moveaxis") { (site) throws(DecodeError) in
      let x = try site.operand(0)
      guard let from = try site.axes("source", x), let to = try site.axes("destination", x),
        from.count == to.count
      else { throw DecodeError(.missing("source"), site.place) }
      var order = Array(0..<x.rank).filter { !from.contains($0) }
      for (axis, target) in zip(from, to).sorted(by: { $0.1 < $1.1 }) {
        order.insert(axis, at: min(target, order.count))
      }
      return [KerasTensor(try site.permuted(try site.plain(x), order))]
    },
    OperationBinding("Ravel") { (site) throws(DecodeError) in
      let wire = try site.plain(try site.operand(0))
      return [KerasTensor(try site.emit(Reshape(), [wire, try site.vector([-1])]))]
    },
    OperationBinding("Tile") { (site) throws(DecodeError) in
      let wire = try site.plain(try site.operand(0))
      guard let given = try site.settings.integers("repeats"), given.count <= wire.rank,
        given.allSatisfy({ $0 >= 1 })
      else { throw site.settings.fault("repeats", "a number for each axis is expected") }
      let repeats = Array(repeating: 1, count: wire.rank - given.count) + given
      return [KerasTensor(try site.emit(Tile(), [wire, try site.vector(repeats)]))]
    },
    OperationBinding("Pad") { (site) throws(DecodeError) in [try site.padded()] },
    OperationBinding("Where") { (site) throws(DecodeError) in
      let element = (1...2).compactMap { try? site.operand($0).element }.first ?? .float32
      return [
        KerasTensor(
          try site.emit(
            Where(),
            [
              try site.plain(try site.number(try site.operand(0), .bool)),
              try site.plainOperand(1, element),
              try site.plainOperand(2, element),
            ]))
      ]
    },
    OperationBinding("Einsum") { (site) throws(DecodeError) in
      var einsum = Einsum()
      einsum.equation = try site.settings.text("subscripts").filter { !$0.isWhitespace }
      let wires = try site.inputs.map { (tensor) throws(DecodeError) in try site.plain(tensor) }
      return [KerasTensor(try site.emit(einsum, wires))]
    },
    OperationBinding("OneHot") { (site) throws(DecodeError) in
      guard try site.settings.integer("axis", -1) == -1 else {
        throw site.settings.unsupported("axis", "classes along another axis than the last")
      }
      let element = try site.settings.element() ?? .float32
      return [
        KerasTensor(
          try site.encoded(
            try site.plain(try site.operand(0)), "vectors",
            depth: try site.settings.integer("num_classes"), element: element))
      ]
    },
    OperationBinding("DepthToSpace") { (site) throws(DecodeError) in
      var operation = DepthToSpace()
      operation.blocksize = try site.settings.integer("block_size")
      return [try site.regrouped(operation)]
    },
    OperationBinding("SpaceToDepth") { (site) throws(DecodeError) in
      var operation = SpaceToDepth()
      operation.blocksize = try site.settings.integer("block_size")
      return [try site.regrouped(operation)]
    },
  ]
}

extension LayerSite {
  /// The mean of the squared differences from the mean.
  fileprivate func variance() throws(DecodeError) -> KerasTensor {
    let given = try operand(0)
    let x = given.isFlat ? KerasTensor(try plain(given)) : given
    let axes = try axes("axis", x) ?? Array(0..<x.rank)
    let positions = try vector(axes.map { x.position($0) }.sorted())
    let difference = x.with(
      try emit(Sub(), [x.wire, try emit(ReduceMean(), [x.wire, positions], "Center")]))
    return try reduced(try gated(difference, difference), ReduceMean(), \.keepsAxes)
  }

  fileprivate func norm() throws(DecodeError) -> KerasTensor {
    switch (try settings.integers("ord") ?? [2], try settings.integers("axis")?.count ?? 1) {
    case ([2], 1): return try reduced(ReduceL2(), \.keepsAxes)
    case ([1], 1): return try reduced(ReduceL1(), \.keepsAxes)
    default: throw settings.unsupported("ord", "a norm of this order")
    }
  }

  /// `x` over its length, or over `least` where that is larger.
  fileprivate func unitLength(_ least: Double) throws(DecodeError) -> KerasTensor {
    let x = try operand(0)
    let plainX = KerasTensor(try plain(x))
    let axes = try axes("axis", plainX) ?? Array(0..<plainX.rank)
    let length = try emit(ReduceL2(), [plainX.wire, try vector(axes)])
    let bounded = try emit(Max(), [length, try scalar(least, x.element, "least")])
    return plainX.with(try emit(Div(), [plainX.wire, bounded]))
  }

  /// The place of the largest or smallest number along an axis.
  fileprivate func extreme<O: Operator>(
    _ operation: O, _ axis: WritableKeyPath<O, Int>, _ keeps: WritableKeyPath<O, Bool>
  ) throws(DecodeError) -> KerasTensor {
    let given = try operand(0)
    let x = given.isFlat ? KerasTensor(try plain(given)) : given
    guard let number = try axes("axis", x)?.first else {
      throw unsupported("a place among the numbers of all axes")
    }
    var operation = operation
    operation[keyPath: axis] = x.position(number)
    let keepsAxis = try settings.flag("keepdims")
    operation[keyPath: keeps] = keepsAxis
    let wire = try emit(operation, [x.wire])
    let order = keepsAxis ? x.order : Self.order(x.order, without: [number])
    // Keras 3 counts in 32 bits, TensorFlow in 64 unless asked.
    let isShort = generation == .three || settings["output_type"]?.string == "int32"
    return try self.number(KerasTensor(wire, order: order), isShort ? .int32 : .int64)
  }

  /// The inputs along a new axis.
  fileprivate func stacked() throws(DecodeError) -> KerasTensor {
    guard let first = inputs.first else { throw invalid("no inputs") }
    let given = try settings.integer("axis", 0)
    let axis = given < 0 ? given + first.rank + 1 : given
    guard (0...first.rank).contains(axis) else { throw settings.fault("axis", "\(given)") }
    let parts = try inputs.map { (tensor) throws(DecodeError) in
      try emit(Unsqueeze(), [try plain(tensor), try vector([axis])])
    }
    var concat = Concat()
    concat.axis = axis
    return KerasTensor(try emit(concat, parts))
  }

  fileprivate func padded() throws(DecodeError) -> KerasTensor {
    let given = try operand(0)
    let x = given.isFlat ? KerasTensor(try plain(given)) : given
    guard let (shape, numbers) = try settings.array("pad_width") else {
      throw DecodeError(.missing("pad_width"), place)
    }
    let widths = numbers.compactMap { Int(exactly: $0) }
    let pairs: [[Int]]
    switch shape {
    case [x.rank, 2]: pairs = (0..<x.rank).map { [widths[2 * $0], widths[2 * $0 + 1]] }
    case []: pairs = Array(repeating: [widths.first ?? 0, widths.first ?? 0], count: x.rank)
    default: throw settings.fault("pad_width", "two numbers for each axis are expected")
    }
    guard widths.count == numbers.count, widths.allSatisfy({ (0...1 << 24).contains($0) }) else {
      throw settings.fault("pad_width", "integers of at least 0 are expected")
    }
    var pad = Pad()
    switch try settings.text("mode", "constant").lowercased() {
    case "constant": break
    case "reflect": pad.mode = .reflect
    case let mode: throw settings.unsupported("mode", "padding by \(mode)")
    }
    let amounts = try vector(x.order.map { pairs[$0][0] } + x.order.map { pairs[$0][1] })
    var filling = try settings["constant_values"] == nil ? 0 : settings.number("constant_values")
    if case .constant(let value)? = keyword("constant_values"), let number = value.number {
      filling = number
    }
    // All axes are named for the reason that layers of padding name theirs.
    let inputs = [
      x.wire, amounts, try scalar(filling, x.element, "filling"), try vector(Array(0..<x.rank)),
    ]
    return KerasTensor(
      try emit(pad, pad.mode == .constant ? inputs : Array(inputs.prefix(2))), order: x.order)
  }

  /// Blocks of an image as channels, or the other way round.
  fileprivate func regrouped(_ operation: some Operator) throws(DecodeError) -> KerasTensor {
    let x = try operand(0)
    guard x.rank == 4, settings["data_format"]?.string ?? "NHWC" == "NHWC" else {
      throw unsupported("channels in front")
    }
    let order = KerasTensor.channelsFirst(rank: 4, channels: 3)
    return KerasTensor(try emit(operation, [try arranged(x, order)]), order: order)
  }
}
