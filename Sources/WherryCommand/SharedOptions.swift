import ArgumentParser
import Wherry
import WherryBytes
import WherryData
import WherryGraph

/// A format by name, for `--from` and `--to`.
struct FormatName: ExpressibleByArgument {
  let format: any ModelFormat.Type

  init?(argument: String) {
    guard let format = Formats.named(argument) else { return nil }
    self.format = format
  }

  static var allValueStrings: [String] { (Formats.all + Formats.variants).map { $0.name } }
}

struct InputOptions: ParsableArguments {
  @Option(
    help:
      "Format of the input, if not to be recognized: \(FormatName.allValueStrings.joined(separator: ", "))."
  )
  var from: FormatName?

  func read(_ path: String) throws -> ModelFile {
    try progressing("reading \(path)") { try ModelFile(path, as: from?.format) }
  }
}

struct JSONOption: ParsableArguments {
  @Flag(name: .customLong("json"), help: "Print one JSON document for machines.")
  var isJSON = false
}

/// `NAME=1,3,224,224`: extents for an input whose own are not fixed.
struct InputShape: ExpressibleByArgument {
  let name: String
  let extents: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    name = String(parts[0])
    let extents = parts[1].split(separator: ",").map { Int($0) ?? -1 }
    guard extents.allSatisfy({ $0 >= 0 }) else { return nil }
    self.extents = extents
  }
}

struct ShapeOptions: ParsableArguments {
  @Option(
    name: .customLong("shape"),
    help: "Extents of an input whose own are not all fixed, as NAME=1,3,224,224; repeatable.")
  var shapes: [InputShape] = []

  var byName: [String: [Int]] {
    Dictionary(shapes.map { ($0.name, $0.extents) }, uniquingKeysWith: { _, b in b })
  }
}

struct DataOptions: ParsableArguments {
  @Option(
    name: [.customLong("input"), .customShort("i")],
    help: "Data as FILE or NAME=FILE: npy, npz, csv, jsonl, or raw elements; repeatable.")
  var inputs: [String] = []

  @Flag(help: "Convert data of another element type than the input's.")
  var cast = false

  /// The data for a model's inputs; nil when none is given.
  func read(for model: Model) throws -> [String: Tensor]? {
    guard !inputs.isEmpty else { return nil }
    var data = InputData(model, isCasting: cast)
    for argument in inputs {
      let (name, path) = split(argument, model)
      let bytes = path == "-" ? try Bytes(reading: 0) : try Bytes(mapping: path)
      do {
        try data.add(bytes, path: path, input: name)
      } catch {
        Report.note("error: \(path): \(error)")
        throw Exit.badData
      }
    }
    guard data.missing.isEmpty else {
      Report.note("error: no data for \(data.missing.map { "\"\($0)\"" }.joined(separator: ", "))")
      throw Exit.badData
    }
    return data.tensors
  }

  /// An input's name may hold an equals sign itself, so the model's own names are tried first.
  private func split(_ argument: String, _ model: Model) -> (String?, String) {
    for input in model.graph.inputs where argument.hasPrefix(input.name + "=") {
      return (input.name, String(argument.dropFirst(input.name.count + 1)))
    }
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    return parts.count == 2 ? (parts[0], parts[1]) : (nil, argument)
  }
}

struct BoundOptions: ParsableArguments {
  @Option(name: .customLong("rtol"), help: "Largest relative difference that counts as equal.")
  var relative = 1e-5

  @Option(name: .customLong("atol"), help: "Largest absolute difference that counts as equal.")
  var absolute = 1e-6

  var bounds: Comparison.Bounds { .init(relative: relative, absolute: absolute) }
}

extension Engine: ExpressibleByArgument {}
