import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

extension LayerBinding {
  static let encodingLayers: [LayerBinding] = [
    LayerBinding("CategoryEncoding") { (site) throws(DecodeError) in
      let settings = site.settings
      let count = try settings.integer("num_tokens", try settings.integer("max_tokens", 0))
      let mode = try settings.text("output_mode", "multi_hot")
      guard site.arguments.count == 1 else { throw site.unsupported("weights of counts") }
      let result = try site.encoded(
        try site.plain(try site.input()), mode, depth: count, element: .float32)
      return [KerasTensor(result)]
    },
    LayerBinding("StringLookup") { (site) throws(DecodeError) in [try site.lookup(isText: true)] },
    LayerBinding("IntegerLookup") { (site) throws(DecodeError) in [try site.lookup(isText: false)]
    },
    LayerBinding("Discretization") { (site) throws(DecodeError) in [try site.discretized()] },
  ]
}

extension LayerSite {
  /// Indices as vectors that count them; in the mode `vectors` each index has its own.
  func encoded(
    _ indices: Wire, _ mode: String, depth: Int, element: ElementType
  ) throws(DecodeError) -> Wire {
    guard depth > 0, depth <= 1 << 24 else {
      throw settings.fault("num_tokens", "\(depth) categories")
    }
    var wire = indices
    if wire.element != .int64 {
      var cast = Cast()
      cast.target = .int64
      wire = try emit(cast, [wire])
    }
    if mode == "one_hot", wire.rank > 1, wire.shape.dimensions.last == 1 {
      wire = try emit(Squeeze(), [wire, try vector([wire.rank - 1])])
    }
    let depthWire = try constant(made: "depth", Tensor(.int64, [], integers: [Int64(depth)]))
    let values = try constant(made: "values", Tensor(element, [2], doubles: [0, 1]))
    let vectors = try emit(OneHot(), [wire, depthWire, values])
    switch mode {
    case "one_hot", "vectors": return vectors
    case "multi_hot", "binary", "count":
      // A single index of rank 1 stands for itself.
      guard wire.rank > 1 else { return vectors }
      let axes = try vector([vectors.rank - 2])
      if mode == "count" {
        var sum = ReduceSum()
        sum.keepsAxes = false
        return try emit(sum, [vectors, axes])
      }
      var largest = ReduceMax()
      largest.keepsAxes = false
      return try emit(largest, [vectors, axes])
    default: throw settings.unsupported("output_mode", "output_mode \(mode)")
    }
  }

  /// The tokens of the vocabulary, without those that stand for masked and unknown ones.
  private func vocabulary(_ special: [JSONValue]) throws(DecodeError) -> [JSONValue] {
    guard let value = settings["vocabulary"] else {
      if let tokens = weights.vocabularies[path] {
        let values = try tokens.map { (token) throws(DecodeError) -> JSONValue in
          guard layer.className == "IntegerLookup" else { return .string(token) }
          guard let integer = Int64(token) else {
            throw settings.fault("vocabulary", "integers are expected")
          }
          return .integer(integer)
        }
        return Self.without(special, values)
      }
      throw unsupported("a vocabulary that is not in the configuration")
    }
    guard let tokens = (value["config"]?["value"] ?? value["items"] ?? value).array else {
      throw settings.fault("vocabulary", "a list is expected")
    }
    return Self.without(special, tokens)
  }

  private static func without(_ special: [JSONValue], _ tokens: [JSONValue]) -> [JSONValue] {
    tokens.starts(with: special) ? Array(tokens.dropFirst(special.count)) : tokens
  }

  /// Tokens as their places in a vocabulary, or the other way round.
  fileprivate func lookup(isText: Bool) throws(DecodeError) -> KerasTensor {
    let mode = try settings.text("output_mode", "int")
    let unknownCount = try settings.integer("num_oov_indices", 1)
    guard (0...1).contains(unknownCount) else {
      throw settings.unsupported("num_oov_indices", "hashing into \(unknownCount) indices")
    }
    let mask = settings["mask_token"]
    let unknown = settings["oov_token"]
    let special = (mask.map { [$0] } ?? []) + (unknownCount == 1 ? unknown.map { [$0] } ?? [] : [])
    let tokens = try vocabulary(special)
    let hasMask = mask != nil && mode == "int"
    let start = (hasMask ? 1 : 0) + unknownCount
    var keys = tokens
    var values = Array(start..<start + tokens.count)
    if hasMask, let mask {
      keys.insert(mask, at: 0)
      values.insert(0, at: 0)
    }
    var encoder = LabelEncoder()
    if try settings.flag("invert") {
      guard isText else { throw settings.unsupported("invert", "integers as integers") }
      encoder.keysInt64s = values
      encoder.valuesStrings = try keys.map { (token) throws(DecodeError) in
        try bytes(token)
      }
      encoder.defaultString = try bytes(unknown ?? "")
      return KerasTensor(try emit(encoder, [try widened(try plain(try input()))]))
    }
    encoder.valuesInt64s = values
    encoder.defaultInt64 = unknownCount == 1 ? (hasMask ? 1 : 0) : -1
    var wire = try plain(try input())
    if isText {
      encoder.keysStrings = try keys.map { (token) throws(DecodeError) in try bytes(token) }
    } else {
      var integers: [Int] = []
      for token in keys {
        guard let integer = token.integer else {
          throw settings.fault("vocabulary", "integers are expected")
        }
        integers.append(integer)
      }
      encoder.keysInt64s = integers
      wire = try widened(wire)
    }
    let indices = try emit(encoder, [wire])
    guard mode != "int" else { return KerasTensor(indices) }
    let element: ElementType = generation == .three ? .int64 : .float32
    return KerasTensor(
      try encoded(indices, mode, depth: start + tokens.count, element: element))
  }

  private func bytes(_ token: JSONValue) throws(DecodeError) -> Bytes {
    guard let text = token.string else { throw settings.fault("vocabulary", "texts are expected") }
    return Bytes(Array(text.utf8))
  }

  private func widened(_ wire: Wire) throws(DecodeError) -> Wire {
    if wire.element == .int64 { return wire }
    var cast = Cast()
    cast.target = .int64
    return try emit(cast, [wire])
  }

  /// How many boundaries are not above each number.
  fileprivate func discretized() throws(DecodeError) -> KerasTensor {
    guard let (shape, boundaries) = try settings.array("bin_boundaries"), shape.count == 1 else {
      throw DecodeError(.missing("bin_boundaries"), place)
    }
    let x = try floating()
    let wire = try plain(x)
    let bounds = try constant(
      made: "boundaries", Tensor(wire.element, [boundaries.count], doubles: boundaries))
    let wide = try emit(Unsqueeze(), [wire, try vector([wire.rank])])
    var cast = Cast()
    cast.target = .int64
    let passed = try emit(cast, [try emit(GreaterOrEqual(), [wide, bounds])])
    var sum = ReduceSum()
    sum.keepsAxes = false
    let indices = try emit(sum, [passed, try vector([wire.rank])])
    let mode = try settings.text("output_mode", "int")
    guard mode != "int" else { return KerasTensor(indices) }
    let element: ElementType = generation == .three ? .int64 : .float32
    return KerasTensor(
      try encoded(indices, mode, depth: boundaries.count + 1, element: element))
  }
}
