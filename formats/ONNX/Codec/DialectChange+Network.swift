import WherryBytes
import WherryGraph

extension DialectChange {
  /// Layers of neural networks.
  static let networkChanges: [DialectChange] = [
    dropout,
    dropoutMask,
    .attributeWent(["BatchNormalization"], "spatial", meaningless: .int(1), since: 9),
    batchOutputs,
    upsampleScales,
    .renamed("Upsample", "Resize", since: 10),
    resize,
    resizeRegion,
    poolingCeiling,
    .valuesAdded(
      ["Resize"], "coordinate_transformation_mode", ["half_pixel_symmetric"], since: 19),
    roiAlign,
    groupNormalization,
  ]

  /// The ratio was an attribute, and training was not asked for by an input.
  private static let dropout = DialectChange(
    ["Dropout"], since: 12,
    lift: { (node, site) in
      guard case .float(let ratio)? = node.take("ratio"), ratio != 0.5 else { return }
      let scalar = Tensor([], floats: [ratio])
      node.setInput(1, site.constant(scalar, "ratio", of: node))
    },
    lower: { (node, site) throws(DialectRefusal) in
      if let training = try site.take(2, of: &node, "training_mode"),
        training.booleans.contains(true)
      {
        throw DialectRefusal("training")
      }
      if let ratio = try site.take(1, of: &node, "ratio")?.doubles.first {
        node["ratio"] = .float(Float(ratio))
      }
    })

  /// The mask held numbers before it held truth values; nobody notices where nobody looks.
  private static let dropoutMask = DialectChange(
    ["Dropout"], since: 10,
    lift: { (node, site) throws(DialectRefusal) in
      if site.isUsed(1, of: node) { throw DialectRefusal("a mask of numbers") }
    },
    lower: { (node, site) throws(DialectRefusal) in
      guard node.wants(1) else { return }
      if site.isUsed(node.outputs[1]) { throw DialectRefusal("a mask of truth values") }
    })

  /// Outputs past the first meant training, used or not.
  private static let batchOutputs = DialectChange(
    ["BatchNormalization"], since: 14,
    lift: { (node, _) throws(DialectRefusal) in
      if node.outputs.dropFirst().contains(where: { $0 != nil }) {
        throw DialectRefusal("training")
      }
      node.outputs = Array(node.outputs.prefix(1))
    },
    lower: { (node, _) throws(DialectRefusal) in
      if node.int("training_mode") == 1 { throw DialectRefusal("training") }
    })

  /// Before 22 a last window that begins past the input counted too, in pools that round up.
  private static let poolingCeiling = DialectChange(
    ["AveragePool", "MaxPool", "LpPool"], since: 22, lift: { (_, _) in },
    lower: { (node, site) throws(DialectRefusal) in
      guard !site.isUnmoved, node.int("ceil_mode") == 1 else { return }
      guard case .ints(let kernel)? = node["kernel_shape"] else { return }
      var strides = [Int64](repeating: 1, count: kernel.count)
      if case .ints(let given)? = node["strides"], !given.isEmpty { strides = given }
      var ends: ArraySlice<Int64> = []
      if case .ints(let pads)? = node["pads"] { ends = pads.suffix(kernel.count) }
      if ends.contains(where: { $0 > 0 }) || zip(strides, kernel).contains(where: { $0 > $1 }) {
        throw DialectRefusal("a ceiling with windows that may begin past the input")
      }
    })

  private static let upsampleScales = DialectChange(
    ["Upsample"], since: 9,
    lift: { (node, site) throws(DialectRefusal) in
      guard case .floats(let scales)? = node.take("scales") else { throw DialectRefusal("scales") }
      node.setInput(1, site.constant(Tensor([scales.count], floats: scales), "scales", of: node))
    },
    lower: { (node, site) throws(DialectRefusal) in
      guard let scales = try site.take(1, of: &node, "scales") else {
        throw DialectRefusal("scales")
      }
      node["scales"] = .floats(scales.doubles.map { Float($0) })
    })

