import ArgumentParser
import FoundationEssentials
import Glibc
import Wherry
import WherryBytes
import WherryData
import WherryGraph
import WherryPasses

struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Quantize a model to int8 and report what that does to every layer.",
    discussion: """
      wherry quantize model.onnx small.onnx --calibrate images.npy
      wherry quantize model.onnx small.wherry --calibrate photos/ --mean 128 --std 64
      wherry quantize model.onnx small.onnx --calibrate x.npy --labels y.npy --max-drop 0.5
      wherry quantize model.onnx small.onnx --weights-only

      Exit code 1, and no file, when --max-drop can't be reached.
      """)

  @Argument(help: "The float model.", completion: .file())
  var input: String
  @Argument(help: "The file to write.", completion: .file())
  var output: String
  @OptionGroup var reading: InputOptions
  @Option(help: "Format of the output, if not that of the file name's ending.")
  var to: FormatName?
  @OptionGroup var calibration: CalibrationOptions
  @Flag(help: "Quantize weights only; needs no data.")
  var weightsOnly = false
  @Flag(help: "Quantize weights, and activations at every run by their own range; needs no data.")
  var dynamic = false
  @Option(help: "How ranges are chosen.")
  var method: CalibrationMethod = .auto
  @Option(help: "Share of values inside the range, in percent, with --method percentile.")
  var percentile = 99.99
  @Option(help: "Type of the model's inputs and outputs.")
  var io: InterfaceType = .float
  @Option(help: "Scale channels between layers so that their ranges are alike.")
  var equalize: Correction = .auto
  @Option(name: .customLong("correct-bias"), help: "Take mean errors of channels out of biases.")
  var correctBias: Correction = .auto
  @Option(name: .customLong("round-weights"), help: "Round weights by the inputs they meet.")
  var roundWeights: Correction = .auto
  @Option(parsing: .upToNextOption, help: "Layers that stay float, by name.")
  var exclude: [String] = []
  @OptionGroup var bound: BoundArguments
  @Option(
    name: .customLong("report-samples"),
    help: "Samples that errors are measured on, at most; by default 64, fewer for large models.")
  var reportSamples: Int?
  @OptionGroup var shapes: ShapeOptions
  @OptionGroup var json: JSONOption

  func validate() throws {
    guard !(weightsOnly && dynamic) else {
      throw ValidationError("--weights-only and --dynamic exclude each other.")
    }
    guard weightsOnly || dynamic || !calibration.calibrate.isEmpty else {
      throw ValidationError("No data: give --calibrate, --weights-only or --dynamic.")
    }
    guard percentile > 0, percentile <= 100 else {
      throw ValidationError("--percentile is above 0 and at most 100.")
    }
    guard reportSamples ?? 1 > 0 else { throw ValidationError("--report-samples is at least 1.") }
    if weightsOnly || dynamic, bound.isGiven || io != .float {
      throw ValidationError("--max-drop, --labels and --io need scales from --calibrate alone.")
    }
  }

  func run() throws {
    try reporting {
      guard let format = to?.format ?? Formats.ofPath(output) else {
        throw ValidationError("The ending of \(output) names no format; use --to.")
      }
      let file = try reading.read(input)
      if QuantizationPreparation.isComplete(file.model) {
        Report.note("note: the model is quantized already; it is written as it is")
        for loss in file.losses + (try file.model.write(to: output, as: format)) {
          Report.note("loss: \(loss)")
        }
        return
      }
      let stage = StageLine()
      defer { stage.clear() }
      let (model, report) = try quantize(file.model, stage)
      stage.clear()
      if let bound = report.bound, !bound.isReached {
        Report.note(
          "error: \(bound.metric) stays at \(bound.value), beyond \(bound.limit), with "
            + "\(bound.kept.count) layers kept float; nothing is written")
        if json.isJSON { try Report.json(report) }
        throw Exit.failed
      }
      for loss in file.losses + (try model.write(to: output, as: format)) {
        Report.note("loss: \(loss)")
      }
      guard output != "-" else { return }
      json.isJSON ? try Report.json(report) : QuantizationTable.show(report)
    }
  }

  private func quantize(
    _ model: Model, _ stage: StageLine
  ) throws -> (Model, QuantizationReport) {
    var options = QuantizationOptions()
    options.mode = weightsOnly ? .weightsOnly : dynamic ? .dynamic : .full
    (options.method, options.percentile, options.interface) = (method, percentile, io)
    (options.equalization, options.biasCorrection) = (equalize, correctBias)
    options.weightRounding = roundWeights
    options.excluded = Set(exclude)
    let engine = QuantizationEngine(shapes: shapes.byName)
    let isGiven = !calibration.calibrate.isEmpty
    let samples = isGiven ? try calibration.read(for: model, shapes: shapes.byName) : nil
    guard options.mode == .full, let samples else {
      let dataless = try DatalessQuantization(
        model, options, samples: samples, engine: engine, progress: stage.show)
      return (dataless.model, dataless.report)
    }
    let labels = try bound.readLabels(count: samples.count)
    var quantization = try Quantization(model, options, engine: engine, progress: stage.show)
    try quantization.calibrate(samples)
    var report = try quantization.measure(samples, most: reportSamples)
    if let limit = bound.bound {
      let result = try quantization.hold(
        limit, samples, labels: labels, most: reportSamples, order: report.layers)
      if !result.kept.isEmpty { report = try quantization.measure(samples, most: reportSamples) }
      report.bound = result
    }
    if let labels { report.accuracy = try quantization.accuracy(samples, labels: labels) }
    return (try quantization.quantized(), report)
  }
}

