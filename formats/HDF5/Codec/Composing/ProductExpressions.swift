import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Matrix products and look-ups of rows.
extension NodeExpression {
  static let products: [NodeExpression] = [
    NodeExpression(Gemm.self) { (operation, site) throws(EncodeError) in
      guard !operation.transA else { throw site.refusal("Gemm of a transposed first input") }
      let x = try site.numbers()
      var matrix = try site.known(1)
      guard matrix.rank == 2, x.rank == 2, matrix.element == x.element else {
        throw site.refusal("Gemm of a matrix of shape \(matrix.shape)")
      }
      if operation.transB { matrix = try site.exact(matrix.permuted([1, 0])) }
      if operation.alpha != 1 {
        matrix = try site.exact(
          Tensor(
            matrix.element, matrix.shape,
            doubles: matrix.doubles.map { $0 * Double(operation.alpha) }))
      }
      var bias: Tensor?
      if site.has(2), operation.beta != 0 {
        let c = try site.known(2)
        guard c.count == 1 || c.shape.last == c.count else {
          throw site.refusal("Gemm with a third input of shape \(c.shape)")
        }
        let numbers = c.doubles.map { $0 * Double(operation.beta) }
        let width = matrix.shape[1]
        bias = try site.exact(
          Tensor(
            c.element, [width],
            doubles: c.count == width
              ? numbers : Array(repeating: numbers.first ?? 0, count: width)))
      }
      return try site.contracted(x, axis: 1, with: matrix, bias: bias)
    },
    NodeExpression(LinearRegressor.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      let weights = (operation.coefficients ?? []).map { Double($0) }
      guard x.rank == 2, x.element == .float32, operation.postTransform == .none,
        let width = x.extent(1) ?? (operation.targets == 1 ? weights.count : nil),
        operation.targets > 0, weights.count == Checked.multiply(operation.targets, width)
      else { throw site.refusal("LinearRegressor of this form") }
      let matrix = try site.exact(
        Tensor(.float32, [operation.targets, width], doubles: weights)?.permuted([1, 0]))
      var bias: Tensor?
      if let intercepts = operation.intercepts, !intercepts.isEmpty {
        guard intercepts.count == operation.targets else { throw site.refusal("intercepts") }
        bias = try site.exact(
          Tensor(.float32, [operation.targets], doubles: intercepts.map { Double($0) }))
      }
      return try site.contracted(x, axis: 1, with: matrix, bias: bias)
    },
    NodeExpression(MatMul.self) { (_, site) throws(EncodeError) in
      if var matrix = site.constant(1) {
        let x = try site.numbers()
        while matrix.rank > 2, matrix.shape[0] == 1, matrix.rank <= x.rank {
          matrix = try site.exact(matrix.reshaped(Array(matrix.shape.dropFirst())))
        }
        guard matrix.rank >= 2, x.rank >= 2, matrix.element == x.element else {
          throw site.refusal("MatMul by a constant of shape \(matrix.shape)")
        }
        if matrix.rank > 2 { return try site.multiplied(x, matrix, isFirst: true) }
        return try site.contracted(x, axis: x.rank - 1, with: matrix)
      }
      if let matrix = site.constant(0) {
        let x = try site.numbers(1)
        guard matrix.rank >= 2, x.rank >= 2, matrix.element == x.element else {
          throw site.refusal("MatMul of a constant of shape \(matrix.shape)")
        }
        if matrix.rank > 2 { return try site.multiplied(x, matrix, isFirst: false) }
        return try site.contracted(
          x, axis: x.rank - 2, with: try site.exact(matrix.permuted([1, 0])))
      }
      let (a, b) = (try site.numbers(0), try site.numbers(1))
      if a.rank == 3, b.rank == 3 { return try site.dot(a, b) }
      // Keras's layer has no axes of its own for heads, so that each is a layer.
      guard a.rank == 4, b.rank == 4, let heads = a.extent(1), heads == b.extent(1), heads <= 32
      else { throw site.refusal("MatMul of two tensors of ranks \(a.rank) and \(b.rank)") }
      func head(_ x: Strand, _ index: Int) throws(EncodeError) -> Strand {
        let part = try site.cropped(x, axis: 1, before: index, after: heads - index - 1)
        return try site.squeezed(part, [1])
      }
      var products: [Strand] = []
      for index in 0..<heads {
        let product = try site.dot(try head(a, index), try head(b, index))
        products.append(
          try site.composer.reshaped(
            product, [product.extents[0], 1] + product.extents.dropFirst(), at: site.place))
      }
      guard let first = products.first else { throw site.refusal("MatMul of no heads") }
      if heads == 1 { return first }
      return site.composer.layer(
        "Concatenate", [("axis", 1)], products,
        extents: [first.extents[0], heads] + first.extents.dropFirst(2), named: site.hint)
    },
    NodeExpression(Einsum.self) { (operation, site) throws(EncodeError) in
      let equation = operation.equation.filter { $0 != " " }
      let sides = equation.split(separator: ">").map(String.init)
      guard site.node.inputs.count == 2, sides.count == 2, sides[0].hasSuffix("-"),
        case let terms = sides[0].dropLast().split(separator: ",").map(String.init),
        terms.count == 2, let batch = terms[0].first, sides[1].first == batch,
        !terms[1].contains(batch), let kernel = site.constant(1), !equation.contains(".")
      else { throw site.refusal("Einsum \(operation.equation)") }
      let x = try site.composer.inOrder(try site.numbers(), at: site.place)
      var sizes: [Character: Int] = [:]
      for (letter, extent) in zip(terms[0], x.extents) { sizes[letter] = extent }
      for (letter, extent) in zip(terms[1], kernel.shape) { sizes[letter] = extent }
      let extents = [x.extents[0]] + sides[1].dropFirst().map { sizes[$0] }
      return site.composer.layer(
        "EinsumDense",
        [
          ("equation", .string(equation)),
          (
            "output_shape",
            .array(extents.dropFirst().map { $0.map { .integer(Int64($0)) } ?? .null })
          ), ("activation", "linear"), ("bias_axes", .null),
        ], [x], weights: [.init("kernel", kernel)], extents: extents, named: site.hint)
    },
    NodeExpression(Gather.self) { (operation, site) throws(EncodeError) in
      if let table = site.constant(0), site.constant(1) == nil {
        guard table.rank == 2, try site.axis(operation.axis, 2) == 0, table.element.isComputed
        else {
          throw site.refusal("Gather from a constant of shape \(table.shape)")
        }
        let indices = try site.composer.inOrder(try site.strand(1), at: site.place)
        site.composer.note(
          "indices below 0, which Embedding does not count from the end", at: site.place)
        return site.composer.layer(
          "Embedding",
          [
            ("input_dim", .integer(Int64(table.shape[0]))),
            ("output_dim", .integer(Int64(table.shape[1]))), ("mask_zero", false),
          ], [indices], weights: [.init("embeddings", table)],
          extents: indices.extents + [table.shape[1]], element: table.element, named: site.hint)
      }
      let x = try site.strand()
      let indices = try site.known(1)
      let axis = try site.axis(operation.axis, x.rank)
      guard let extent = x.extent(axis), indices.rank <= 1,
        case let places = indices.integers.map({ Int($0) }),
        places.allSatisfy({ $0 >= -extent && $0 < extent })
      else { throw site.refusal("Gather by a table or from an unknown extent") }
      let part = try site.chosen(x, axis: axis, places.map { $0 < 0 ? $0 + extent : $0 })
      return indices.rank == 1 ? part : try site.squeezed(part, [axis])
    },
    NodeExpression(OneHot.self) { (operation, site) throws(EncodeError) in
      let indices = try site.strand()
      let (depth, values) = (try site.known(1), try site.known(2))
      guard let width = depth.integers.first.map({ Int($0) }), width > 0, width <= 1 << 11,
        values.element.isComputed, values.count == 2
      else { throw site.refusal("OneHot of \(values.element)") }
      site.composer.note(
        "indices outside 0..<\(width), which Embedding does not take", at: site.place)
      // Row `i` of the table has its other number at `i`.
      let numbers = values.doubles
      let table = try site.exact(
        Tensor(
          values.element, [width, width],
          doubles: (0..<width * width).map { $0 % (width + 1) == 0 ? numbers[1] : numbers[0] }))
      var result = site.composer.layer(
        "Embedding",
        [
          ("input_dim", .integer(Int64(width))), ("output_dim", .integer(Int64(width))),
          ("mask_zero", false),
        ], [indices], weights: [.init("embeddings", table)],
        extents: indices.extents + [width], element: table.element, named: site.hint)
      result.axes = indices.axes
      result.axes.insert(
        indices.extents.count, at: try site.axis(operation.axis, indices.rank + 1))
      return result
    },
    NodeExpression(CumSum.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      let axis = try site.axis(try site.integers(1)?.first ?? 0, x.rank)
      guard let extent = x.extent(axis), extent <= 1 << 11 else {
        throw site.refusal("CumSum over an unknown extent")
      }
      let unit = try site.unit(x.element, extent)
      return try site.contracted(
        x, axis: axis, with: try site.evaluated(operation, [unit, Tensor(vector: [1])]))
    },
    NodeExpression(Trilu.self) { (operation, site) throws(EncodeError) in
      let x = try site.numbers()
      let shape = x.shape.suffix(2).compactMap { $0 }
      guard x.rank > 2, shape.count == 2, let count = Checked.product(shape), count <= 1 << 24
      else { throw site.refusal("Trilu of unknown extents") }
      let ones = Tensor.filled(x.element, shape, 1)
      let edge = site.has(1) ? try site.known(1) : nil
      return try site.scaled(x, try site.evaluated(operation, [ones, edge]))
    },
  ]
}

