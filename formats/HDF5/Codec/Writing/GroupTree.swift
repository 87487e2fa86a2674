import WherryBytes
import WherryGraph
import WherryHDF5

/// Groups and data sets by path, gathered before they are written.
struct GroupTree {
  private var groups: [(name: String, group: GroupTree)] = []
  private var indices: [String: Int] = [:]
  private var datasets: [(name: String, dataset: HDF5Draft.Dataset)] = []
  var attributes: [HDF5Draft.Attribute] = []

  /// The group at a path of names, made where there is none.
  subscript(path: ArraySlice<String>) -> GroupTree {
    get {
      guard let name = path.first else { return self }
      return (indices[name].map { groups[$0].group } ?? GroupTree())[path.dropFirst()]
    }
    set {
      guard let name = path.first else {
        self = newValue
        return
      }
      let index = indices[name] ?? groups.count
      if index == groups.count {
        indices[name] = index
        groups.append((name, GroupTree()))
      }
      // Taken out while it changes, so that nothing is copied.
      var inner = groups[index].group
      groups[index].group = GroupTree()
      inner[path.dropFirst()] = newValue
      groups[index].group = inner
    }
  }

  /// Changes the group at a path.
  mutating func change(_ path: String, _ body: (inout GroupTree) -> Void) {
    let names = Self.names(path)
    var group = self[names[...]]
    body(&group)
    self[names[...]] = group
  }

  static func names(_ path: String) -> [String] {
    path.split(separator: "/").map(String.init)
  }

  /// Adds a data set at a path.
  ///
  /// - Throws: `EncodeError.inexpressible` for elements that HDF5 has no type for.
  mutating func add(_ path: String, _ tensor: Tensor) throws(EncodeError) {
    var names = Self.names(path)
    guard let last = names.popLast() else {
      throw EncodeError(.invalid("a data set without a name"))
    }
    var dataset = HDF5Draft.Dataset(try tensor.draft(at: Place().inside("data set", path)))
    if tensor.element == .bfloat16 {
      // As h5py stores it; archives name the type beside.
      dataset.value = .array(.opaque(size: 2, tag: Bytes()), tensor.shape, tensor.bytes)
      if names.last == "vars" { dataset.attributes = [.init("dtype", .text("bfloat16"))] }
    }
    change(names.joined(separator: "/")) { group in group.datasets.append((last, dataset)) }
  }

  /// The groups and data sets as the writer takes them.
  var draft: HDF5Draft.Group {
    HDF5Draft.Group(
      attributes: attributes,
      members: groups.map { ($0.name, .group($0.group.draft)) }
        + datasets.map { ($0.name, .dataset($0.dataset)) })
  }
}

extension Tensor {
  /// The elements as a data set holds them.
  func draft(at place: Place) throws(EncodeError) -> HDF5Draft.Value {
    if element == .string {
      return HDF5Draft.Value(.text, HDF5Space(shape), .runs(strings))
    }
    guard let type = element.stored else {
      throw EncodeError(.inexpressible("elements of type \(element)"), place)
    }
    return .array(type, shape, bytes)
  }
}

extension HDF5Draft.Attribute {
  /// Bytes that Keras puts into one attribute at most.
  private static let limit = 64512

  /// A list of names as Keras writes it: as many attributes as the list needs, numbered if it is more
  /// than one.
  static func names(_ name: String, _ texts: [String]) -> [HDF5Draft.Attribute] {
    guard !texts.isEmpty else {
      return [HDF5Draft.Attribute(name, .array(.float64, [0], Bytes()))]
    }
    let width = texts.map(\.utf8.count).max() ?? 1
    var count = 1
    while (texts.count + count - 1) / count * width > limit, count < texts.count { count += 1 }
    if count == 1 { return [HDF5Draft.Attribute(name, .fixedTexts(texts))] }
    var attributes: [HDF5Draft.Attribute] = []
    var start = 0
    for part in 0..<count {
      let end = start + texts.count / count + (part < texts.count % count ? 1 : 0)
      attributes.append(
        HDF5Draft.Attribute("\(name)\(part)", .fixedTexts(Array(texts[start..<end]))))
      start = end
    }
    return attributes
  }
}
