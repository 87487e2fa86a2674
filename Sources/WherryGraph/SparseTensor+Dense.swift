import WherryBytes

extension SparseTensor {
  /// The dense tensor, zero where nothing is listed.
  ///
  /// - Throws: `RunError.badValue` when an index lies outside the shape; `RunError.limit` when the dense
  ///   tensor is too large; `RunError.unsupported` for elements that don't fill whole bytes.
  public func dense(
    at place: Place = Place(), limits: EvaluationLimits = .standard
  ) throws(RunError) -> Tensor {
    let element = values.element
    let width = element.bitWidth / 8
    guard element.bitWidth % 8 == 0, width > 0 else {
      throw RunError(.unsupported("sparse \(element)"), place)
    }
    let count: Int
    let positions: [Int]
    do {
      count = try limits.check(element, shape)
      positions = try linearIndices()
    } catch {
      throw RunError(error.reason, place)
    }
    guard positions.count == values.count, positions.allSatisfy({ $0 >= 0 && $0 < count }) else {
      throw RunError(.badValue("sparse indices don't fit the shape \(shape)"), place)
    }
    let bytes = values.bytes.withUnsafeBytes { source in
      Bytes(count: count * width) { target in
        for (index, position) in positions.enumerated() {
          let from = UnsafeRawBufferPointer(rebasing: source[index * width..<(index + 1) * width])
          UnsafeMutableRawBufferPointer(rebasing: target[(position * width)...]).copyMemory(
            from: from)
        }
      }
    }
    guard let tensor = Tensor(element, shape, bytes: bytes) else {
      throw RunError(.badValue("sparse shape"), place)
    }
    return tensor
  }

  /// `indices` as linear ones.
  private func linearIndices() throws(RunError) -> [Int] {
    guard indices.element == .int64 else {
      throw RunError(.badValue("sparse indices are no int64"))
    }
    let listed = indices.integers.map { Int($0) }
    guard indices.rank == 2 else { return listed }
    let rank = shape.count
    guard indices.shape[1] == rank else { throw RunError(.badValue("sparse indices' rank")) }
    var positions: [Int] = []
    for row in 0..<indices.shape[0] {
      var position = 0
      for axis in 0..<rank {
        let index = listed[row * rank + axis]
        guard index >= 0, index < shape[axis] else {
          throw RunError(.badValue("sparse index \(index) is outside \(shape[axis])"))
        }
        position = position * shape[axis] + index
      }
      positions.append(position)
    }
    return positions
  }
}
