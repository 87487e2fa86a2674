import CWherryABI
import WherryGraph

extension ArenaPlanner {
  /// The finished plan of what `builder` collected.
  static func plan(_ builder: PlanBuilder, inputs: [Int], outputs: [Int]) -> Plan {
    let parts =
      builder.runs(.concatenateByOffset)
      ? ConcatenateByOffset(builder, interface: inputs + outputs).parts : []
    var liveness = Liveness(builder, inputs: inputs, outputs: outputs)
    for part in parts { liveness.join(part) }
    if builder.runs(.writeInPlace) { liveness.shareInPlace() }
    let planner = ArenaPlanner(liveness.needs, operationCount: builder.operations.count)
    let layout = planner.layout()
    var used: [Int: Int] = [:]
    var plan = Plan(
      tensors: [], operations: [], inputs: [], outputs: [], weights: [],
      arenaBytes: layout.bytes, liveBytes: planner.bound, macs: builder.macs,
      changes: builder.changes)
    var renumbered: [Int: Int] = [:]

    func tensor(_ old: Int) -> Int {
      if let known = renumbered[old] { return known }
      let draft = builder.tensors[old]
      let place: PlanTensor.Place
      switch draft.home {
      case .buffer(let buffer):
        let (root, offset) = liveness.root(buffer)
        place = .arena(layout.offsets[root] + offset)
      case .weight(let weight):
        if used[weight] == nil {
          used[weight] = plan.weights.count
          plan.weights.append(builder.weights[weight])
        }
        place = .weights(used[weight] ?? 0)
      }
      plan.tensors.append(
        PlanTensor(
          element: draft.element, dims: draft.dims, place: place, name: draft.name,
          labels: draft.labels, isQ8: draft.isQ8, quantization: draft.quantization))
      renumbered[old] = plan.tensors.count - 1
      return plan.tensors.count - 1
    }

    plan.inputs = inputs.map(tensor)
    for operation in builder.operations {
      var operation = operation
      operation.inputs = operation.inputs.map { $0.map(tensor) }
      operation.outputs = operation.outputs.map { $0.map(tensor) }
      operation.scratch = operation.scratch.map(tensor)
      plan.operations.append(operation)
    }
    plan.outputs = outputs.map(tensor)
    return plan
  }
}

/// From which operation to which each buffer is needed, and which buffers are one.
private struct Liveness {
  private let builder: PlanBuilder
  private(set) var needs: [ArenaPlanner.Need]
  private var parent: [(buffer: Int, offset: Int)]
  private let kept: Set<Int>

  init(_ builder: PlanBuilder, inputs: [Int], outputs: [Int]) {
    self.builder = builder
    let unused = ArenaPlanner.Need(bytes: 0, first: .max, last: -1)
    needs = Array(repeating: unused, count: builder.bufferCount)
    parent = (0..<builder.bufferCount).map { ($0, 0) }
    kept = Set((inputs + outputs).compactMap { builder.buffer($0) })
    let end = builder.operations.count
    for (index, operation) in builder.operations.enumerated() {
      for case let tensor? in operation.inputs + operation.outputs + [operation.scratch] {
        touch(tensor, index)
      }
    }
    for tensor in inputs { touch(tensor, -1) }
    for tensor in outputs { touch(tensor, end) }
    for index in needs.indices where needs[index].last < needs[index].first {
      needs[index] = ArenaPlanner.Need(bytes: 0, first: 0, last: 0)
    }
  }

  private mutating func touch(_ tensor: Int, _ time: Int) {
    guard let buffer = builder.buffer(tensor) else { return }
    let bytes = ArenaPlanner.aligned(builder.tensors[tensor].byteCount)
    needs[buffer].bytes = max(needs[buffer].bytes, bytes)
    needs[buffer].first = min(needs[buffer].first, time)
    needs[buffer].last = max(needs[buffer].last, time)
  }

