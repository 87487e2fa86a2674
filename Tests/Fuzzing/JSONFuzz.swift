import WherryBytes
import WherryGraph
import WherryJSON
import WherryOperators

/// Reads any bytes as a JSON model. What is read must come back from its own document, and that
/// document must be the same when written again.
@_cdecl("LLVMFuzzerTestOneInput")
public func readOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Bytes(UnsafeBufferPointer(start: start, count: count))
  _ = JSONFormat.recognizes(bytes)
  var limits = Limits()
  limits.expandedBytes = 1 << 26
  let source = ModelSource(bytes, limits: limits, operators: OperatorSet.all)
  guard let model = try? JSONFormat.read(source).model else { return 0 }
  for isPretty in [true, false] {
    guard let text = write(model, isPretty: isPretty),
      let back = try? JSONFormat.read(ModelSource(Bytes(text), operators: OperatorSet.all)).model,
      write(back, isPretty: isPretty) == text
    else { fatalError("a model that was read does not come back") }
  }
  return 0
}

private func write(_ model: Model, isPretty: Bool) -> [UInt8]? {
  var options = WriteOptions()
  options.isPretty = isPretty
  let sink = MemorySink()
  guard (try? JSONFormat.write(model, to: sink, options: options)) != nil else { return nil }
  return sink.bytes
}
