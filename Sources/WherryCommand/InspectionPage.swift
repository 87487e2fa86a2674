import Wherry

/// An inspection as one HTML page that needs nothing else.
struct InspectionPage {
  let inspection: Inspection

  var html: String {
    let it = inspection
    let title = escaped(it.name.isEmpty ? it.path : it.name)
    var facts = [
      ["file", "\(it.path), \(it.format), \(Report.bytes(it.bytes))"],
      ["made by", it.producer], ["about", it.docString],
      [
        "operator sets",
        it.operatorSets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
          .joined(separator: ", "),
      ],
      ["parameters", "\(it.parameterCount) in \(Report.bytes(it.parameterBytes))"],
    ]
    if let plan = it.plan {
      facts.append([
        "plan",
        "\(plan.operations) operations, \(plan.macs) multiply-accumulates, arena \(plan.arenaBytes) bytes",
      ])
    }
    facts += it.properties.map { [$0.key, $0.value] }
    facts += it.problems.map { ["problem", $0] }
    let values =
      it.inputs.map { ["input", $0.name, $0.type, ""] }
      + it.outputs.map { ["output", $0.name, $0.type, ($0.labels ?? []).joined(separator: ", ")] }
    let nodes = it.nodes.map { node in
      [
        node.name, node.op, node.inputs.joined(separator: ", "),
        node.outputs.joined(separator: ", "), node.types.joined(separator: ", "),
      ]
    }
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>\(title)</title><style>
      body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em }
      table { border-collapse: collapse; margin: 1em 0; width: 100% }
      th, td { border-bottom: 1px solid #ccc; padding: .3em .6em; text-align: left; vertical-align: top }
      td { overflow-wrap: anywhere; white-space: pre-wrap }
      </style></head><body><h1>\(title)</h1>
      \(table([], facts.filter { !$0[1].isEmpty }))
      <h2>Inputs and outputs</h2>
      \(table(["", "name", "type", "labels"], values))
      <h2>\(it.nodeCount) nodes</h2>
      \(table(["name", "operator", "inputs", "outputs", "types"], nodes))
      </body></html>

      """
  }

  private func table(_ header: [String], _ rows: [[String]]) -> String {
    let head = header.map { "<th>\(escaped($0))</th>" }.joined()
    let body = rows.map { "<tr>" + $0.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>" }
    return "<table><tr>\(head)</tr>\n\(body.joined(separator: "\n"))\n</table>"
  }

  /// Names come from the file, so nothing in them may act as markup.
  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}
