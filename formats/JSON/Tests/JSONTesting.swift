import Testing
import WherryBytes
import WherryGraph
import WherryJSON
import WherryOperators

func encoded(
  _ model: Model, pretty: Bool = true, decimals: Int = 64
) throws -> [UInt8] {
  var options = WriteOptions()
  (options.isPretty, options.decimalElements) = (pretty, decimals)
  let sink = MemorySink()
  #expect(try JSONFormat.write(model, to: sink, options: options).isEmpty)
  return sink.bytes
}

func decoded(_ bytes: [UInt8], limits: Limits = .standard) throws(ReadFailure) -> Model {
  let source = ModelSource(Bytes(bytes), limits: limits, operators: OperatorSet.all)
  let reading = try JSONFormat.read(source)
  #expect(reading.losses.isEmpty)
  return reading.model
}

/// A document around the text of a graph.
func document(_ graph: String) -> [UInt8] {
  Array(#"{"format": "wherry-json", "version": 1, "graph": \#(graph)}"#.utf8)
}

/// What is wrong with a document.
func errors(_ bytes: [UInt8], limits: Limits = .standard) -> [DecodeError] {
  do {
    _ = try decoded(bytes, limits: limits)
    return []
  } catch {
    return error.errors
  }
}

func errors(graph: String) -> [DecodeError] { errors(document(graph)) }

/// The ways of writing that tests go through: pretty and compact, few and only decimals.
let writings = [(true, 64), (false, 64), (true, 0), (false, Int.max), (true, Int.max)]
