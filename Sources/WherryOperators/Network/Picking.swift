import WherryBytes
import WherryGraph

extension Tensor {
  /// A tensor of elements picked from this one, of any byte-wide type or strings.
  ///
  /// - Parameter sources: flat index of each element; -1 for `fill`.
  /// - Parameter fill: a scalar of the same element type; zero bytes or an empty string when nil.
  /// - Returns: nil for element types narrower than a byte, or when `sources` doesn't fit `shape`.
  func picking(_ sources: [Int], _ shape: [Int], fill: Tensor? = nil) -> Tensor? {
    if element == .string {
      let strings = strings
      let blank = fill?.strings.first ?? Bytes()
      return Tensor(shape, strings: sources.map { $0 < 0 ? blank : strings[$0] })
    }
    guard element.bitWidth % 8 == 0 else { return nil }
    let width = element.bitWidth / 8
    let blank = fill?.bytes ?? Bytes()
    let picked = bytes.withUnsafeBytes { source in
      blank.withUnsafeBytes { blank in
        Bytes(count: sources.count * width) { target in
          for (index, from) in sources.enumerated() {
            let element =
              from < 0
              ? UnsafeRawBufferPointer(rebasing: blank.prefix(width))
              : UnsafeRawBufferPointer(rebasing: source[from * width..<(from + 1) * width])
            UnsafeMutableRawBufferPointer(rebasing: target[(index * width)...])
              .copyMemory(from: element)
          }
        }
      }
    }
    return Tensor(element, shape, bytes: picked)
  }
}
