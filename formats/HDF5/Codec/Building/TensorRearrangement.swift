import WherryBytes
import WherryGraph

/// Exact rearrangements of a tensor's elements, whatever they are.
extension Tensor {
  /// The tensor with axis `permutation[i]` as axis `i`; nil when that is no permutation of its axes.
  func permuted(_ permutation: [Int]) -> Tensor? {
    guard permutation.sorted() == Array(0..<rank) else { return nil }
    if permutation == Array(0..<rank) { return self }
    let size = element.bitWidth / 8
    guard size > 0, element.bitWidth % 8 == 0 else { return nil }
    let target = permutation.map { shape[$0] }
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let steps = permutation.map { strides[$0] * size }
    let bytes = self.bytes.withUnsafeBytes { source in
      Bytes(count: self.bytes.count) { output in
        guard let input = source.baseAddress, var out = output.baseAddress, count > 0 else {
          return
        }
        var index = [Int](repeating: 0, count: target.count)
        let inner = target.count - 1
        let (width, step) = (target[inner], steps[inner])
        var offset = 0
        while true {
          for position in 0..<width {
            out.copyMemory(from: input + offset + position * step, byteCount: size)
            out += size
          }
          var axis = inner - 1
          while axis >= 0 {
            index[axis] += 1
            offset += steps[axis]
            if index[axis] < target[axis] { break }
            offset -= steps[axis] * target[axis]
            index[axis] = 0
            axis -= 1
          }
          if axis < 0 { return }
        }
      }
    }
    return Tensor(element, target, bytes: bytes)
  }

  /// The parts of an axis one after the other in another order or number: `parts` of equal extents, of
  /// which those listed are taken.
  func choosing(_ chosen: [Int], of parts: Int, axis: Int) -> Tensor? {
    guard axis >= 0, axis < rank, parts > 0, shape[axis] % parts == 0,
      chosen.allSatisfy({ $0 >= 0 && $0 < parts })
    else { return nil }
    let width = shape[axis] / parts
    let inner = shape[(axis + 1)...].reduce(1, *) * element.bitWidth / 8
    let outer = shape[..<axis].reduce(1, *)
    var target = shape
    target[axis] = width * chosen.count
    let run = width * inner
    let bytes = self.bytes.withUnsafeBytes { source in
      Bytes(count: outer * chosen.count * run) { output in
        guard let input = source.baseAddress, var out = output.baseAddress else { return }
        for row in 0..<outer {
          for part in chosen {
            out.copyMemory(from: input + (row * parts + part) * run, byteCount: run)
            out += run
          }
        }
      }
    }
    return Tensor(element, target, bytes: bytes)
  }

  /// Tensors of one element type one after the other along an axis.
  static func joined(_ tensors: [Tensor], axis: Int = 0) -> Tensor? {
    guard let first = tensors.first, axis >= 0, axis < first.rank,
      tensors.allSatisfy({ $0.element == first.element && $0.rank == first.rank })
    else { return nil }
    var shape = first.shape
    shape[axis] = 0
    for tensor in tensors {
      var other = tensor.shape
      other[axis] = 0
      var own = shape
      own[axis] = 0
      guard other == own else { return nil }
      shape[axis] += tensor.shape[axis]
    }
    let outer = shape[..<axis].reduce(1, *)
    let runs = tensors.map { $0.bytes.count / max(outer, 1) }
    let bytes = Bytes(count: tensors.reduce(0) { $0 + $1.bytes.count }) { output in
      var at = 0
      for row in 0..<outer {
        for (tensor, run) in zip(tensors, runs) {
          tensor.bytes.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(rebasing: output[at..<at + run])
              .copyMemory(
                from: UnsafeRawBufferPointer(rebasing: source[row * run..<(row + 1) * run]))
          }
          at += run
        }
      }
    }
    return Tensor(first.element, shape, bytes: bytes)
  }

  /// A tensor of one number.
  static func filled(_ element: ElementType, _ shape: [Int], _ value: Double) -> Tensor? {
    guard let count = Checked.product(shape), count <= 1 << 28 else { return nil }
    return Tensor(element, shape, doubles: [Double](repeating: value, count: count))
  }
}
