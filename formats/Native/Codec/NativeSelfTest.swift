import CWherryABI
import WherryBytes
import WherryGraph
import WherryPasses

/// The self-test section: one case of seeded inputs with the outputs that the model's definition gives.
enum SelfTest {
  struct Skipped: Error { let what: String }

  /// Multiply-accumulates up to which the slow definition is worth its time.
  static let largestMACs = 100_000_000
  static let relative: Float = 1e-3
  static let absolute: Float = 1e-4

  /// Bytes of an output from which on a sum stands for it, if the plan's arithmetic is exact.
  static let largestExactOutput = 256

  /// Elements of an output of which no more than this are stored.
  static let mostElements = 1024

  /// A tensor of the case: its data, or the number that stands for them.
  private enum Part {
    case data(Bytes)
    case number(UInt64)
  }

  static func section(
    _ model: Model, _ plan: Plan, _ options: WriteOptions
  ) -> Result<[UInt8], Skipped> {
    guard plan.macs <= largestMACs else {
      return .failure(Skipped(what: "\(plan.macs) multiply-accumulates are too many to evaluate"))
    }
    var random = SplitMix(seed: firstSeed)
    var inputs: [String: Value] = [:]
    var parts: [Part] = []
    for (position, index) in plan.inputs.enumerated() {
      let record = plan.tensors[index]
      let seed = firstSeed + UInt64(position)
      let isGenerated = TestNumbers.isGenerated(record.element)
      let tensor =
        isGenerated
        ? TestNumbers.tensor(record.element, record.dims, seed: seed)
        : random.tensor(record.element, record.dims)
      guard let name = record.name, let tensor else {
        return .failure(Skipped(what: "an input of \(record.element)"))
      }
      inputs[name] = .tensor(tensor)
      parts.append(isGenerated && !tensor.bytes.isEmpty ? .number(seed) : .data(tensor.bytes))
    }
    let isExact = plan.operations.allSatisfy { $0.step.isExact }
    let isInteger = plan.operations.contains { $0.step.isEightBit }
    do throws(RunError) {
      let outputs = try ReferenceEvaluator(isInteger ? compiled(model, options) : model).run(inputs)
      for (output, index) in zip(model.graph.outputs, plan.outputs) {
        guard let bytes = outputs[output.name]?.tensor?.bytes,
          bytes.count == plan.tensors[index].byteCount
        else { return .failure(Skipped(what: "output \"\(output.name)\" has another shape")) }
        let isLarge = bytes.count > largestExactOutput
        let size = plan.tensors[index].element.bitWidth / 8
        parts.append(
          isExact && isLarge ? .number(TestNumbers.sum(bytes)) : .data(bytes.sampled(size: size)))
      }
    } catch {
      return .failure(Skipped(what: error.description))
    }
    return .success(encode(parts))
  }

  private static let firstSeed: UInt64 = 0x77_68_65_72_72_79

  /// The graph whose operators are the plan's: what 8-bit operators give is what they define, not what the float
  /// operators around a quantization do.
  private static func compiled(_ model: Model, _ options: WriteOptions) -> Model {
    let prepared = try? model.prepared(
      inputShapes: options.inputShapes, without: options.skippedPasses)
    return prepared ?? model
  }

  private static func encode(_ parts: [Part]) -> [UInt8] {
    var header = wh_test_header()
    (header.case_count, header.tensors_per_case) = (1, UInt32(truncatingIfNeeded: parts.count))
    (header.relative, header.absolute) = (relative, absolute)
    var writer = ByteWriter()
    writer.structure(header)
    var offset = writer.count + parts.count * MemoryLayout<wh_test_record>.size
    for part in parts {
      switch part {
      case .number(let number): writer.structure(wh_test_record(offset: number, bytes: 0))
      case .data(let bytes):
        offset = ArenaPlanner.aligned(offset)
        writer.structure(wh_test_record(offset: UInt64(offset), bytes: UInt64(bytes.count)))
        offset += bytes.count
      }
    }
    for case .data(let bytes) in parts {
      writer.pad(to: Int(WH_ALIGNMENT))
      writer.raw(bytes)
    }
    return writer.bytes
  }
}

extension Bytes {
  /// At most about a thousand elements of `size` bytes, at equal, odd distances, so that every column of a
  /// matrix has its turn.
  fileprivate func sampled(size: Int) -> Bytes {
    let elements = count / max(size, 1)
    var step = elements / SelfTest.mostElements | 1
    // As many elements as give the reader the same distance.
    while step > 1, elements / (elements / step) != step { step += 2 }
    guard elements > SelfTest.mostElements, step > 1 else { return self }
    var result: [UInt8] = []
    for index in 0..<elements / step {
      for at in 0..<size { result.append(byte(index * step * size + at) ?? 0) }
    }
    return Bytes(result)
  }
}

extension PlanStep {
  /// Whether it computes on 8-bit values, by the specified arithmetic.
  fileprivate var isEightBit: Bool {
    switch self {
    case .qConv, .qDepthwise, .qBinary, .qLookup, .qPool, .qSoftmax, .qMatMul, .qResize, .qLSTM,
      .qGRU:
      true
    default: false
    }
  }

  /// Whether every processor gives the bytes that the reference evaluator gives.
  fileprivate var isExact: Bool {
    switch self {
    case .move, .fill, .cast, .gather, .quantize, .dequantize: true
    default: isEightBit
    }
  }
}

extension SplitMix {
  /// Floats of -1 ..< 1, integers of 0 ... 3, truth values of 0 and 1.
  mutating func tensor(_ element: ElementType, _ shape: [Int]) -> Tensor? {
    guard let count = Checked.product(shape) else { return nil }
    if element.isFloat {
      return Tensor(element, shape, doubles: (0..<count).map { _ in Double(unit()) })
    }
    let limit = element == .bool ? 2 : 4
    return Tensor(element, shape, integers: (0..<count).map { _ in Int64(below(limit)) })
  }
}