  /// Before 11: no region, coordinates scaled without offset; nearest means the floor when growing and
  /// the ceiling when shrinking.
  private static let resize = DialectChange(
    ["Resize"], since: 11,
    lift: { (node, site) in
      let scales = node.input(1)
      node.setInput(1, nil)
      node.setInput(2, scales)
      node["coordinate_transformation_mode"] = .string(Bytes("asymmetric".utf8))
      let shrinks = scales.flatMap { site.contents[$0] }?.doubles.contains { $0 < 1 } ?? false
      if node.text("mode") ?? "nearest" == "nearest" {
        node["nearest_mode"] = .string(Bytes((shrinks ? "ceil" : "floor").utf8))
      }
    },
    lower: { (node, site) throws(DialectRefusal) in
      guard node.input(3) == nil, let scales = node.input(2) else { throw DialectRefusal("sizes") }
      site.release(node.input(1))
      guard node.text("coordinate_transformation_mode") == "asymmetric" else {
        throw DialectRefusal("coordinates that are not \"asymmetric\"")
      }
      if node.text("mode") ?? "nearest" == "nearest" {
        guard let rounding = node.text("nearest_mode"), ["floor", "ceil"].contains(rounding) else {
          throw DialectRefusal("nearest_mode that is neither \"floor\" nor \"ceil\"")
        }
        node["nearest_mode"] = nil
      } else if node.text("mode") != "linear" {
        throw DialectRefusal("mode \"\(node.text("mode") ?? "")\"")
      }
      node["coordinate_transformation_mode"] = nil
      node.setInput(2, nil)
      node.setInput(1, scales)
    })

  /// Before 13 the region and the scales could be empty but not left out.
  private static let resizeRegion = DialectChange(
    ["Resize"], since: 13, lift: { (_, _) in },
    lower: { (node, site) in
      guard !site.isUnmoved, node.inputs.count > 2 || node.inputs.count == 1 else { return }
      let empty = Tensor([0], floats: [])
      for (index, role) in [(1, "roi"), (2, "scales")] where node.input(index) == nil {
        node.setInput(index, site.constant(empty, role, of: node))
      }
    })

  /// Before 16 there was no half-pixel offset.
  private static let roiAlign = DialectChange(
    ["RoiAlign"], since: 16,
    lift: { (node, _) in
      node["coordinate_transformation_mode"] = .string(Bytes("output_half_pixel".utf8))
    },
    lower: { (node, _) throws(DialectRefusal) in
      guard node.text("coordinate_transformation_mode") == "output_half_pixel" else {
        throw DialectRefusal("coordinates with a half-pixel offset")
      }
      node["coordinate_transformation_mode"] = nil
    })

  /// Before 21 scale and bias had one element a group; each is spread over the group's channels.
  private static let groupNormalization = DialectChange(
    ["GroupNormalization"], since: 21,
    lift: { (node, site) throws(DialectRefusal) in
      guard let shape = site.shape(node.input(0)), shape.rank > 1, let channels = shape[1].extent,
        let groups = node.int("num_groups"), groups > 0, channels % Int(groups) == 0
      else { throw DialectRefusal("a scale for each group of an unknown number of channels") }
      for (index, role) in [(1, "scale"), (2, "bias")] {
        let column = site.name("\(role)/column", of: node)
        let spread = site.name("\(role)/spread", of: node)
        let whole = site.name(role, of: node)
        let axes = site.integers([1], "\(role)/axes", of: node)
        let extents = site.integers([1, Int64(channels) / groups], "\(role)/extents", of: node)
        let flat = site.integers([-1], "\(role)/shape", of: node)
        site.before += [
          DialectNode(
            name: OperatorName("Unsqueeze"), attributes: [], inputs: [node.input(index), axes],
            outputs: [column]),
          DialectNode(
            name: OperatorName("Expand"), attributes: [], inputs: [column, extents],
            outputs: [spread]),
          DialectNode(
            name: OperatorName("Reshape"), attributes: [], inputs: [spread, flat], outputs: [whole]),
        ]
        node.setInput(index, whole)
      }
    },
    lower: { (node, site) throws(DialectRefusal) in
      for index in [1, 2] {
        guard let whole = site.producer(node.input(index), "Reshape"),
          let spread = site.producer(whole.inputs.first ?? nil, "Expand"),
          let column = site.producer(spread.inputs.first ?? nil, "Unsqueeze"),
          let source = column.inputs.first ?? nil
        else { throw DialectRefusal("a scale for each channel") }
        site.release(node.input(index))
        node.setInput(index, source)
      }
    })
}

extension Tensor {
  /// A float32 tensor; empty when the count does not fit the shape.
  init(_ shape: [Int], floats: [Float]) {
    self = Tensor(.float32, shape, elements: floats) ?? Tensor(vector: [])
  }
}
