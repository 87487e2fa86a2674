import CWherryABI
import WherryBytes
import WherryGraph
import WherryPasses

extension GraphDecoder {
  mutating func dimension() throws(DecodeError) -> Dimension {
    let place = reader.place
    switch try tag() {
    case 0: return .unknown
    case 1: return .fixed(try int())
    case 2: return .symbolic(try string())
    default: throw DecodeError(.invalid("a kind of extent"), place)
    }
  }

  private mutating func shape() throws(DecodeError) -> Shape {
    let dimensions = try list { d throws(DecodeError) in try d.dimension() }
    return Shape(dimensions, denotations: try strings())
  }

  private mutating func element() throws(DecodeError) -> ElementType {
    let place = reader.place
    guard let element = ElementType(rawValue: Int32(try tag())) else {
      throw DecodeError(.invalid("an element type"), place)
    }
    return element
  }

  mutating func type() throws(DecodeError) -> ValueType {
    try nested { d throws(DecodeError) in
      let place = d.reader.place
      switch try d.tag() {
      case 0: return .unspecified
      case 1:
        let element = try d.element()
        return .tensor(element, try d.optional { d throws(DecodeError) in try d.shape() })
      case 2:
        let element = try d.element()
        return .sparseTensor(element, try d.optional { d throws(DecodeError) in try d.shape() })
      case 3: return .sequence(try d.type())
      case 4: return .optional(try d.type())
      case 5:
        let key = try d.element()
        return .map(key: key, value: try d.type())
      case 6:
        let domain = try d.string()
        return .opaque(domain: domain, name: try d.string())
      case 7:
        let type = try d.type()
        return .denoted(type, try d.string())
      default: throw DecodeError(.invalid("a kind of type"), place)
      }
    }
  }

  private mutating func extents() throws(DecodeError) -> [Int] {
    try list { d throws(DecodeError) in try d.count() }
  }

  mutating func tensor() throws(DecodeError) -> Tensor {
    let place = reader.place
    let element = try element()
    let shape = try extents()
    guard let count = Checked.product(shape) else {
      throw DecodeError(.invalid("a tensor of shape \(shape)"), place)
    }
    let storage = try tag()
    if storage == 0 {
      guard element == .string, count <= reader.remaining, count <= limits.elements else {
        throw DecodeError(.invalid("a tensor of \(count) strings"), place)
      }
      var strings: [Bytes] = []
      for _ in 0..<count { strings.append(try bytes()) }
      guard let tensor = Tensor(shape, strings: strings) else {
        throw DecodeError(.invalid("a tensor of shape \(shape)"), place)
      }
      return tensor
    }
    guard let size = element.byteCount(of: count) else {
      throw DecodeError(.invalid("a tensor of shape \(shape)"), place)
    }
    let bytes = try contents(storage, element, count: count, size: size, place)
    guard let tensor = Tensor(element, shape, bytes: bytes) else {
      throw DecodeError(.invalid("a tensor of shape \(shape)"), place)
    }
    return tensor
  }

  /// What the storage calls for: `count` elements in `size` bytes.
  private mutating func contents(
    _ storage: UInt8, _ element: ElementType, count: Int, size: Int, _ place: Place
  ) throws(DecodeError) -> Bytes {
    let width = element.bitWidth % 8 == 0 ? element.bitWidth / 8 : 0
    guard storage < 3 || width > 0 else {
      throw DecodeError(.invalid("packed elements of \(element.bitWidth) bits"), place)
    }
    switch storage {
    case 1:
      guard size <= GraphEncoder.inlineBytes else {
        throw DecodeError(.invalid("a tensor of \(size) bytes in the graph section"), place)
      }
      return try reader.take(size)
    case 2: return try weight(try self.count(), size, place)
    case 3, 4:
      return try packed(
        isPanels: storage == 4, count: count, width: width, size: size, place)
    case 5: return try streamed(count: count, isByte: width == 1, size: size, place)
    case 6:
      guard size <= Bytes.mostRepeated else {
        throw DecodeError(.invalid("\(size) bytes of one element"), place)
      }
      let element = try reader.take(width)
      try take(size, place)
      return Bytes.repeating(element, size: size)
    case 7 where element == .int32: return try biases(count: count, size: size, place)
    case 8 where element == .float32: return try scales(count: count, size: size, place)
    case 9 where element == .float32:
      let heads = try heads(count: count, size: size, place)
      return Bytes.of(heads.factors)
    default: throw DecodeError(.invalid("a kind of storage"), place)
    }
  }

  /// The heads of a stream with `count` outputs.
  private mutating func heads(
    count: Int, size: Int, _ place: Place
  ) throws(DecodeError) -> StreamView.Heads {
    let (view, stream) = try stream(place) { $0.outputs == count }
    try take(size, place)
    return view.unpackedHeads(stream)
  }

  private mutating func biases(
    count: Int, size: Int, _ place: Place
  ) throws(DecodeError) -> Bytes {
    let heads = try heads(count: count, size: size, place)
    let zero = Int32(truncatingIfNeeded: try int())
    return Bytes.of(zip(heads.biases, heads.sums).map { $0 &+ zero &* $1 })
  }