extension NodeSite {
  /// A tensor that was computed from a constant.
  func exact(_ tensor: Tensor?) throws(EncodeError) -> Tensor {
    guard let tensor else { throw refusal("a constant of this form") }
    return tensor
  }

  /// The matrix that changes nothing.
  func unit(_ element: ElementType, _ extent: Int) throws(EncodeError) -> Tensor {
    try exact(
      Tensor(
        element, [extent, extent],
        doubles: (0..<extent * extent).map { $0 % (extent + 1) == 0 ? 1 : 0 }))
  }

  /// The products of a tensor's matrices with constant ones, each with its own.
  fileprivate func multiplied(
    _ x: Strand, _ matrices: Tensor, isFirst: Bool
  ) throws(EncodeError) -> Strand {
    let letters = "abcdefghijklmnopqrstuvwxy".map(String.init)
    let input = try composer.inOrder(x, at: place)
    let (rank, offset) = (input.extents.count, input.extents.count - matrices.rank)
    guard offset >= 0, rank <= letters.count else {
      throw refusal("MatMul by a constant of shape \(matrices.shape)")
    }
    var (kernel, shape) = ("", [Int]())
    for axis in 0..<matrices.rank - 2 where matrices.shape[axis] != 1 {
      guard axis + offset > 0, input.extents[axis + offset] == matrices.shape[axis] else {
        throw refusal("MatMul by a constant of shape \(matrices.shape)")
      }
      kernel += letters[axis + offset]
      shape.append(matrices.shape[axis])
    }
    var output = Array(letters.prefix(rank))
    var extents = input.extents
    let (row, column) = (matrices.shape[matrices.rank - 2], matrices.shape[matrices.rank - 1])
    guard input.extents[isFirst ? rank - 1 : rank - 2] == (isFirst ? row : column) else {
      throw refusal("a product over an extent that is not known")
    }
    if isFirst {
      kernel += output[rank - 1] + "z"
      (output[rank - 1], extents[rank - 1]) = ("z", column)
    } else {
      kernel += "z" + output[rank - 2]
      (output[rank - 2], extents[rank - 2]) = ("z", row)
    }
    let equation = "\(letters.prefix(rank).joined()),\(kernel)->\(output.joined())"
    return composer.layer(
      "EinsumDense",
      [
        ("equation", .string(equation)),
        (
          "output_shape",
          .array(extents.dropFirst().map { $0.map { .integer(Int64($0)) } ?? .null })
        ), ("activation", "linear"), ("bias_axes", .null),
      ], [input],
      weights: [.init("kernel", try exact(matrices.reshaped(shape + [row, column])))],
      extents: extents, named: hint)
  }

