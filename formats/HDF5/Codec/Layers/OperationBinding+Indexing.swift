import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

extension OperationBinding {
  static let indexing: [OperationBinding] = [
    OperationBinding("GetItem") { (site) throws(DecodeError) in [try site.item()] },
    OperationBinding("Take") { (site) throws(DecodeError) in
      let wire = try site.plain(try site.operand(0))
      var gather = Gather()
      guard let axis = try site.axes("axis", KerasTensor(wire))?.first,
        try site.settings.integer("batch_dims", 0) == 0
      else { throw site.unsupported("elements of all axes in a row, or of each sample") }
      gather.axis = axis
      return [KerasTensor(try site.emit(gather, [wire, try site.plainOperand(1, .int64)]))]
    },
    OperationBinding("Split") { (site) throws(DecodeError) in try site.parts(areSizes: false) },
    OperationBinding("SplitSizes") { (site) throws(DecodeError) in
      try site.parts(areSizes: true)
    },
    OperationBinding("Unstack") { (site) throws(DecodeError) in try site.unstacked() },
    OperationBinding("Flip") { (site) throws(DecodeError) in
      let x = try site.operand(0)
      let axes = try site.axes("axis", x) ?? Array(0..<x.rank)
      return [
        try site.sliced(x, axes.map { .init(axis: $0, start: .last, end: .beyond, step: -1) })
      ]
    },
    OperationBinding("Roll") { (site) throws(DecodeError) in
      let x = try site.operand(0)
      guard let axis = try site.axes("axis", x)?.first,
        let shift = try site.settings.integers("shift"), shift.count == 1
      else { throw site.unsupported("shifts along several axes") }
      let front = try site.sliced(x, [.init(axis: axis, start: .at(-shift[0]), end: .end)])
      let back = try site.sliced(x, [.init(axis: axis, start: .at(0), end: .at(-shift[0]))])
      if shift[0] == 0 { return [x] }
      var concat = Concat()
      concat.axis = front.position(axis)
      return [front.with(try site.emit(concat, [front.wire, back.wire]))]
    },
    OperationBinding("Repeat") { (site) throws(DecodeError) in
      let wire = try site.plain(try site.operand(0))
      guard let axis = try site.axes("axis", KerasTensor(wire))?.first,
        let extent = wire.shape[axis].extent, let counts = try site.settings.integers("repeats"),
        counts.count == 1 || counts.count == extent,
        counts.allSatisfy({ (0...1 << 16).contains($0) }), extent <= 1 << 16
      else { throw site.unsupported("repetitions along an axis of unknown extent") }
      let places = (0..<extent).flatMap { place in
        Array(repeating: place, count: counts.count == 1 ? counts[0] : counts[place])
      }
      guard places.count <= 1 << 24 else { throw site.unsupported("as many repetitions") }
      var gather = Gather()
      gather.axis = axis
      return [KerasTensor(try site.emit(gather, [wire, try site.vector(places)]))]
    },
  ]
}

extension LayerSite {
  /// Where a slice begins or ends along an axis.
  enum Bound {
    case at(Int)
    /// The last element.
    case last
    /// Behind the last element.
    case end
    /// In front of the first element, for steps backwards.
    case beyond

    var number: Int {
      switch self {
      case .at(let number): number
      case .last: -1
      case .end: Int(Int32.max)
      case .beyond: Int(Int32.min)
      }
    }
  }

  struct Range {
    var axis: Int
    var start: Bound
    var end: Bound
    var step = 1
  }

  /// The value between bounds along some of Keras's axes.
  func sliced(_ x: KerasTensor, _ ranges: [Range]) throws(DecodeError) -> KerasTensor {
    let x = x.isFlat ? KerasTensor(try plain(x)) : x
    if ranges.isEmpty { return x }
    let wire = try emit(
      SliceOperator(),
      [
        x.wire, try vector(ranges.map(\.start.number)), try vector(ranges.map(\.end.number)),
        try vector(ranges.map { x.position($0.axis) }), try vector(ranges.map(\.step)),
      ])
    return KerasTensor(wire, order: x.order)
  }