/// What a quantized model has to hold.
struct BoundArguments: ParsableArguments {
  @Option(
    name: .customLong("max-drop"),
    help: """
      Keep the worst layers float until the metric is within this: points of accuracy lost, dB of SQNR \
      at least, or absolute difference at most.
      """)
  var maxDrop: Double?
  @Option(help: "What --max-drop bounds; by default accuracy with --labels, else sqnr.")
  var metric: QuantizationBound.Metric?
  @Option(help: "Right answers as npy or text, one a sample: positions in the first output.")
  var labels: String?

  var isGiven: Bool { maxDrop != nil || labels != nil || metric != nil }

  var bound: QuantizationBound? {
    maxDrop.map { QuantizationBound(metric ?? (labels == nil ? .sqnr : .accuracy), $0) }
  }

  func validate() throws {
    if let maxDrop, !maxDrop.isFinite || maxDrop < 0 {
      throw ValidationError("--max-drop is a number of at least 0.")
    }
    if metric != nil, maxDrop == nil { throw ValidationError("--metric needs --max-drop.") }
  }

  /// - Throws: when there isn't one label a sample.
  func readLabels(count: Int) throws -> [Int]? {
    guard let labels else { return nil }
    let bytes = try Bytes(mapping: labels)
    var numbers: [Int] = []
    if Npy.recognizes(bytes) {
      let tensor = try Npy.read(bytes)
      guard tensor.element.isInteger else {
        throw DecodeError(.invalid("labels of type \(tensor.element)"))
      }
      numbers = tensor.integers.map { Int($0) }
    } else {
      guard let text = bytes.text else { throw DecodeError(.notUTF8) }
      for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() {
        guard let number = Int(line.filter { $0 != " " }) else {
          throw DecodeError(
            .invalid("\"\(line.prefix(40))\" is not an integer"), .line(index + 1, column: 1))
        }
        numbers.append(number)
      }
    }
    guard numbers.count == count else {
      throw DecodeError(.inconsistent("\(numbers.count) labels for \(count) samples"))
    }
    return numbers
  }
}

extension CalibrationMethod: ExpressibleByArgument {}
extension InterfaceType: ExpressibleByArgument {}
extension Correction: ExpressibleByArgument {}
extension QuantizationBound.Metric: ExpressibleByArgument {}
