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
    NodeExpression(MatMul.self) { (_, site) throws(EncodeError) in
      if var matrix = site.constant(1) {
        let x = try site.numbers()
        while matrix.rank > 2, matrix.shape[0] == 1, matrix.rank <= x.rank {
          matrix = try site.exact(matrix.reshaped(Array(matrix.shape.dropFirst())))
        }
        guard matrix.rank == 2, x.rank >= 2, matrix.element == x.element else {
          throw site.refusal("MatMul by a constant of shape \(matrix.shape)")
        }
        return try site.contracted(x, axis: x.rank - 1, with: matrix)
      }
      if let matrix = site.constant(0) {
        let x = try site.numbers(1)
        guard matrix.rank == 2, x.rank >= 2, matrix.element == x.element else {
          throw site.refusal("MatMul of a constant of shape \(matrix.shape)")
        }
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
        guard table.rank == 2, try site.axis(operation.axis, 2) == 0, table.element.isFloat else {
          throw site.refusal("Gather from a constant of shape \(table.shape)")
        }
        let indices = try site.composer.inOrder(try site.strand(1), at: site.place)
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
      guard let extent = x.extent(axis), indices.count == 1, indices.rank <= 1,
        let index = indices.integers.first.map({ Int($0) }), index >= -extent, index < extent
      else { throw site.refusal("Gather of several indices or from an unknown extent") }
      let start = index < 0 ? index + extent : index
      let slice = try site.cropped(x, axis: axis, before: start, after: extent - start - 1)
      return indices.rank == 1 ? slice : try site.squeezed(slice, [axis])
    },
  ]
}

extension NodeSite {
  /// A tensor that was computed from a constant.
  func exact(_ tensor: Tensor?) throws(EncodeError) -> Tensor {
    guard let tensor else { throw refusal("a constant of this form") }
    return tensor
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
