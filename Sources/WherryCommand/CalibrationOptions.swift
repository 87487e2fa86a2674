import ArgumentParser
import FoundationEssentials
import Glibc
import WherryBytes
import WherryData
import WherryGraph

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
    parsing: .upToNextOption,
    help: "Images: subtracted from (pixel * scale), one number or one a channel.")
  var mean: [Double] = [0]
  @Option(
    parsing: .upToNextOption, help: "Images: divides after that, one number or one a channel.")
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