  /// The buffer whose memory `buffer` is in, and how many bytes from its beginning.
  func root(_ buffer: Int) -> (buffer: Int, offset: Int) {
    var (at, offset) = (buffer, 0)
    while parent[at].buffer != at {
      offset += parent[at].offset
      at = parent[at].buffer
    }
    return (at, offset)
  }

  /// Makes a buffer a part of another.
  mutating func join(_ part: ConcatenateByOffset.Part) {
    let whole = root(part.whole)
    parent[part.buffer] = (whole.buffer, whole.offset + part.offset)
    needs[whole.buffer].first = min(needs[whole.buffer].first, needs[part.buffer].first)
    needs[whole.buffer].last = max(needs[whole.buffer].last, needs[part.buffer].last)
    needs[part.buffer] = ArenaPlanner.Need(bytes: 0, first: 0, last: 0)
  }

  /// Lets an operation write over an input that nobody needs any more, where its kernel allows it.
  mutating func shareInPlace() {
    var writerCounts = [Int](repeating: 0, count: parent.count)
    for operation in builder.operations {
      for case let tensor? in operation.outputs {
        if let buffer = builder.buffer(tensor) { writerCounts[buffer] += 1 }
      }
    }
    for (index, operation) in builder.operations.enumerated() {
      guard operation.outputs.count == 1, let output = operation.outputs[0],
        let target = builder.buffer(output), writerCounts[target] == 1,
        root(target).buffer == target,
        needs[target].first == index
      else { continue }
      for position in operation.step.overwritable where position < operation.inputs.count {
        guard let input = operation.inputs[position], let buffer = builder.buffer(input) else {
          continue
        }
        let (source, offset) = root(buffer)
        let sameElement =
          builder.tensors[input].element.width == builder.tensors[output].element.width
        // Another operand in the same memory would be overwritten while it is read.
        let isOnlyOperand = !operation.inputs.enumerated().contains { other, tensor in
          other != position
            && tensor.flatMap { builder.buffer($0) }.map { root($0).buffer } == source
        }
        guard source != target, offset == 0, sameElement, isOnlyOperand,
          needs[source].last == index,
          needs[source].bytes == needs[target].bytes
        else { continue }
        builder.count(.writeInPlace)
        parent[target] = (source, 0)
        needs[source].last = needs[target].last
        needs[target] = ArenaPlanner.Need(bytes: 0, first: 0, last: 0)
        break
      }
    }
  }
}

extension PlanStep {
  /// Inputs whose memory the output may take.
  fileprivate var overwritable: [Int] {
    switch self {
    case .unary, .softmax, .scatterElements, .cast, .qLookup, .qSoftmax: [0]
    case .conv, .depthwise, .matmul: [3]
    case .qConv, .qDepthwise: [2]
    case .qBinary(let binary): Self.denseSides(binary)
    case .binary(let binary): Self.denseSides(binary)
    default: []
    }
  }

  /// The operands that a binary operation reads exactly where it writes.
  private static func denseSides(_ binary: wh_binary) -> [Int] {
    denseSides(Int(binary.rank), binary.shape, binary.a_strides, binary.b_strides)
  }

  private static func denseSides(_ binary: wh_qbinary) -> [Int] {
    denseSides(Int(binary.rank), binary.shape, binary.a_strides, binary.b_strides)
  }

  private static func denseSides(
    _ rank: Int, _ shape: CArray.Eight<Int32>, _ a: CArray.Eight<Int64>, _ b: CArray.Eight<Int64>
  ) -> [Int] {
    let extents = withUnsafeBytes(of: shape) {
      $0.bindMemory(to: Int32.self).prefix(rank).map { Int($0) }
    }
    let dense = StridedLoop.dense(extents)
    let sides = [a, b].map { strides in
      withUnsafeBytes(of: strides) {
        $0.bindMemory(to: Int64.self).prefix(rank).map { Int($0) }
      }
    }
    return sides.indices.filter { sides[$0] == dense }
  }
}
