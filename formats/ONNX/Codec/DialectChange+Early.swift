import WherryBytes
import WherryGraph

extension DialectChange {
  private static let broadcasting = [
    "Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less", "Gemm",
  ]

  /// What changed before operator set 8.
  static let earlyChanges: [DialectChange] = [
    consumedInputs,
    broadcast,
    .attributeWent(["Dropout"], "is_test", meaningless: .int(1), since: 7, isWritten: true),
    batchTest,
    slope,
    outputSequence,
    castTarget,
    poolPower,
    .refused(
      ["Upsample"], "height_scale and width_scale", since: 7, lifting: { _ in true },
      lowering: { _ in true }),
    .refused(
      ["Scan"], "a batch axis", since: 9, lifting: { _ in true }, lowering: { _ in true }),
    .refused(
      ["LabelEncoder"], "classes_strings", since: 2, lifting: { _ in true },
      lowering: { _ in true },
      domain: OperatorName.mlDomain),
    .refused(
      ["GRU"], "gates of the first version", since: 3, lifting: { _ in true },
      lowering: { _ in true }),
  ]

  private static func refused(
    _ operators: [String], _ what: String, since version: Int64,
    lifting: @escaping @Sendable (DialectNode) -> Bool,
    lowering: @escaping @Sendable (DialectNode) -> Bool, domain: String
  ) -> DialectChange {
    let change = refused(operators, what, since: version, lifting: lifting, lowering: lowering)
    return DialectChange(
      operators, domain: domain, since: version, lift: change.lift, lower: change.lower)
  }

  /// A hint for memory reuse, without meaning for the result.
  private static let consumedInputs = DialectChange(
    [
      "Abs", "Add", "BatchNormalization", "Ceil", "Clip", "Div", "Dropout", "Elu", "Exp", "Floor",
      "HardSigmoid", "InstanceNormalization", "LeakyRelu", "Log", "Max", "Mean", "Min", "Mul",
      "Neg",
      "PRelu", "Reciprocal", "Relu", "Reshape", "Selu", "Sigmoid", "Sqrt", "Sub", "Sum", "Tanh",
    ], since: 6,
    lift: { (node, site) in
      if node.take("consumed_inputs") != nil { site.losses.append("consumed_inputs") }
    }, lower: { (_, _) in })

  /// The second operand was broadcast only when asked, and could be aligned to an inner axis.
  private static let broadcast = DialectChange(
    broadcasting, since: 7,
    lift: { (node, site) throws(DialectRefusal) in
      let isAligned = node.int("broadcast") == 1
      node["broadcast"] = nil
      guard case .int(let axis)? = node.take("axis"), isAligned else { return }
      try align(&node, axis, site)
    },
    lower: { (node, site) throws(DialectRefusal) in
      if let axis = try unalign(&node, site) { node["axis"] = .int(axis) }
      node["broadcast"] = .int(1)
    })

  /// A slope of several elements was one for each channel.
  private static let slope = DialectChange(
    ["PRelu"], since: 7,
    lift: { (node, site) throws(DialectRefusal) in
      guard let slope = site.shape(node.input(1)) else {
        throw DialectRefusal("a slope of unknown shape")
      }
      if slope.rank == 0 || slope.dimensions == [1] { return }
      try align(&node, 1, site)
    },
    lower: { (node, site) throws(DialectRefusal) in
      if let axis = try unalign(&node, site), axis != 1 {
        throw DialectRefusal("a slope along axis \(axis)")
      }
    })

  /// Puts axes of extent 1 behind the second operand, so that its first axis is `axis` of the first.
  private static func align(
    _ node: inout DialectNode, _ axis: Int64, _ site: DialectLiftingSite
  ) throws(DialectRefusal) {
    guard let rank = site.shape(node.input(0))?.rank, let own = site.shape(node.input(1))?.rank
    else {
      throw DialectRefusal("broadcasting from an inner axis of a value of unknown rank")
    }
    let behind = rank - own - Int(axis < 0 ? axis + Int64(rank) : axis)
    guard behind >= 0 else { throw DialectRefusal("broadcasting from axis \(axis)") }
    if behind == 0 { return }
    let axes = site.integers((own..<own + behind).map { Int64($0) }, "axes", of: node)
    let aligned = site.name("aligned", of: node)
    site.before.append(
      DialectNode(
        name: OperatorName("Unsqueeze"), attributes: [], inputs: [node.input(1), axes],
        outputs: [aligned]))
    node.setInput(1, aligned)
  }

  /// Undoes `align`; nil when the second operand is not aligned so.
  private static func unalign(
    _ node: inout DialectNode, _ site: DialectLoweringSite
  ) throws(DialectRefusal) -> Int64? {
    guard let aligned = site.producer(node.input(1), "Unsqueeze"), aligned.inputs.count == 2,
      let axes = aligned.inputs[1].flatMap({ site.content($0) })?.integers, let first = axes.first
    else { return nil }
    guard let rank = site.shape(node.input(0))?.rank else {
      throw DialectRefusal("broadcasting from an inner axis of a value of unknown rank")
    }
    site.release(node.input(1))
    node.setInput(1, aligned.inputs[0])
    return Int64(rank - axes.count) &- first
  }

  /// One output meant inference.
  private static let batchTest = DialectChange(
    ["BatchNormalization"], since: 7,
    lift: { (node, _) throws(DialectRefusal) in
      if node.outputs.dropFirst().contains(where: { $0 != nil }) {
        throw DialectRefusal("training")
      }
      node["is_test"] = nil
    },
    lower: { (node, _) in node["is_test"] = .int(1) })

  /// Whether the whole sequence was put out.
  private static let outputSequence = DialectChange(
    ["LSTM", "GRU", "RNN"], since: 7,
    lift: { (node, _) in node["output_sequence"] = nil },
    lower: { (node, _) in node["output_sequence"] = .int(node.wants(0) ? 1 : 0) })

  /// The element type was spelled out.
  private static let castTarget = DialectChange(
    ["Cast"], since: 6,
    lift: { (node, _) throws(DialectRefusal) in
      guard let name = node.text("to"), let code = elementNames[name] else {
        throw DialectRefusal("to")
      }
      node["to"] = .int(Int64(code.rawValue))
    },
    lower: { (node, _) throws(DialectRefusal) in
      guard let code = node.int("to"),
        let name = elementNames.first(where: { $0.value.rawValue == code })
      else { throw DialectRefusal("to \(node.int("to") ?? 0)") }
      node["to"] = .string(Bytes(name.key.utf8))
    })

  private static let elementNames: [String: ElementType] = [
    "FLOAT": .float32, "UINT8": .uint8, "INT8": .int8, "UINT16": .uint16, "INT16": .int16,
    "INT32": .int32, "INT64": .int64, "BOOL": .bool, "FLOAT16": .float16, "DOUBLE": .float64,
    "UINT32": .uint32, "UINT64": .uint64,
  ]

  /// The exponent could be a fraction.
  private static let poolPower = DialectChange(
    ["LpPool", "GlobalLpPool"], since: 2,
    lift: { (node, _) throws(DialectRefusal) in
      guard case .float(let p)? = node["p"] else { return }
      guard let power = Int64(exactly: p) else { throw DialectRefusal("p \(p)") }
      node["p"] = .int(power)
    },
    lower: { (node, _) in if let p = node.int("p") { node["p"] = .float(Float(p)) } })
}
