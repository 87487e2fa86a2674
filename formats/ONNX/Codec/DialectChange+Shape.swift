import WherryBytes
import WherryGraph

extension DialectChange {
  private static let reductions = [
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSumSquare",
  ]

  /// Operators that move and select elements, and reductions.
  static let shapeChanges: [DialectChange] = [
    .listBecameInput(["Squeeze", "Unsqueeze", "ReduceSum"], "axes", 1, since: 13),
    .listBecameInput(reductions, "axes", 1, since: 18),
    .negativeAxes(reductions + ["ReduceSum", "Squeeze"], "axes", since: 11),
    .negativeAxes(["Unsqueeze"], "axes", since: 11, added: true),
    .negativeAxes(
      [
        "ArgMax", "ArgMin", "Concat", "Flatten", "Gather", "Hardmax", "LogSoftmax", "Softmax",
        "Split", "Scatter", "ScatterElements", "Compress", "TopK",
      ], "axis", since: 11),
    .listBecameInput(["Split"], "split", 1, since: 13),
    splitCount,
    .refused(
      ["Split"], "lengths as an input", since: 2, lifting: { $0.inputs.count > 1 },
      lowering: { _ in false }),
    slice,
    .listBecameInput(["Pad"], "pads", 1, since: 11),
    .numberBecameInput(["Pad"], "value", 2, neutral: 0, since: 11),
    .valuesAdded(["Pad"], "mode", ["wrap"], since: 19),
    padding,
    .listBecameInput(["Reshape"], "shape", 1, since: 5),
    .refused(
      ["Tile"], "tiles and axis", since: 6, lifting: { _ in true }, lowering: { _ in true }),
    topK,
    .renamed("Scatter", "ScatterElements", since: 11),
    .valuesAdded(["ScatterElements", "ScatterND"], "reduction", ["max", "min"], since: 18),
    concatAxis,
    dftAxis,
  ]

  /// Without lengths, Split cuts into as many equal parts as it has outputs; since 18 it says how many.
  private static let splitCount = DialectChange(
    ["Split"], since: 18,
    lift: { (node, _) in
      if node.input(1) == nil { node["num_outputs"] = .int(Int64(node.outputs.count)) }
    },
    lower: { (node, site) throws(DialectRefusal) in
      guard let count = node.int("num_outputs") else { return }
      guard count > 0, count == node.outputs.count else {
        throw DialectRefusal("num_outputs \(count)")
      }
      if let shape = site.shape(node.input(0)) {
        let axis = Int(node.int("axis") ?? 0)
        let position = axis < 0 ? axis + shape.rank : axis
        if position >= 0, position < shape.rank, let extent = shape[position].extent,
          extent % node.outputs.count != 0
        {
          throw DialectRefusal("\(extent) cut into \(count) unequal parts")
        }
      }
      node["num_outputs"] = nil
    })

  private static let slice = DialectChange(
    ["Slice"], since: 10,
    lift: { (node, site) throws(DialectRefusal) in
      for (index, name) in ["starts", "ends", "axes"].enumerated() {
        guard let value = node.take(name) else { continue }
        guard case .ints(let numbers) = value else { throw DialectRefusal(name) }
        node.setInput(index + 1, site.integers(numbers, name, of: node))
      }
    },
    lower: { (node, site) throws(DialectRefusal) in
      if let steps = try site.take(4, of: &node, "steps"),
        steps.integers.contains(where: { $0 != 1 })
      {
        throw DialectRefusal("steps other than 1")
      }
      for (index, name) in ["starts", "ends", "axes"].enumerated().reversed() {
        guard let tensor = try site.take(index + 1, of: &node, name) else { continue }
        node[name] = .ints(tensor.integers)
      }
      if !site.isUnmoved, case .ints(let axes)? = node["axes"], axes.contains(where: { $0 < 0 }) {
        guard let rank = site.shape(node.input(0))?.rank else {
          throw DialectRefusal("a negative axis of a value of unknown rank")
        }
        node["axes"] = .ints(axes.map { $0 < 0 ? $0 + Int64(rank) : $0 })
      }
    })

  private static let padding = DialectChange(
    ["Pad"], since: 2,
    lift: { (node, _) in node["pads"] = node.take("paddings") },
    lower: { (node, _) in node["paddings"] = node.take("pads") })

  private static let topK = DialectChange(
    ["TopK"], since: 10,
    lift: { (node, site) throws(DialectRefusal) in
      guard case .int(let k)? = node.take("k") else { throw DialectRefusal("k") }
      node.setInput(1, site.integers([k], "k", of: node))
    },
    lower: { (node, site) throws(DialectRefusal) in
      guard let k = try site.take(1, of: &node, "k")?.integers.first else {
        throw DialectRefusal("k")
      }
      node["k"] = .int(k)
    })

  private static let concatAxis = DialectChange(
    ["Concat"], since: 4, lift: { (node, _) in if node["axis"] == nil { node["axis"] = .int(1) } },
    lower: { (_, _) in })

  /// The axis was an attribute, 1 when absent; it became an input, -2 when absent.
  private static let dftAxis = DialectChange(
    ["DFT"], since: 20,
    lift: { (node, site) throws(DialectRefusal) in
      guard case .int(let axis)? = node.take("axis"),
        let scalar = Tensor(.int64, [], integers: [axis])
      else { throw DialectRefusal("axis") }
      node.setInput(2, site.constant(scalar, "axis", of: node))
    },
    lower: { (node, site) throws(DialectRefusal) in
      let axis = try site.take(2, of: &node, "axis")?.integers.first ?? -2
      node["axis"] = .int(axis)
    })
}
