import CWherryABI
import WherryGraph

/// Finds the copies of a concatenation that need not be made, because what is copied can be computed
/// where it is wanted.
struct ConcatenateByOffset {
  /// A buffer that becomes a part of another.
  struct Part {
    var buffer: Int
    var whole: Int
    /// Bytes from the beginning of the whole.
    var offset: Int
  }

  private let builder: PlanBuilder
  private let fixed: Set<Int>
  private var sizes: [Int: Int] = [:]
  private var writers: [Int: [Int]] = [:]
  private var readers: [Int: [Int]] = [:]
  private(set) var parts: [Part] = []
  /// By buffer: operations that write some of its channels themselves.
  private var makers: [Int: [Int]] = [:]

  /// Removes the copies from the builder's operations.
  ///
  /// - Parameter interface: tensors of the model's inputs and outputs; they keep memory of their own.
  init(_ builder: PlanBuilder, interface: [Int]) {
    self.builder = builder
    fixed = Set(interface.compactMap { builder.buffer($0) })
    for (index, operation) in builder.operations.enumerated() {
      for case let tensor? in operation.inputs + operation.outputs {
        guard let buffer = builder.buffer(tensor) else { continue }
        sizes[buffer] = max(sizes[buffer] ?? 0, builder.tensors[tensor].byteCount)
      }
      for buffer in operation.inputs.compactMap({ $0.flatMap { builder.buffer($0) } }) {
        readers[buffer, default: []].append(index)
      }
      for buffer in operation.outputs.compactMap({ $0.flatMap { builder.buffer($0) } }) {
        writers[buffer, default: []].append(index)
      }
    }
    var removed: Set<Int> = []
    for index in builder.operations.indices {
      if takesBlock(index) || takesRows(index) {
        removed.insert(index)
        builder.count(.concatenateByOffset)
      }
    }
    builder.operations = builder.operations.indices.filter { !removed.contains($0) }
      .map { builder.operations[$0] }
  }

  /// A copy of a whole buffer into one run of bytes: the buffer becomes that run.
  private mutating func takesBlock(_ index: Int) -> Bool {
    guard let copy = Copy(builder, index), let run = copy.block, run.source == 0,
      run.bytes == sizes[copy.source], run.target % Int(WH_ALIGNMENT) == 0, isFree(copy.source),
      !fixed.contains(copy.source), !fixed.contains(copy.target) || isOutputOnly(copy.target),
      let others = writers[copy.target], copy.source != copy.target
    else { return false }
    // Whatever else writes the whole must be a copy into another run of it.
    for other in others where other != index {
      guard let neighbour = Copy(builder, other)?.block,
        neighbour.target + neighbour.bytes <= run.target
          || run.target + run.bytes <= neighbour.target
      else { return false }
    }
    guard !(makers[copy.target] ?? []).contains(where: { reads($0, copy.source) }) else {
      return false
    }
    parts.append(Part(buffer: copy.source, whole: copy.target, offset: run.target))
    return true
  }

  private func reads(_ index: Int, _ buffer: Int) -> Bool {
    builder.operations[index].inputs.contains { $0.flatMap { builder.buffer($0) } == buffer }
  }

  /// A buffer is an output and no input when something writes it.
  private func isOutputOnly(_ buffer: Int) -> Bool { writers[buffer] != nil }

  /// Not yet part of another buffer, nor made of parts.
  private func isFree(_ buffer: Int) -> Bool {
    writers[buffer] != nil && !parts.contains { $0.buffer == buffer || $0.whole == buffer }
  }

  /// A copy of a quantized feature map into some channels of another, where nothing else reads the map:
  /// its convolution writes those channels itself.
  private mutating func takesRows(_ index: Int) -> Bool {
    guard let copy = Copy(builder, index), let rows = copy.rows, isFree(copy.source),
      !fixed.contains(copy.source), readers[copy.source] == [index],
      let maker = writers[copy.source], maker.count == 1,
      let step = builder.operations[maker[0]].step.writing(rows)
    else { return false }
    // The map's channels are written before the copy would have, so nothing may clear them later.
    let fills = (writers[copy.target] ?? []).contains { Copy(builder, $0) == nil && $0 > maker[0] }
    guard !fills, let target = builder.operations[index].outputs.first ?? nil else { return false }
    // An operation may not read the memory it writes.
    let held = [copy.target] + parts.filter { $0.whole == copy.target }.map(\.buffer)
    guard !held.contains(where: { reads(maker[0], $0) }) else { return false }
    makers[copy.target, default: []].append(maker[0])
    builder.operations[maker[0]].step = step
    builder.operations[maker[0]].outputs = [target]
    return true
  }
}

/// A Move between two buffers.
private struct Copy {
  let source, target: Int
  private let move: wh_move

  init?(_ builder: PlanBuilder, _ index: Int) {
    let operation = builder.operations[index]
    guard case .move(let move) = operation.step, let from = operation.inputs.first ?? nil,
      let to = operation.outputs.first ?? nil, let source = builder.buffer(from),
      let target = builder.buffer(to)
    else { return nil }
    (self.source, self.target, self.move) = (source, target, move)
  }

  /// Source, target and length in bytes when both sides are one run.
  var block: (source: Int, target: Int, bytes: Int)? {
    guard move.rank == 1, move.source_strides.0 == 1, move.target_strides.0 == 1 else { return nil }
    let width = Int(move.element_size)
    return (
      Int(move.source_offset) * width, Int(move.target_offset) * width, Int(move.shape.0) * width
    )
  }

  /// Pixels of a dense source that stand at equal distances in the target, in elements.
  var rows: (pixels: Int, channels: Int, distance: Int, offset: Int)? {
    guard move.rank == 2, move.element_size == 1, move.source_offset == 0,
      move.source_strides.1 == 1, move.target_strides.1 == 1,
      move.source_strides.0 == Int64(move.shape.1), move.target_strides.0 >= Int64(move.shape.1)
    else { return nil }
    return (
      Int(move.shape.0), Int(move.shape.1), Int(move.target_strides.0), Int(move.target_offset)
    )
  }
}

extension PlanStep {
  /// The quantized convolution that writes its pixels at other places; nil for anything else.
  fileprivate func writing(
    _ rows: (pixels: Int, channels: Int, distance: Int, offset: Int)
  ) -> PlanStep? {
    func placed(_ value: wh_qconv) -> wh_qconv? {
      var conv = value
      let pixels = Int(conv.batch) * Int(conv.out.0) * Int(conv.out.1) * Int(conv.out.2)
      let channels = Int(conv.groups) * Int(conv.filters)
      guard conv.result == Int32(WH_RESULT_Q8), conv.y_offset == 0, conv.y_row == Int32(channels),
        rows.pixels == pixels, rows.channels == channels
      else { return nil }
      (conv.y_row, conv.y_offset) = (Int32(small: rows.distance), Int32(small: rows.offset))
      return conv
    }
    return switch self {
    case .qConv(let conv): placed(conv).map { .qConv($0) }
    case .qDepthwise(let conv): placed(conv).map { .qDepthwise($0) }
    default: nil
    }
  }
}