  /// Floats in proportion to others.
  private mutating func scales(
    count: Int, size: Int, _ place: Place
  ) throws(DecodeError) -> Bytes {
    let ratio = try double()
    let steps = try optional { d throws(DecodeError) in try d.reader.take((count + 3) / 4) }
    try take(size, place)
    let base = try nested { d throws(DecodeError) in
      try d.contents(try d.tag(), .float32, count: count, size: size, place)
    }
    guard let scales = Proportion(ratio: ratio, steps: steps).applied(to: base.floats) else {
      throw DecodeError(.invalid("a step between floats"), place)
    }
    return Bytes.of(scales)
  }

  mutating func sparseTensor() throws(DecodeError) -> SparseTensor {
    let shape = try extents()
    return SparseTensor(shape: shape, values: try tensor(), indices: try tensor())
  }

  /// A run of the weights section, shared.
  private func weight(
    _ offset: Int, _ size: Int, _ place: Place
  ) throws(DecodeError) -> Bytes {
    guard let end = Checked.add(offset, size), end >= offset,
      let bytes = weights.slice(offset..<end)
    else {
      throw DecodeError(.truncated(needed: size, available: max(weights.count - offset, 0)), place)
    }
    return bytes
  }

  /// 8-bit weights from a stream of the plan.
  private mutating func streamed(
    count: Int, isByte: Bool, size: Int, _ place: Place
  ) throws(DecodeError) -> Bytes {
    let (view, stream) = try stream(place) { isByte && $0.isReversible(count: count) }
    try take(size, place)
    return view.unpacked(stream, size: size)
  }

  /// A stream of the plan, and how it is laid out.
  private mutating func stream(
    _ place: Place, where isFit: (StreamView) -> Bool
  ) throws(DecodeError) -> (StreamView, Bytes) {
    let offset = try self.count()
    var numbers: [Int] = []
    for _ in 0..<9 { numbers.append(try int()) }
    guard let view = StreamView(numbers: numbers), view.isSound, isFit(view) else {
      throw DecodeError(.invalid("a packing"), place)
    }
    return (view, try weight(offset, view.byteCount, place))
  }

  /// Memory for a tensor that can't be used where it lies.
  private mutating func take(_ size: Int, _ place: Place) throws(DecodeError) {
    guard size <= allowance else {
      throw DecodeError(.limit("bytes of unpacked tensors", limits.expandedBytes), place)
    }
    allowance -= size
  }

  /// A tensor from the order in which the plan's kernels want it.
  private mutating func packed(
    isPanels: Bool, count: Int, width: Int, size: Int, _ place: Place
  ) throws(DecodeError) -> Bytes {
    let offset = try self.count()
    let packing: Packing
    let stored: Int?
    if isPanels {
      var n: [Int] = []
      for _ in 0..<9 { n.append(try int()) }
      let extents = [n[1], n[3], n[5], n[7]]
      guard Weight.covers(n[0], extents, [n[2], n[4], n[6], n[8]], count: count), count > 0,
        let columns = Checked.add(n[7], Int(WH_PANEL) - 1)
      else { throw DecodeError(.invalid("a packing"), place) }
      packing = .panels(
        PanelView(
          offset: n[0], matrices: n[1], matrixStride: n[2], outer: n[3], outerStride: n[4],
          inner: n[5], innerStride: n[6], columns: n[7], columnStride: n[8]))
      let panels = columns / Int(WH_PANEL)
      stored = Checked.product([n[1], panels, n[3], n[5], Int(WH_PANEL), width])
    } else {
      let start = try int()
      let extents = try self.extents()
      var strides: [Int] = []
      for _ in extents { strides.append(try int()) }
      guard extents.count <= 64, Weight.covers(start, extents, strides, count: count), count > 0
      else { throw DecodeError(.invalid("a packing"), place) }
      packing = .strided(StridedView(offset: start, extents: extents, strides: strides))
      stored = size
    }
    guard let stored else { throw DecodeError(.invalid("a packing"), place) }
    let source = try weight(offset, stored, place)
    try take(size, place)
    return packing.unpacked(source, width: width, size: size)
  }
}

extension Packing {
  /// The bytes that were packed into `packed`; the view covers `size` bytes.
  func unpacked(_ packed: Bytes, width: Int, size: Int) -> Bytes {
    packed.withUnsafeBytes { from in
      Bytes(count: size) { to in
        let body = { (run: ElementRun) in
          // In a packing the source is the unpacked tensor, the target the packed one.
          guard width > 0, run.fits(source: to.count / width, target: from.count / width)
          else { return }
          if run.stride == 1 {
            let (read, write, size) = (run.target * width, run.source * width, run.count * width)
            UnsafeMutableRawBufferPointer(rebasing: to[write..<write + size])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: from[read..<read + size]))
            return
          }
          for step in 0..<run.count {
            let (read, write) = (
              (run.target + step) * width, (run.source + step * run.stride) * width
            )
            for byte in 0..<width { to[write + byte] = from[read + byte] }
          }
        }
        switch self {
        case .plain: to.copyMemory(from: from)
        case .strided(let view): view.forEachRun(body)
        case .panels(let view): view.forEachRun(body)
        case .stream(let view):
          view.unpacked(packed, size: size).withUnsafeBytes { to.copyMemory(from: $0) }
        }
      }
    }
  }
}
