import WherryBytes
import WherryHDF5

/// The data sets of an HDF5 file by the names that people give them.
struct WeightNames {
  private struct Row {
    var dataset: HDF5Dataset
    var parts: [Substring]
    /// The initializer's name, in the graph layout.
    var name: String?
  }
  private var rows: [Row] = []
  private let file: HDF5File

  /// - Parameter isGraph: whether the file is in the graph layout, where data sets are numbered and an
  ///   attribute names them.
  init(_ file: HDF5File, isGraph: Bool) throws(DecodeError) {
    self.file = file
    var rows: [Row] = []
    try file.forEachObject { (object) throws(DecodeError) in
      guard case .dataset(let dataset) = object else { return }
      var row = Row(dataset: dataset, parts: dataset.path.split(separator: "/"))
      if isGraph, row.parts.starts(with: ["graph", "initializers"]) {
        let attribute = try dataset.attributes().first { $0.name.text == "name" }
        row.name = try attribute?.read().strings().first
      }
      rows.append(row)
    }
    self.rows = rows
  }

  /// The data set of a name: its path, an initializer's name, or parts of the path from the layer's name
  /// to the last, with or without Keras's `:0`.
  ///
  /// - Throws: `.missing`; `.duplicate` when several fit.
  func find(_ name: String) throws(DecodeError) -> HDF5Dataset {
    let place = Place().inside("weight", name)
    let parts = name.split(separator: "/")
    if case .dataset(let exact) = try? file.object(at: name) { return exact }
    var fitting = rows.filter { $0.name == name }
    if fitting.isEmpty { fitting = rows.filter { Self.fits(parts, $0.parts) } }
    // Optimizers keep arrays of the same names.
    let own = fitting.filter { $0.parts.first == "model_weights" }
    if !own.isEmpty { fitting = own }
    guard let found = fitting.first else { throw DecodeError(.missing(name), place) }
    guard fitting.count == 1 else {
      throw DecodeError(
        .duplicate(fitting.prefix(4).map(\.dataset.path).joined(separator: "\", \"")), place)
    }
    return found.dataset
  }

  /// Whether the last parts agree and the others come in their order.
  private static func fits(_ wanted: [Substring], _ path: [Substring]) -> Bool {
    guard let last = path.last, let end = wanted.last, last == end || last == end + ":0" else {
      return false
    }
    var rest = path.dropLast()[...]
    for part in wanted.dropLast() {
      guard let index = rest.firstIndex(of: part) else { return false }
      rest = rest[(index + 1)...]
    }
    return true
  }
}
