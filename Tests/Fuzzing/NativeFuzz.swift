import CWherryKernels
import WherryBytes
import WherryGraph
import WherryNative
import WherryOperators

/// Any bytes, with the header's digest made right so that mutations get past it, are either refused,
/// or a model that is the same after writing.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  var limits = Limits.standard
  limits.expandedBytes = 64 << 20
  let bytes = Bytes(sealed(Array(UnsafeBufferPointer(start: data, count: count))))
  _ = NativeFormat.plan(bytes)
  let source = ModelSource(bytes, limits: limits, operators: OperatorSet.all)
  guard let first = try? NativeFormat.read(source), first.losses.isEmpty else { return 0 }
  // Compiling a plan is another component's work, with costs of its own: only the graph is written.
  var options = WriteOptions()
  options.inputShapes = Dictionary(
    first.model.graph.inputs.map { ($0.name, [-1]) }, uniquingKeysWith: { a, _ in a })
  let sink = MemorySink()
  guard (try? NativeFormat.write(first.model, to: sink, options: options)) != nil else { return 0 }
  let again = ModelSource(Bytes(sink.bytes), limits: limits, operators: OperatorSet.all)
  guard let second = try? NativeFormat.read(again), second.model == first.model else {
    fatalError("a model that was read is another one after writing")
  }
  return 0
}

/// The file with the digest of its header and section table recomputed, as far as they are there.
private func sealed(_ file: [UInt8]) -> [UInt8] {
  var file = file
  guard file.count >= 128 else { return file }
  let sections = Int(file[12])
  let end = 128 + 64 * sections
  guard file.count >= end else { return file }
  for index in 96..<128 { file[index] = 0 }
  var hash = wh_sha256()
  var digest = [UInt8](repeating: 0, count: 32)
  wh_sha256_begin(&hash)
  wh_sha256_add(&hash, file, end)
  wh_sha256_end(&hash, &digest)
  file.replaceSubrange(96..<128, with: digest)
  return file
}
