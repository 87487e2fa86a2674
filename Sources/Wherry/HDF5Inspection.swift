import WherryBytes
import WherryHDF5
import WherryHDF5Graph

/// Everything in an HDF5 file but the elements of its data sets, whether or not it holds a model; for
/// `wherry inspect` and its JSON.
public struct HDF5Inspection: Encodable, Sendable {
  /// A link and what it leads to.
  public struct Entry: Encodable, Sendable {
    /// From the root: `/model_weights/dense`.
    public var path: String
    /// `group`, `data set`, `type`; for links that are not followed `soft link`, `external link`,
    /// `user-defined link`; `same object` for one that another path already showed; `unreadable`.
    public var kind: String
    /// What a link that is not followed leads to, or the path that showed the object.
    public var target: String?
    public var type: String?
    public var shape: String?
    /// How elements lie in the file: `contiguous`, `compact`, `chunked`, `virtual`, `external files`.
    public var storage: String?
    public var chunk: [Int]?
    public var filters: [String] = []
    /// Bytes of all elements, unpacked.
    public var size: Int?
    public var attributes: [Attribute] = []
    public var problems: [String] = []
    /// How many groups the entry lies in.
    public var depth: Int

    /// The last part of the path.
    public var name: Substring { path.split(separator: "/").last ?? "/" }

    init(_ path: String, _ kind: String, depth: Int) {
      (self.path, self.kind, self.depth) = (path, kind, depth)
    }
  }

  public struct Attribute: Encodable, Sendable {
    public var name: String
    public var type: String?
    public var shape: String?
    /// The first elements.
    public var value: String?
    public var problem: String?
  }

  public var path: String
  public var bytes: Int
  public var entries: [Entry] = []

  /// Elements of an attribute beyond which none is shown.
  private static let shownElements = 10_000

  /// - Throws: `DecodeError` when the bytes are no HDF5 file; what is wrong inside is in the entries.
  public init(
    _ path: String, _ bytes: Bytes, limits: Limits = .standard
  ) throws(DecodeError) {
    (self.path, self.bytes) = (path, bytes.count)
    let root = try HDF5File(bytes, limits: limits).root()
    var seen: [Int: String] = [root.address: "/"]
    walk(.group(root), "/", 0, limits.depth, &seen)
  }

  /// Whether the bytes are an HDF5 file that can be opened and says of no model that it holds one.
  public static func isWithoutModel(_ bytes: Bytes) -> Bool {
    guard HDF5File.recognizes(bytes), let root = try? HDF5File(bytes).root() else { return false }
    guard let attributes = try? root.attributes() else { return true }
    return !attributes.contains { $0.name.text == "model_config" }
      && !HDF5GraphFormat.recognizes(bytes)
  }

  private mutating func walk(
    _ object: HDF5Object, _ path: String, _ depth: Int, _ limit: Int, _ seen: inout [Int: String]
  ) {
    var entry = Self.entry(object, path, depth)
    guard case .group(let group) = object else {
      entries.append(entry)
      return
    }
    let links: [HDF5Link]
    do throws(DecodeError) {
      guard depth < limit else { throw DecodeError(.limit("nested groups", limit)) }
      links = try group.links()
    } catch {
      entry.problems.append(error.description)
      links = []
    }
    entries.append(entry)
    for link in links {
      let inner = (path == "/" ? path : path + "/") + link.name.text
      switch link.target {
      case .hard(let address):
        if let first = seen[address] {
          addLink(inner, "same object", first, depth + 1)
          continue
        }
        seen[address] = inner
        do throws(DecodeError) {
          walk(try group.open(link), inner, depth + 1, limit, &seen)
        } catch {
          var entry = Entry(inner, "unreadable", depth: depth + 1)
          entry.problems = [error.description]
          entries.append(entry)
        }
      case .soft(let target): addLink(inner, "soft link", target.text, depth + 1)
      case .external(let file, let target):
        addLink(inner, "external link", "\(file.text):\(target.text)", depth + 1)
      case .userDefined(let kind, _):
        addLink(inner, "user-defined link", "kind \(kind)", depth + 1)
      }
    }
  }

  private mutating func addLink(_ path: String, _ kind: String, _ target: String, _ depth: Int) {
    var entry = Entry(path, kind, depth: depth)
    entry.target = target
    entries.append(entry)
  }

  private static func entry(_ object: HDF5Object, _ path: String, _ depth: Int) -> Entry {
    var entry: Entry
    switch object {
    case .group: entry = Entry(path, "group", depth: depth)
    case .type(let type):
      entry = Entry(path, "type", depth: depth)
      entry.type = type.type.description
    case .dataset(let dataset):
      entry = Entry(path, "data set", depth: depth)
      entry.type = dataset.type.description
      entry.shape = dataset.space.description
      entry.storage = dataset.storage.rawValue
      entry.chunk = dataset.chunkShape
      entry.filters = dataset.filters.map(\.description)
      entry.size = dataset.storedSize
    }
    do throws(DecodeError) {
      entry.attributes = try object.attributes().map(attribute)
    } catch {
      entry.problems.append(error.description)
    }
    return entry
  }

  private static func attribute(_ attribute: HDF5Attribute) -> Attribute {
    var line = Attribute(name: attribute.name.text)
    do throws(DecodeError) {
      let (type, space) = (try attribute.type(), try attribute.space())
      (line.type, line.shape) = (type.description, space.description)
      guard let count = space.shape.flatMap({ Checked.product($0) }), count <= shownElements,
        Checked.multiply(count, type.size) ?? .max <= shownElements * 64
      else { return line }
      line.value = HDF5Value.listed(try attribute.read().values())
    } catch {
      line.problem = error.description
    }
    return line
  }
}
