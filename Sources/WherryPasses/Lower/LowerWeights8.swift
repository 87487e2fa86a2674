import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

/// Matrices that stand in 8 bits and multiply float32 activations.
extension LoweringSite {
  /// A dequantized constant: float numbers for those who want them, and the 8-bit ones beside them.
  func hold(weights operation: DequantizeLinear) throws(CompileProblem) {
    var operands: [Value?] = []
    for index in 0..<inputCount {
      operands.append(has(index) ? .tensor(try requireConstant(index)) : nil)
    }
    let call = OperatorCall(
      inputs: operands, wanted: [true],
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    do throws(RunError) {
      guard let tensor = try operation.evaluate(call).first??.tensor else {
        throw RunError(.badInput("no result"))
      }
      finishConstant(0, tensor)
    } catch {
      throw CompileProblem(.run(error.reason))
    }
    guard let tensor = constant(0), tensor.rank == 2, let scale = constant(1),
      let name = node.outputs.first ?? nil
    else { return }
    let axis = operation.axis < 0 ? operation.axis + 2 : operation.axis
    guard scale.count == 1 || scale.rank == 1 && axis < 2 && scale.count == tensor.shape[axis],
      let weights = int8Weights(0, zeroPoint: 2, axis: scale.count == 1 ? 0 : axis)
    else { return }
    weights8[name] = Weights8(
      values: weights, scales: scale.doubles.map { Float($0) }, axis: scale.count == 1 ? nil : axis)
  }

  /// x [..., K] times the 8-bit matrix of input 1; nil when there is none that the kernel takes.
  ///
  /// - Parameter isTransposed: whether the matrix is [N, K].
  func product8(
    isTransposed: Bool = false, bias: Int? = nil
  ) throws(CompileProblem) -> Lowered? {
    guard node.inputs.count > 1, let name = node.inputs[1], let weights = weights8[name],
      try element(0) == .float32, weights.axis ?? (isTransposed ? 0 : 1) == (isTransposed ? 0 : 1)
    else { return nil }
    for scale in weights.scales where !Quantization.isUsable(scale) { return nil }
    let x = try rowMajor(0)
    let (k, n) =
      isTransposed
      ? (weights.values.shape[1], weights.values.shape[0])
      : (weights.values.shape[0], weights.values.shape[1])
    guard x.shape.count > 1, x.shape.last == k else { return nil }
    let m = x.shape.dropLast().reduce(1, *)
    var step = wh_matmul_weights8()
    (step.m, step.k, step.n) = (Int32(small: m), Int32(small: k), Int32(small: n))
    (step.low, step.high) = (-.infinity, .infinity)
    let bytes = weights.stream(isTransposed: isTransposed)
    let stream = try builder.weight(Weight(bytes, width: 1), .int8, [bytes.count])
    let result = try make(.float32, x.shape.dropLast() + [n])
    emit(.matMulWeights8(step), [x.tensor, stream, bias], [result.tensor])
    count(macs: m, k, n)
    return result
  }
}

/// A constant int8 matrix with its scales.
struct Weights8 {
  /// int8, zero points taken out.
  var values: Tensor
  var scales: [Float]
  /// The axis that the scales run along; nil for one scale.
  var axis: Int?

  /// The stream of `WH_MatMulWeights8`: panels of 16 columns, their scales first.
  func stream(isTransposed: Bool) -> Bytes {
    let shape = values.shape
    let (rows, columns) = isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1])
    let panel = 64 + rows * 16
    return values.bytes.withUnsafeBytes { source in
      Bytes(count: (columns + 15) / 16 * panel) { target in
        target.initializeMemory(as: UInt8.self, repeating: 0)
        for column in 0..<columns {
          let (base, lane) = (column / 16 * panel, column % 16)
          target.storeBytes(
            of: scales.count == 1 ? scales[0] : scales[column], toByteOffset: base + lane * 4,
            as: Float.self)
          for row in 0..<rows {
            target[base + 64 + row * 16 + lane] =
              source[isTransposed ? column * rows + row : row * columns + column]
          }
        }
      }
    }
  }
}
