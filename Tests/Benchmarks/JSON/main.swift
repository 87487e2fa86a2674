// Times reading and writing of JSON models on request, so that another program can take turns with it.
//
// Commands on standard input, one answer line each, in seconds (minimum of the given count):
//   make base64|floats|doubles ELEMENTS FILE   write a model with one large tensor
//   read COUNT FILE                            document in memory to model
//   write COUNT FILE DECIMALS [pretty]         model to document in memory
import Glibc
import WherryBytes
import WherryGraph
import WherryJSON
import WherryOperators

func seconds(_ count: Int, _ body: () throws -> Void) throws -> Double {
  var least = Double.infinity
  for _ in 0..<count {
    let start = ContinuousClock.now
    try body()
    let time = ContinuousClock.now - start
    least = min(
      least, Double(time.components.attoseconds) * 1e-18 + Double(time.components.seconds))
  }
  return least
}

/// Numbers as trained weights have them: small, both signs, all digits used.
func weights(_ count: Int) -> [Double] {
  var state: UInt64 = 42
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let unit = Double(state >> 11) / Double(1 << 53) - 0.5
    return unit * 0.2
  }
}

func read(_ bytes: Bytes) throws -> Model {
  try JSONFormat.read(ModelSource(bytes, operators: OperatorSet.all)).model
}

func write(_ model: Model, _ decimals: Int, _ pretty: Bool) throws -> MemorySink {
  var options = WriteOptions()
  (options.decimalElements, options.isPretty) = (decimals, pretty)
  let sink = MemorySink()
  _ = try JSONFormat.write(model, to: sink, options: options)
  return sink
}

while let line = readLine() {
  let words = line.split(separator: " ").map(String.init)
  switch words.first {
  case "make":
    let count = Int(words[2]) ?? 0
    let element: ElementType = words[1] == "doubles" ? .float64 : .float32
    guard let tensor = Tensor(element, [count], doubles: weights(count)) else { break }
    let model = Model(graph: Graph(initializers: [Initializer("w", tensor)]))
    let sink = try write(model, words[1] == "base64" ? 0 : .max, false)
    let file = try AtomicFile(words[3])
    try file.append(sink.bytes)
    try file.commit()
    print("made")
  case "read":
    let bytes = Bytes(try Bytes(mapping: words[2]).array)
    print(try seconds(Int(words[1]) ?? 1) { _ = try read(bytes) })
  case "write":
    let model = try read(try Bytes(mapping: words[2]))
    let decimals = Int(words[3]) ?? 64
    print(
      try seconds(Int(words[1]) ?? 1) { _ = try write(model, decimals, words.last == "pretty") })
  default: print("unknown command")
  }
  fflush(nil)
}
