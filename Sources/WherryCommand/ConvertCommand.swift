import ArgumentParser
import Glibc
import Wherry
import WherryBytes
import WherryGraph

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract:
      "Convert a model to another format and list everything that could not be carried over.",
    discussion: """
      wherry convert model.onnx model.wherry
      wherry convert model.onnx model.json --strict
      wherry convert model.onnx small.wherry --plan-only --shape image=1,3,224,224
      """)

  @Argument(help: "The model to read.", completion: .file())
  var input: String
  @Argument(help: "The file to write.", completion: .file())
  var output: String
  @OptionGroup var reading: InputOptions
  @Option(help: "Format of the output, if not that of the file name's ending.")
  var to: FormatName?
  @Flag(help: "Make any loss an error and write nothing.")
  var strict = false
  @Flag(help: "Read the result back, run both models on the same inputs and compare.")
  var verify = false
  @Option(help: "ONNX operator set to write; by default the one the model came with.")
  var opset: Int64?
  @Option(
    name: .customLong("external-data"),
    help: "ONNX: put tensors of at least this many bytes into a second file beside the model.")
  var externalData: Int?
  @Option(help: "JSON: write tensors of at most this many elements as decimals, others as base64.")
  var decimals = 64
  @Flag(help: "JSON: no line breaks.")
  var compact = false
  @Flag(help: "Native: keep only what the runtime needs, without the portable graph.")
  var planOnly = false
  @Flag(help: "Native: leave out the self-test's inputs and outputs, for the smallest file.")
  var noSelfTest = false
  @OptionGroup var shapes: ShapeOptions
  @OptionGroup var bounds: BoundOptions
  @OptionGroup var json: JSONOption

  private struct Result: Encodable {
    var input, output, from, to: String
    var inputBytes: Int
    var losses: [LossReport]
    var comparisons: [ComparisonReport]?
  }

  /// Has freed blocks of a megabyte or more go back to the system at once, instead of leaving gaps
  /// between those that are kept.
  private static func returnLargeBlocks() {
    typealias Option = @convention(c) (Int32, Int32) -> Int32
    // Swift's view of the C library leaves `mallopt` out; -3 is its M_MMAP_THRESHOLD.
    guard let option = dlsym(nil, "mallopt") else { return }
    _ = unsafeBitCast(option, to: Option.self)(-3, 1 << 20)
  }

  func run() throws {
    Self.returnLargeBlocks()
    try reporting {
      guard let format = to?.format ?? Formats.ofPath(output) else {
        throw ValidationError("The ending of \(output) names no format; use --to.")
      }
      let file = try reading.read(input)
      if strict, let loss = file.losses.first {
        throw EncodeError(.loss(loss.what), loss.place)
      }
      var options = WriteOptions()
      (options.opset, options.externalDataThreshold) = (opset, externalData)
      (options.decimalElements, options.isPretty) = (decimals, !compact)
      (options.isPlanOnly, options.inputShapes) = (planOnly, shapes.byName)
      options.includesSelfTest = !noSelfTest
      let losses = try progressing("writing \(output)") {
        try file.model.write(to: output, as: format, options: options, isStrict: strict)
      }
      let all = file.losses + losses
      let comparisons = verify ? try compare(file, with: ModelFile(output, as: format)) : nil
      if json.isJSON, output != "-" {
        try Report.json(
          Result(
            input: input, output: output, from: file.format.name, to: format.name,
            inputBytes: file.bytes.count, losses: all.map(LossReport.init), comparisons: comparisons
          ))
      } else {
        for loss in all { Report.note("loss: \(loss)") }
        for comparison in comparisons ?? [] { Report.note(comparison.line) }
      }
      if comparisons?.contains(where: { !$0.isEqual }) == true { throw Exit.failed }
    }
  }

  /// Outputs of the source in the reference evaluator against those of the result.
  private func compare(_ file: ModelFile, with result: ModelFile) throws -> [ComparisonReport] {
    let inputs = try SampleData.inputs(of: file.model, shapes: shapes.byName)
    let extents = inputs.mapValues(\.shape)
    let expected = try Execution(file, engine: .reference, shapes: extents).run(inputs)
    let actual = try Execution(result, engine: nil, shapes: extents).run(inputs)
    return Comparison.all(actual, expected, bounds: bounds.bounds).map(ComparisonReport.init)
  }
}

struct LossReport: Encodable {
  var kind, what, place: String

  init(_ loss: Loss) {
    (kind, what, place) = (loss.kind.rawValue, loss.what, loss.place.description)
  }
}

struct ComparisonReport: Encodable {
  var name: String
  var isEqual: Bool
  var count, differing: Int
  var largestAbsolute, largestRelative: Double
  var mismatch: String?

  init(_ comparison: Comparison) {
    (name, isEqual, count) = (comparison.name, comparison.isEqual, comparison.count)
    (differing, mismatch) = (comparison.differing, comparison.mismatch)
    (largestAbsolute, largestRelative) = (comparison.largestAbsolute, comparison.largestRelative)
  }

  var line: String {
    if let mismatch { return "\(name): \(mismatch)" }
    return "\(name): \(isEqual ? "equal" : "\(differing) of \(count) differ"), largest difference "
      + "\(largestAbsolute) absolute, \(largestRelative) relative"
  }
}
