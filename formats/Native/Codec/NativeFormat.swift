import CWherryABI
import CWherryKernels
import WherryBytes
import WherryGraph
import WherryOperators
import WherryPasses

/// The project's own format: the portable graph, the plan the runtime executes, weights that both use
/// where they lie, and vectors for a self-test.
///
/// - Source: formats/Native/README.md.
public enum NativeFormat: ModelFormat {
  public static let name = "native"
  public static let extensions = ["wherry"]
  public static let summary = "Wherry's own: graph, plan, weights used in place, self-test"

  public static func recognizes(_ bytes: Bytes) -> Bool {
    var reader = ByteReader(bytes)
    return (try? reader.integer(UInt64.self)) == WH_FILE_MAGIC
  }

  /// - Throws: `ReadFailure` when the container or the graph section breaks a rule, or there is
  ///   neither graph nor plan. Contents are not checked against their digests; see `verifyDigests`.
  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    let model: Model
    do throws(DecodeError) {
      let container = try Container(source.bytes, limits: source.limits)
      guard let graph = container.section(.graph) else {
        guard let plan = container.section(.plan) else {
          throw DecodeError(.missing("graph or plan"))
        }
        let summary = try PlanSummary(plan.bytes, origin: plan.offset)
        let loss = Loss(.capability, "the file holds a plan only: it runs, but its graph is gone")
        return Reading(summary.interface, losses: [loss])
      }
      let weights = container.section(.weights)?.bytes ?? Bytes()
      model = try decode(graph, weights: weights, source)
    } catch {
      throw ReadFailure(error)
    }
    let violations = model.violations
    guard violations.isEmpty else { throw ReadFailure(violations) }
    return Reading(model)
  }

  private static func decode(
    _ graph: Container.Section, weights: Bytes, _ source: ModelSource
  ) throws(DecodeError) -> Model {
    let isPacked = graph.version == Container.packedVersion
    let bytes =
      isPacked
      ? try Repetitions.unpack(graph.bytes, origin: graph.offset, limits: source.limits)
      : graph.bytes
    var decoder = GraphDecoder(
      bytes, origin: isPacked ? 0 : graph.offset, weights: weights, limits: source.limits,
      operators: source.operators)
    do throws(DecodeError) {
      return try decoder.model()
    } catch {
      guard isPacked, case .byte(let offset) = error.place.position else { throw error }
      let section = Place.byte(graph.offset).inside("unpacked byte", at: offset)
      throw DecodeError(
        error.reason, Place(section.position, road: section.road + error.place.road))
    }
  }

  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    let file = try NativeFile(model, options)
    do {
      try file.write(to: sink)
    } catch {
      throw EncodeError(.file(error))
    }
    return file.losses
  }

  /// A model as the bytes of a file, in memory.
  ///
  /// - Throws: `EncodeError` when the model breaks the graph's rules.
  public static func encode(
    _ model: Model, _ options: WriteOptions = WriteOptions()
  ) throws(EncodeError) -> (bytes: Bytes, losses: [Loss]) {
    let sink = MemorySink()
    let losses = try write(model, to: sink, options: options)
    return (Bytes(sink.bytes), losses)
  }

  /// Everything whose SHA-256 is not the one the file states; empty for an intact file.
  ///
  /// - Throws: `DecodeError` when the container itself can't be read.
  public static func verifyDigests(_ bytes: Bytes) throws(DecodeError) -> [DecodeError] {
    let container = try Container(bytes, limits: .standard)
    return container.sections.compactMap { section in
      let found = Digest(of: section.bytes)
      guard found != section.digest else { return nil }
      return DecodeError(
        .inconsistent("the digest of section \(section.name)"), .byte(section.offset))
    }
  }

  /// What a file's plan needs.
  public struct Facts: Sendable, Hashable {
    public let operations: Int
    /// Multiply-accumulates of one invocation.
    public let macs: Int
    /// Bytes of one session's tensors.
    public let arenaBytes: Int
    /// The largest sum of sizes of tensors needed at one time.
    public let liveBytes: Int
  }

  /// The figures of a file's plan; nil for a file without one and for bytes that are no native file.
  public static func facts(_ bytes: Bytes) -> Facts? {
    guard let container = try? Container(bytes, limits: .standard),
      let plan = container.section(.plan)
    else { return nil }
    var reader = ByteReader(plan.bytes)
    guard (try? reader.skip(8)) != nil, let operations = try? reader.integer(UInt32.self),
      (try? reader.seek(32)) != nil
    else { return nil }
    var figures: [Int] = []
    for _ in 0..<4 {
      guard let figure = try? reader.integer(UInt64.self), let value = Int(exactly: figure) else {
        return nil
      }
      figures.append(value)
    }
    return Facts(
      operations: Int(operations), macs: figures[2], arenaBytes: figures[0],
      liveBytes: figures[3])
  }
}
