import WherryBytes
import WherryGraph
import WherryPasses

/// Scales as floats and as the bytes that stand for them in the graph section.
struct KnownScales {
  var values: [Float]
  var form: [UInt8]
}

extension GraphEncoder {
  mutating func write(_ tensor: Tensor) {
    write(tensor.element)
    write(tensor.shape) { $0.write(count: $1) }
    switch tensor.storage {
    case .strings(let strings):
      write(tag: 0)
      for string in strings { write(string) }
    case .bytes(let bytes) where bytes.count <= Self.inlineBytes:
      write(tag: 1)
      writer.raw(bytes)
    case .bytes(let bytes):
      let width = tensor.element.bitWidth % 8 == 0 ? tensor.element.bitWidth / 8 : 0
      if let element = bytes.repeated(width: width) {
        write(tag: 6)
        writer.raw(element)
      } else if let (offset, weight) = store.holding(bytes) {
        write(weight, at: offset)
      } else if tensor.element == .int32, let found = store.biases(bytes.integers) {
        write(tag: 7)
        write(found.stream)
        write(found.zero)
      } else if tensor.element == .float32, let form = scales(bytes.floats) {
        writer.raw(form)
      } else {
        write(tag: 2)
        write(count: store.add(Weight(bytes, width: max(width, 1))))
      }
    }
  }

  private mutating func write(_ weight: Weight, at offset: Int) {
    switch weight.packing {
    case .plain:
      write(tag: 2)
      write(count: offset)
    case .strided(let view):
      write(tag: 3)
      write(count: offset)
      write(view.offset)
      write(view.extents) { $0.write(count: $1) }
      for stride in view.strides { write(stride) }
    case .panels(let view):
      write(tag: 4)
      write(count: offset)
      for number in view.numbers { write(number) }
    case .stream(let view):
      write(tag: 5)
      write(StoredStream(offset: offset, view: view))
    }
  }

  private mutating func write(_ stream: StoredStream) {
    write(count: stream.offset)
    for number in stream.view.numbers { write(number) }
  }

  /// Floats in proportion to scales written before, or to the factors of a stream.
  private mutating func scales(_ values: [Float]) -> [UInt8]? {
    for known in knownScales {
      guard let found = Proportion(of: values, to: known.values), found.steps == nil else {
        continue
      }
      return form(found, of: known.form)
    }
    for stream in store.streams(outputs: values.count) {
      guard let found = Proportion(of: values, to: stream.view.ownHeads.factors) else { continue }
      var base = GraphEncoder(store: WeightStore())
      base.write(tag: 9)
      base.write(stream)
      let form = form(found, of: base.writer.bytes)
      knownScales.append(KnownScales(values: values, form: form))
      return form
    }
    return nil
  }

  private func form(_ proportion: Proportion, of base: [UInt8]) -> [UInt8] {
    var form = ByteWriter()
    form.integer(UInt8(8))
    form.integer(proportion.ratio.bitPattern)
    form.integer(UInt8(proportion.steps == nil ? 0 : 1))
    if let steps = proportion.steps { form.raw(steps) }
    form.raw(base)
    return form.bytes
  }
}
