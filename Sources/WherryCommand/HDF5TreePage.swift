import Wherry

/// The tree of an HDF5 file as lines of text.
struct HDF5TreePage {
  let inspection: HDF5Inspection

  var lines: [String] {
    var lines = ["\(inspection.path): HDF5, \(Report.bytes(inspection.bytes))"]
    for entry in inspection.entries {
      let indent = String(repeating: "  ", count: entry.depth)
      lines.append(indent + Self.head(entry))
      for attribute in entry.attributes {
        lines.append(indent + "  @" + Self.line(attribute))
      }
      for problem in entry.problems { lines.append(indent + "  problem: " + Self.plain(problem)) }
    }
    return lines
  }

  private static func head(_ entry: HDF5Inspection.Entry) -> String {
    let name = plain(String(entry.name))
    if let target = entry.target {
      return "\(name) -> \(plain(target)) (\(entry.kind))"
    }
    switch entry.kind {
    case "group": return entry.path == "/" ? "/" : name + "/"
    case "data set":
      var parts = [entry.type.map(plain) ?? "?", entry.shape ?? "?"]
      if let storage = entry.storage, storage != "contiguous" {
        parts.append(storage)
      }
      if let chunk = entry.chunk { parts.append("\(chunk)") }
      parts += entry.filters.map(plain)
      if let size = entry.size { parts.append(Report.bytes(size)) }
      return "\(name): \(parts.joined(separator: "  "))"
    default: return "\(name): \(entry.kind) \(entry.type.map(plain) ?? "")"
    }
  }

  private static func line(_ attribute: HDF5Inspection.Attribute) -> String {
    var line = plain(attribute.name)
    if let type = attribute.type, let shape = attribute.shape {
      line += ": \(plain(type))" + (shape == "scalar" ? "" : " \(shape)")
    }
    if let value = attribute.value { line += " = \(plain(value))" }
    if let problem = attribute.problem { line += "  problem: \(plain(problem))" }
    return line
  }

  /// Names and texts come from the file, so nothing in them may move the terminal's cursor.
  private static func plain(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return text
    }
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
          scalar.properties.generalCategory == .control
            ? Array("\\u{\(String(scalar.value, radix: 16))}".unicodeScalars) : [scalar]
        }))
  }
}
