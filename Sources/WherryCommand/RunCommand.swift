import ArgumentParser
import Glibc
import Wherry
import WherryBytes
import WherryData
import WherryGraph

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a model on data and print or store its outputs.",
    discussion: """
      wherry run model.onnx --input image=digits.npy
      wherry run model.wherry -i rows.csv --format csv > scores.csv
      wherry run model.onnx -i data.npz --output results/
      """)

  enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, csv, jsonl, npy }

  @Argument(help: "The model.", completion: .file())
  var model: String
  @OptionGroup var reading: InputOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var shapes: ShapeOptions
  @Option(
    name: .shortAndLong, help: "Folder for one npy file an output, named after it.",
    completion: .directory)
  var output: String?
  @Option(help: "What to print: text, csv, jsonl, or npy (a single output).")
  var format: OutputFormat = .text
  @Option(help: "runtime or reference; by default the runtime where it can execute the model.")
  var engine: Engine?
  @Flag(help: "Use seeded random inputs instead of data.")
  var random = false
  @OptionGroup var json: JSONOption

  func run() throws {
    try reporting {
      let file = try reading.read(model)
      let inputs: [String: Tensor]
      if let given = try data.read(for: file.model) {
        inputs = given
      } else if random || file.model.graph.inputs.isEmpty {
        inputs = try SampleData.inputs(of: file.model, shapes: shapes.byName)
      } else {
        throw ValidationError("No data: give --input FILE, or --random.")
      }
      let shapes = inputs.mapValues(\.shape).merging(self.shapes.byName) { _, asked in asked }
      let execution = try Execution(file, engine: engine, shapes: shapes)
      for note in execution.notes { Report.note(note) }
      let outputs = try progressing("running") { try execution.run(inputs) }
      if let output {
        try store(outputs, in: output)
      } else {
        try show(outputs, labels: file.model.labels)
      }
    }
  }

  private func store(_ outputs: [(name: String, tensor: Tensor)], in folder: String) throws {
    if mkdir(folder, 0o777) != 0, errno != EEXIST {
      Report.note("error: \(folder): \(String(cString: strerror(errno)))")
      throw Exit.cantWrite
    }
    for (name, tensor) in outputs {
      let safe = String(name.map { $0 == "/" || $0 == "\0" ? "_" : $0 })
      let file = try AtomicFile("\(folder)/\(safe == "." || safe == ".." ? "_" : safe).npy")
      try file.append(Npy.write(tensor))
      try file.commit()
    }
  }

  private func show(_ outputs: [(name: String, tensor: Tensor)], labels: [ClassLabels]) throws {
    switch json.isJSON ? .jsonl : format {
    case .csv: try StandardOutput().append(CSVTable.write(outputs))
    case .jsonl: try StandardOutput().append(JSONLines.write(outputs))
    case .npy:
      guard let only = outputs.first, outputs.count == 1 else {
        throw ValidationError("The model has \(outputs.count) outputs; use --output DIR.")
      }
      try StandardOutput().append(Npy.write(only.tensor))
    case .text:
      for (name, tensor) in outputs {
        Report.line("\(name): \(tensor.type)")
        let names = labels.first { $0.output == name }?.labels ?? []
        show(tensor, labels: names)
      }
    }
  }

  /// At most 16 rows of at most 16 elements; the best label of each row where there are labels.
  private func show(_ tensor: Tensor, labels: [String]) {
    let width = max(tensor.shape.last ?? 1, 1)
    let cells = TensorText.elements(tensor)
    let scores = tensor.element.isFloat ? tensor.doubles : []
    for start in stride(from: 0, to: min(cells.count, 16 * width), by: width) {
      let row = cells[start..<min(start + width, cells.count)]
      var line = "  " + row.prefix(16).joined(separator: " ") + (row.count > 16 ? " …" : "")
      if labels.count == width, scores.count == cells.count,
        let best = (start..<start + width).max(by: { scores[$0] < scores[$1] })
      {
        line += "  -> \(labels[best - start])"
      }
      Report.line(line)
    }
    if cells.count > 16 * width { Report.line("  … \(cells.count / width) rows") }
  }
}
