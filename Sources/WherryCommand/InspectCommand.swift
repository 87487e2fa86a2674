import ArgumentParser
import Wherry
import WherryBytes
import WherryGraph

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a model's inputs, outputs, operators, sizes and metadata.",
    discussion: """
      An HDF5 file that holds no model is shown as the tree it is: groups, links, attributes, and data \
      sets with types, shapes, chunks and filters. --tree shows a model's file that way too.
      """)

  @Argument(help: "The model.", completion: .file())
  var model: String
  @OptionGroup var reading: InputOptions
  @Flag(help: "Also list every node with the types of its outputs.")
  var nodes = false
  @Flag(help: "Print one HTML page.")
  var html = false
  @Flag(help: "HDF5: show groups, data sets and attributes instead of the model.")
  var tree = false
  @OptionGroup var json: JSONOption

  func run() throws {
    try reporting {
      if let page = try treePage() {
        if json.isJSON {
          try Report.json(page.inspection)
        } else {
          for line in page.lines { Report.line(line) }
        }
        return
      }
      let inspection = Inspection(try reading.read(model))
      if json.isJSON {
        try Report.json(inspection)
      } else if html {
        try StandardOutput().append(InspectionPage(inspection: inspection).html)
      } else {
        show(inspection)
      }
    }
  }

  /// The tree where it is asked for, or where there is nothing else to show.
  private func treePage() throws -> HDF5TreePage? {
    guard tree || reading.from == nil, model != "-" || tree else { return nil }
    let bytes: Bytes
    do {
      bytes = model == "-" ? try Bytes(reading: 0) : try Bytes(mapping: model)
    } catch {
      throw DecodeError(.file(error))
    }
    guard tree || HDF5Inspection.isWithoutModel(bytes) else { return nil }
    return HDF5TreePage(inspection: try HDF5Inspection(model, bytes))
  }

  private func show(_ it: Inspection) {
    Report.line("\(it.path): \(it.format), \(Report.bytes(it.bytes))")
    if !it.producer.isEmpty { Report.line("made by \(it.producer)") }
    if !it.docString.isEmpty { Report.line(it.docString) }
    for (domain, version) in it.operatorSets.sorted(by: { $0.key < $1.key }) {
      Report.line("operator set \(domain) \(version)")
    }
    Report.line("\ninputs")
    for value in it.inputs { Report.line("  \(value.name): \(value.type)") }
    Report.line("outputs")
    for value in it.outputs {
      let labels = value.labels.map { ", labels " + $0.prefix(10).joined(separator: " ") } ?? ""
      Report.line("  \(value.name): \(value.type)\(labels)")
    }
    Report.line(
      "\n\(it.nodeCount) nodes, \(it.parameterCount) parameters in \(Report.bytes(it.parameterBytes))"
    )
    for (name, count) in it.operators.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      Report.line("  \(count) x \(name)")
    }
    for property in it.properties { Report.line("\(property.key) = \(property.value)") }
    if let plan = it.plan {
      Report.line("\nplan: \(plan.operations) operations, \(plan.macs) multiply-accumulates")
      Report.line("  arena \(plan.arenaBytes) bytes, lower bound \(plan.liveBytes)")
    }
    for node in nodes ? it.nodes : [] {
      let inputs = node.inputs.joined(separator: ", ")
      Report.line(
        "\(node.outputs.joined(separator: ", ")) = \(node.op)(\(inputs))  \(node.types.joined(separator: " "))"
      )
    }
    for problem in it.problems { Report.line("problem: \(problem)") }
  }
}
