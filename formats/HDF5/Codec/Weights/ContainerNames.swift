/// The names that Keras gives the objects of a list: the class in snake case, counted.
struct ContainerNames {
  private var used: [String: Int] = [:]

  mutating func next(_ className: String) -> String {
    // `Model` and `Functional` are one class in memory.
    let name = Self.snakeCase(className == "Model" ? "Functional" : className)
    guard let count = used[name] else {
      used[name] = 0
      return name
    }
    used[name] = count + 1
    return "\(name)_\(count + 1)"
  }

  /// `Conv2DTranspose` is `conv2d_transpose`, `PReLU` is `p_re_lu`.
  ///
  /// - Source: Keras 3, `utils/naming.py`, `to_snake_case`: an underscore before each capital that
  ///   begins a lower-case run, then between a lower-case letter and a capital.
  static func snakeCase(_ name: String) -> String {
    let letters = Array(name.unicodeScalars)
    func isLower(_ scalar: Unicode.Scalar) -> Bool { scalar >= "a" && scalar <= "z" }
    func isUpper(_ scalar: Unicode.Scalar) -> Bool { scalar >= "A" && scalar <= "Z" }
    var first: [Unicode.Scalar] = []
    var at = 0
    while at < letters.count {
      first.append(letters[at])
      at += 1
      guard at + 1 < letters.count, isUpper(letters[at]), isLower(letters[at + 1]) else { continue }
      first.append("_")
      repeat {
        first.append(letters[at])
        at += 1
      } while at < letters.count && isLower(letters[at])
    }
    var text = ""
    for (index, scalar) in first.enumerated() {
      if index > 0, isLower(first[index - 1]), isUpper(scalar) { text += "_" }
      text.unicodeScalars.append(scalar)
    }
    return text.lowercased()
  }
}
