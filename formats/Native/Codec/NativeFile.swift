import CWherryABI
import WherryBytes
import WherryGraph
import WherryPasses

/// A native file laid out: every section but the weights in memory, the weights made as they are
/// written.
struct NativeFile {
  /// Bytes of weights from which on they begin on a page of their own.
  private static let pagedWeights = 1 << 20
  /// Bytes of a graph up to which searching it for repetitions is worth the time.
  private static let largestPacked = 1 << 20

  private(set) var losses: [Loss] = []
  private var sections: [(kind: SectionKind, version: UInt32, bytes: [UInt8])] = []
  private var store = WeightStore()
  private var plan: Plan?

  init(_ model: Model, _ options: WriteOptions) throws(EncodeError) {
    if let violation = model.violations.first {
      throw EncodeError(.invalid(violation.description), violation.place)
    }
    do throws(CompileError) {
      plan = try model.compiled(
        inputShapes: options.inputShapes, without: options.skippedPasses)
    } catch {
      let problems = error.problems
      losses += problems.map { Loss(.capability, "no plan: \($0.reason)", $0.place) }
    }
    if let plan {
      var offsets: [Int] = []
      for weight in plan.weights { offsets.append(store.add(weight)) }
      let section = try PlanEncoder.encode(plan, offsets: offsets)
      let refusal = PlanCheck.refusal(of: plan)
      if let refusal {
        losses.append(Loss(.capability, "no plan: \(refusal)"))
        (self.plan, store) = (nil, WeightStore())
      } else {
        sections.append((.plan, 1, section))
        if options.includesSelfTest { addTest(model, plan, options) }
      }
    }
    if !options.isPlanOnly {
      let graph = GraphEncoder.encode(model, &store)
      let packed = graph.count <= Self.largestPacked ? Repetitions.pack(graph) : graph
      if packed.count < graph.count {
        sections.insert((.graph, Container.packedVersion, packed), at: 0)
      } else {
        sections.insert((.graph, 1, graph), at: 0)
      }
    } else if self.plan == nil {
      throw EncodeError(.inexpressible("a plan: " + losses.map(\.what).joined(separator: "; ")))
    }
  }

  private mutating func addTest(_ model: Model, _ plan: Plan, _ options: WriteOptions) {
    switch SelfTest.section(model, plan, options) {
    case .success(let bytes): sections.append((.test, 1, bytes))
    case .failure(let reason): losses.append(Loss(.capability, "no self-test: \(reason.what)"))
    }
  }

  func write(to sink: any ByteSink) throws(FileError) {
    var records = ByteWriter()
    var end = Container.headerBytes + (sections.count + 1) * Container.recordBytes
    for (kind, version, bytes) in sections {
      let offset = Self.aligned(end, Int(WH_ALIGNMENT))
      end = offset + bytes.count
      Self.append(kind, version, offset, bytes.count, Digest(of: Bytes(bytes)), to: &records)
    }
    var digest = DigestStream()
    store.forEachRun { (run) throws(Never) in digest.add(run) }
    let alignment = Int(store.byteCount < Self.pagedWeights ? WH_ALIGNMENT : WH_PAGE)
    let weightsOffset = Self.aligned(end, alignment)
    end = weightsOffset + store.byteCount
    Self.append(.weights, 1, weightsOffset, store.byteCount, digest.finish(), to: &records)

    let start = sink.count
    try sink.append(header(records.bytes, sectionCount: sections.count + 1, fileBytes: end))
    try sink.append(records.bytes)
    for (_, _, bytes) in sections {
      try Self.pad(sink, from: start, to: Int(WH_ALIGNMENT))
      try sink.append(bytes)
    }
    try Self.pad(sink, from: start, to: alignment)
    try store.forEachRun { (run) throws(FileError) in try sink.append(run) }
  }

  private func header(_ records: [UInt8], sectionCount: Int, fileBytes: Int) -> [UInt8] {
    var header = wh_file_header()
    header.magic = WH_FILE_MAGIC
    header.major = UInt16(WH_FILE_MAJOR)
    header.minor = UInt16(WH_FILE_MINOR)
    header.section_count = UInt32(truncatingIfNeeded: sectionCount)
    header.file_bytes = UInt64(fileBytes)
    header.arena_bytes = UInt64(plan?.arenaBytes ?? 0)
    header.macs = UInt64(plan?.macs ?? 0)
    header.live_bytes = UInt64(plan?.liveBytes ?? 0)
    var writer = ByteWriter()
    writer.structure(header)
    var stream = DigestStream()
    stream.add(writer.bytes)
    stream.add(records)
    var bytes = writer.bytes
    bytes.replaceSubrange(Container.digestOffset..., with: stream.finish().bytes)
    return bytes
  }

  private static func append(
    _ kind: SectionKind, _ version: UInt32, _ offset: Int, _ size: Int, _ digest: Digest,
    to writer: inout ByteWriter
  ) {
    writer.integer(kind.code)
    writer.integer(version)
    writer.integer(UInt64(offset))
    writer.integer(UInt64(size))
    writer.integer(UInt64(0))
    writer.raw(digest.bytes)
  }

  private static func aligned(_ offset: Int, _ alignment: Int) -> Int {
    (offset + alignment - 1) / alignment * alignment
  }

  private static func pad(
    _ sink: any ByteSink, from start: Int, to alignment: Int
  ) throws(FileError) {
    let missing = aligned(sink.count - start, alignment) - (sink.count - start)
    if missing > 0 { try sink.append([UInt8](repeating: 0, count: missing)) }
  }
}