  /// `x[1:, ..., 0, None]`
  fileprivate func item() throws(DecodeError) -> KerasTensor {
    let x = try operand(0)
    guard let given = argument(at: 1), let index = Self.constant(given) else {
      throw unsupported("an index that is no constant")
    }
    var entries = index.array ?? [index]
    func isEllipsis(_ entry: JSONValue) -> Bool { entry["class_name"]?.string == "__ellipsis__" }
    let spent = entries.filter { !$0.isNull && !isEllipsis($0) }.count
    guard spent <= x.rank, entries.filter(isEllipsis).count <= 1 else {
      throw invalid("\(entries.count) indices for \(x.rank) axes")
    }
    if let place = entries.firstIndex(where: isEllipsis) {
      let whole = JSONValue.object([])
      entries.replaceSubrange(
        place...place, with: Array(repeating: whole, count: x.rank - spent))
    }
    var (ranges, dropped, added): ([Range], [Int], [Int]) = ([], [], [])
    var (axis, made) = (0, 0)
    for entry in entries {
      if entry.isNull {
        added.append(made)
        made += 1
        continue
      }
      if let number = entry.integer {
        ranges.append(
          Range(
            axis: axis, start: .at(number), end: number == -1 ? .end : .at(number + 1)))
        dropped.append(axis)
      } else {
        if let range = try range(entry, axis) { ranges.append(range) }
        made += 1
      }
      axis += 1
    }
    let part = try sliced(x, ranges)
    if dropped.isEmpty, added.isEmpty { return part }
    var wire = part.wire
    var order = part.order
    if !dropped.isEmpty {
      wire = try emit(
        Squeeze(), [wire, try vector(dropped.map { part.position($0) }.sorted())])
      order = Self.order(order, without: dropped)
    }
    let result = KerasTensor(wire, order: order)
    if added.isEmpty { return result }
    return KerasTensor(try emit(Unsqueeze(), [try plain(result), try vector(added)]))
  }

  /// A slice of JSON; nil when it takes in the whole axis.
  private func range(_ json: JSONValue, _ axis: Int) throws(DecodeError) -> Range? {
    let bounds = json["config"] ?? json
    guard bounds.members != nil else { throw unsupported("an index of this kind") }
    func number(_ key: String) throws(DecodeError) -> Int? {
      guard let value = bounds[key], !value.isNull else { return nil }
      guard let number = value.integer, abs(number) <= Int(Int32.max) else {
        throw unsupported("an index that is no constant")
      }
      return number
    }
    let step = try number("step") ?? 1
    let (start, stop) = (try number("start"), try number("stop"))
    guard step != 0 else { throw invalid("a step of 0") }
    if start == nil, stop == nil, step == 1 { return nil }
    return Range(
      axis: axis, start: start.map { .at($0) } ?? (step > 0 ? .at(0) : .last),
      end: stop.map { .at($0) } ?? (step > 0 ? .end : .beyond), step: step)
  }

  /// The parts of a value along an axis: so many of equal size, or as the setting has it.
  fileprivate func parts(areSizes: Bool) throws(DecodeError) -> [KerasTensor] {
    let given = try operand(0)
    let x = given.isFlat ? KerasTensor(try plain(given)) : given
    let key = areSizes ? "sizes" : "indices_or_sections"
    guard let axis = try axes("axis", x)?.first, let value = settings[key],
      let extent = x.dimensions[axis].extent
    else { throw unsupported("parts of an axis of unknown extent") }
    var sizes: [Int]
    if let count = value.integer {
      guard count > 0, count <= 1 << 12, extent % count == 0 else {
        throw settings.fault(key, "\(count) parts of \(extent)")
      }
      sizes = Array(repeating: extent / count, count: count)
    } else {
      guard let numbers = try settings.integers(key), numbers.count <= 1 << 12 else {
        throw DecodeError(.missing(key), place)
      }
      if areSizes {
        let known = numbers.filter { $0 >= 0 }.reduce(0, &+)
        sizes = numbers.map { $0 < 0 ? extent - known : $0 }
      } else {
        let bounds = [0] + numbers.map { max(0, min($0, extent)) } + [extent]
        sizes = zip(bounds, bounds.dropFirst()).map { $1 - $0 }
      }
      guard sizes.allSatisfy({ $0 >= 0 && $0 <= extent }), sizes.reduce(0, &+) == extent else {
        throw settings.fault(key, "parts of \(extent)")
      }
    }
    if sizes.count == 1 { return [x] }
    var split = Split()
    split.axis = x.position(axis)
    return try emit(split, [x.wire, try vector(sizes)], outputs: sizes.count).map {
      KerasTensor($0, order: x.order)
    }
  }

  /// The elements of an axis, each without it.
  fileprivate func unstacked() throws(DecodeError) -> [KerasTensor] {
    let given = try operand(0)
    let x = given.isFlat ? KerasTensor(try plain(given)) : given
    let number = try settings.integer("axis", 0)
    let axis = number < 0 ? number + x.rank : number
    guard (0..<x.rank).contains(axis), let extent = x.dimensions[axis].extent,
      (1...1 << 12).contains(extent)
    else { throw unsupported("parts of an axis of unknown extent") }
    var split = Split()
    split.axis = x.position(axis)
    let sizes = Array(repeating: 1, count: extent)
    let parts =
      extent == 1 ? [x.wire] : try emit(split, [x.wire, try vector(sizes)], outputs: extent)
    let order = Self.order(x.order, without: [axis])
    return try parts.map { (part) throws(DecodeError) in
      KerasTensor(
        try emit(Squeeze(), [part, try vector([x.position(axis)])]), order: order)
    }
  }
}
