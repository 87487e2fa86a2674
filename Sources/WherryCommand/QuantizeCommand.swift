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
      """)

  @Argument(help: "The float model.", completion: .file())
  var input: String
  @Argument(help: "The file to write.", completion: .file())
  var output: String
  @OptionGroup var reading: InputOptions
  @Option(help: "Format of the output, if not that of the file name's ending.")
  var to: FormatName?
  @OptionGroup var calibration: CalibrationOptions
  @Option(help: "How ranges are chosen.")
  var method: CalibrationMethod = .auto
  @Option(help: "Share of values inside the range, in percent, with --method percentile.")
  var percentile = 99.99
  @Option(help: "Type of the model's inputs and outputs: float, int8, uint8.")
  var io: InterfaceType = .float
  @Option(help: "Scale channels between layers so that their ranges are alike.")
  var equalize: Correction = .auto
  @Option(name: .customLong("correct-bias"), help: "Take mean errors of channels out of biases.")
  var correctBias: Correction = .auto
  @Option(
    parsing: .upToNextOption, help: "Layers that stay float, by name.")
  var exclude: [String] = []
  @OptionGroup var shapes: ShapeOptions
  @OptionGroup var json: JSONOption

  func run() throws {
    try reporting {
      guard let format = to?.format ?? Formats.ofPath(output) else {
        throw ValidationError("The ending of \(output) names no format; use --to.")
      }
      let file = try reading.read(input)
      let samples = try calibration.read(for: file.model, shapes: shapes.byName)
      let stage = StageLine()
      defer { stage.clear() }
      var options = QuantizationOptions()
      (options.method, options.percentile, options.interface) = (method, percentile, io)
      (options.equalization, options.biasCorrection) = (equalize, correctBias)
      options.excluded = Set(exclude)
      var quantization = try Quantization(
        file.model, options, engine: QuantizationEngine(shapes: shapes.byName),
        progress: stage.show)
      try quantization.calibrate(samples)
      let report = try quantization.measure(samples)
      let model = try quantization.quantized()
      stage.clear()
      let losses = try model.write(to: output, as: format)
      for loss in file.losses + losses { Report.note("loss: \(loss)") }
      if json.isJSON, output != "-" {
        try Report.json(report)
      } else if output != "-" {
        show(report)
      }
    }
  }

  private func show(_ report: QuantizationReport) {
    Report.line("ranges by \(report.method) over \(report.samples) samples")
    for note in report.notes { Report.line(note) }
    Report.line("layers, worst first: SQNR alone and within the model in dB, cosine, saturation")
    for layer in report.layers {
      Report.line(
        "  \(Report.rounded(layer.sqnr, 1)) \(Report.rounded(layer.accumulated, 1)) "
          + "\(Report.rounded(layer.cosine, 5)) \(Report.rounded(layer.saturation * 100, 3)) % "
          + "\(layer.op) \(layer.name)")
    }
    for layer in report.floatLayers {
      Report.line("  float: \(layer.op) \(layer.name): \(layer.reason)")
    }
    for output in report.outputs {
      Report.line(
        "output \(output.name): SQNR \(Report.rounded(output.sqnr, 1)) dB, cosine "
          + "\(Report.rounded(output.cosine, 5)), largest difference \(output.largest)")
    }
  }
}

/// Where calibration samples come from.
struct CalibrationOptions: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: """
      Samples as FILE, NAME=FILE or a folder: npy, npz, csv, jsonl, png, pgm, ppm, raw; several along \
      the first axis or one a file.
      """)
  var calibrate: [String] = []
  @Flag(help: "Convert data of another element type than the input's.")
  var cast = false
  @Option(
    parsing: .upToNextOption, help: "Images: subtracted from (pixel * scale), one or one a channel."
  )
  var mean: [Double] = [0]
  @Option(parsing: .upToNextOption, help: "Images: divides after that, one or one a channel.")
  var std: [Double] = [1]
  @Option(help: "Images: multiplies pixels of 0 to 255.")
  var scale = 1.0

  func read(for model: Model, shapes: [String: [Int]]) throws -> SampleSet {
    let images = ImageScaling(scale: scale, mean: mean, deviation: std)
    var samples = SampleSet(model, shapes: shapes, isCasting: cast, images: images)
    for argument in calibrate {
      let (name, path) = split(argument, model)
      for file in try files(path) {
        let bytes = file == "-" ? try Bytes(reading: 0) : try Bytes(mapping: file)
        do {
          try samples.add(bytes, path: file, input: name)
        } catch {
          Report.note("error: \(file): \(error)")
          throw Exit.badData
        }
      }
    }
    try samples.check()
    return samples
  }

  private func split(_ argument: String, _ model: Model) -> (String?, String) {
    for input in model.graph.inputs where argument.hasPrefix(input.name + "=") {
      return (input.name, String(argument.dropFirst(input.name.count + 1)))
    }
    return (nil, argument)
  }

  /// The file, or what a folder holds, in the order of names.
  private func files(_ path: String) throws -> [String] {
    var status = stat()
    guard path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return [path]
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    return names.filter { !$0.hasPrefix(".") }.sorted().map { "\(path)/\($0)" }
  }
}

/// What is going on, on one line of a terminal, once it takes longer than a second.
final class StageLine {
  private let start = ContinuousClock.now
  private let isTerminal = isatty(2) == 1
  private var isShown = false

  func show(_ text: String) {
    guard isTerminal, start.duration(to: .now) > .seconds(1) else { return }
    Report.raw("\r\u{1B}[K\(text)")
    isShown = true
  }

  func clear() {
    if isShown { Report.raw("\r\u{1B}[K") }
    isShown = false
  }
}

extension CalibrationMethod: ExpressibleByArgument {}
extension InterfaceType: ExpressibleByArgument {}
extension Correction: ExpressibleByArgument {}