  /// The products of the matrices of two batches.
  fileprivate func dot(_ a: Strand, _ b: Strand) throws(EncodeError) -> Strand {
    let (left, right) = (try composer.inOrder(a, at: place), try composer.inOrder(b, at: place))
    return composer.layer(
      "Dot", [("axes", [2, 1]), ("normalize", false)], [left, right],
      extents: [left.extents[0], left.extents[1], right.extents[2]], named: hint)
  }

  /// The product of one axis with a constant matrix `[extent, units]`; the axis stays where it is.
  func contracted(
    _ x: Strand, axis: Int, with matrix: Tensor, bias: Tensor? = nil
  ) throws(EncodeError) -> Strand {
    let input = try composer.arranged(x, last: axis, at: place)
    guard input.extents.count > 1 else { throw refusal("a product along the batch") }
    guard input.extents.last == matrix.shape[0] else {
      throw refusal("a product over an extent that is not known")
    }
    var weights = [LayerSheet.Weight("kernel", matrix)]
    if let bias { weights.append(.init("bias", bias)) }
    var result = composer.layer(
      "Dense",
      [
        ("units", .integer(Int64(matrix.shape[1]))), ("activation", "linear"),
        ("use_bias", .bool(bias != nil)),
      ], [input], weights: weights, extents: input.extents.dropLast() + [matrix.shape[1]],
      named: hint)
    result.axes = input.axes
    return result
  }
}
