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

  static func section(
    _ model: Model, _ plan: Plan, inputShapes: [String: [Int]]
  ) -> Result<[UInt8], Skipped> {
    guard plan.macs <= largestMACs else {
      return .failure(Skipped(what: "\(plan.macs) multiply-accumulates are too many to evaluate"))
    }
    var random = SplitMix(seed: 0x77_68_65_72_72_79)
    var inputs: [String: Value] = [:]
    var tensors: [Tensor] = []
    for index in plan.inputs {
      let record = plan.tensors[index]
      guard let name = record.name, let tensor = random.tensor(record.element, record.dims) else {
        return .failure(Skipped(what: "an input of \(record.element)"))
      }
      inputs[name] = .tensor(tensor)
      tensors.append(tensor)
    }
    do throws(RunError) {
      let outputs = try ReferenceEvaluator(model).run(inputs)
      for (output, index) in zip(model.graph.outputs, plan.outputs) {
        guard let tensor = outputs[output.name]?.tensor,
          tensor.bytes.count == plan.tensors[index].byteCount
        else { return .failure(Skipped(what: "output \"\(output.name)\" has another shape")) }
        tensors.append(tensor)
      }
    } catch {
      return .failure(Skipped(what: error.description))
    }
    return .success(encode(tensors))
  }

  private static func encode(_ tensors: [Tensor]) -> [UInt8] {
    var header = wh_test_header()
    (header.case_count, header.tensors_per_case) = (1, UInt32(truncatingIfNeeded: tensors.count))
    (header.relative, header.absolute) = (relative, absolute)
    var writer = ByteWriter()
    writer.structure(header)
    var offset = writer.count + tensors.count * MemoryLayout<wh_test_record>.size
    for tensor in tensors {
      offset = ArenaPlanner.aligned(offset)
      writer.structure(
        wh_test_record(offset: UInt64(offset), bytes: UInt64(tensor.bytes.count)))
      offset += tensor.bytes.count
    }
    for tensor in tensors {
      writer.pad(to: Int(WH_ALIGNMENT))
      writer.raw(tensor.bytes)
    }
    return writer.bytes
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
