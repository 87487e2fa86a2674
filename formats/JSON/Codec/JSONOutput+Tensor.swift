import WherryBytes
import WherryGraph

extension JSONOutput {
  /// Tells the sink how long the large tensors will be.
  func expect(_ model: Model) {
    // Room for the rest of the document, which is small beside the tensors.
    var expected = Self.capacity
    for tensor in model.graph.initializers.map(\.tensor) {
      let size =
        tensor.count > decimalElements
        ? Base64.encodedCount(tensor.bytes.count) : tensor.bytes.count / 4 * 13
      expected = Checked.add(expected, size) ?? expected
    }
    expect(expected)
  }

  mutating func tensor(_ tensor: Tensor) {
    open("{")
    key("type")
    text(tensor.element.name)
    key("shape")
    integers(tensor.shape)
    switch tensor.storage {
    case .strings(let strings):
      key("data")
      open("[", .inline)
      for string in strings {
        next()
        bytes(string)
      }
      close("]")
    case .bytes(let bytes):
      bytes.withUnsafeBytes { raw in
        if tensor.count <= decimalElements, tensor.isDecimal(raw) {
          key("data")
          decimals(tensor, raw)
        } else {
          key("base64")
          base64(raw)
        }
      }
    }
    close("}")
  }

  mutating func sparseTensor(_ tensor: SparseTensor) {
    open("{")
    key("shape")
    if tensor.shape.contains(where: { $0 < 0 }) {
      fail(EncodeError(.invalid("a negative extent of a sparse tensor")))
    }
    integers(tensor.shape)
    key("values")
    self.tensor(tensor.values)
    key("indices")
    self.tensor(tensor.indices)
    close("}")
  }

  private mutating func decimals(_ tensor: Tensor, _ raw: UnsafeRawBufferPointer) {
    open("[", .inline)
    let perElement = tensor.element.isComplex ? 2 : 1
    let extent = tensor.rank > 1 ? tensor.shape.last ?? 1 : 1
    let row = isPretty && tensor.count > extent && extent > 1 ? extent * perElement : 0
    let powers = PowersOfTen.table
    switch tensor.element {
    case .float32, .complex64:
      rows(raw.count / 4, row) { output, index in
        let bits = raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
        output.float(Float(bitPattern: UInt32(littleEndian: bits)), powers)
      }
    case .float64, .complex128:
      rows(raw.count / 8, row) { output, index in
        let bits = raw.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        output.double(Double(bitPattern: UInt64(littleEndian: bits)), powers)
      }
    case .bool:
      rows(raw.count, row) { output, index in output.bool(raw[index] != 0) }
    case .uint64:
      rows(raw.count / 8, row) { output, index in
        let value = raw.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        output.integer(UInt64(littleEndian: value))
      }
    default:
      if tensor.element.isInteger {
        let integers = tensor.integers
        rows(integers.count, row) { output, index in output.integer(integers[index]) }
      } else {
        // Every float narrower than float32 is one of its numbers.
        let doubles = tensor.doubles
        rows(doubles.count, row) { output, index in output.float(Float(doubles[index]), powers) }
      }
    }
    close("]")
  }

  /// `count` members with a line break after every `row`; no breaks when `row` is 0.
  @inline(__always)
  private mutating func rows(_ count: Int, _ row: Int, _ write: (inout JSONOutput, Int) -> Void) {
    var left = row
    let hasBreaks = row > 0
    let hasSpaces = isPretty
    if hasBreaks, count > 0 { newline() }
    for index in 0..<count {
      if index > 0 {
        byte(UInt8(ascii: ","))
        if hasBreaks, left == 0 {
          newline()
          left = row
        } else if hasSpaces {
          byte(UInt8(ascii: " "))
        }
      }
      write(&self, index)
      if hasBreaks { left -= 1 }
    }
  }
}

extension Tensor {
  /// Whether decimals say everything: no NaN but the usual one, no set bits that belong to no element.
  fileprivate func isDecimal(_ raw: UnsafeRawBufferPointer) -> Bool {
    switch element {
    case .string: return true
    case .float32, .complex64:
      return (0..<raw.count / 4).allSatisfy { index in
        let bits = UInt32(
          littleEndian: raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        return bits & 0x7FFF_FFFF <= 0x7F80_0000 || bits == 0x7FC0_0000
      }
    case .float64, .complex128:
      return (0..<raw.count / 8).allSatisfy { index in
        let bits = UInt64(
          littleEndian: raw.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        return bits & (1 << 63 - 1) <= 0x7FF0_0000_0000_0000 || bits == 0x7FF8_0000_0000_0000
      }
    default:
      let isWhole = element.isInteger && element.bitWidth >= 8
      if isWhole { return true }
      let again =
        element == .bool || element.isInteger
        ? Tensor(element, shape, integers: integers) : Tensor(element, shape, doubles: doubles)
      return again == self
    }
  }
}
