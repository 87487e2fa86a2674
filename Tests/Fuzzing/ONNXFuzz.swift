import WherryBytes
import WherryGraph
import WherryONNX
import WherryOperators

/// Any bytes are either refused, or a model that is the same after writing without losses.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  var limits = Limits.standard
  limits.expandedBytes = 64 << 20
  let bytes = Bytes(UnsafeBufferPointer(start: data, count: count))
  let source = ModelSource(bytes, limits: limits, operators: OperatorSet.all)
  guard let first = try? ONNXFormat.read(source) else { return 0 }
  let sink = MemorySink()
  let losses = try? ONNXFormat.write(first.model, to: sink, options: WriteOptions())
  guard losses == [] else { return 0 }
  let again = ModelSource(Bytes(sink.bytes), limits: limits, operators: OperatorSet.all)
  guard let second = try? ONNXFormat.read(again), second.model == first.model else {
    fatalError("a model that was read is another one after writing")
  }
  return 0
}
