import Wherry

/// The quantization report for people.
enum QuantizationTable {
  static func show(_ report: QuantizationReport) {
    Report.line(
      report.samples > 0
        ? "ranges by \(report.method) over \(report.samples) samples, errors over "
          + "\(report.measuredSamples)"
        : report.method)
    for note in report.notes { Report.line(note) }
    let hasData = report.layers.contains { $0.accumulated != nil }
    Report.line(
      hasData
        ? "SQNR dB  in model   cosine   saturated  layer, worst first"
        : "SQNR dB   cosine   weights of layer, worst first")
    for layer in report.layers {
      var line = cell(layer.sqnr, 1, 7)
      if hasData { line += cell(layer.accumulated ?? .nan, 1, 10) }
      line += cell(layer.cosine, 5, 9)
      if let saturation = layer.saturation { line += cell(saturation * 100, 3, 10) + " %" }
      Report.line(line + "  \(layer.op) \(layer.name)")
    }
    for layer in report.floatLayers {
      Report.line("float: \(layer.op) \(layer.name): \(layer.reason)")
    }
    for output in report.outputs {
      Report.line(
        "output \(output.name): SQNR \(Report.rounded(output.sqnr, 1)) dB, cosine "
          + "\(Report.rounded(output.cosine, 5)), largest difference \(output.largest)")
    }
    if let accuracy = report.accuracy {
      Report.line(
        "accuracy: float \(Report.rounded(accuracy.float * 100, 2)) %, quantized "
          + "\(Report.rounded(accuracy.quantized * 100, 2)) %")
    }
    if let bound = report.bound {
      Report.line(
        "\(bound.metric) is \(Report.rounded(bound.value, 4)), within \(bound.limit)"
          + (bound.kept.isEmpty ? "" : ", with \(bound.kept.count) layers kept float"))
    }
  }

  private static func cell(_ value: Double, _ digits: Int, _ width: Int) -> String {
    let text = Report.rounded(value, digits)
    return String(repeating: " ", count: max(width - text.count, 1)) + text
  }
}
