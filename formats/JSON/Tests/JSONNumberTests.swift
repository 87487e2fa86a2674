import Testing
import WherryBytes
import WherryGraph

@testable import WherryJSON

@Suite struct JSONNumberTests {
  static let seed: UInt64 = 20_240_607

  private func text(_ write: (UnsafeMutablePointer<UInt8>) -> Int) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { target in
      guard let base = target.baseAddress else { return "" }
      return String(decoding: target.prefix(write(base)), as: UTF8.self)
    }
  }

  private func text(_ value: Float) -> String {
    text { DecimalText.number(ShortestDecimal(value.bitPattern, PowersOfTen.table), to: $0) }
  }

  private func text(_ value: Double) -> String {
    text { DecimalText.number(ShortestDecimal(value.bitPattern, PowersOfTen.table), to: $0) }
  }

  private func cursor<R>(_ text: String, _ body: (inout JSONCursor) throws -> R) throws -> R {
    try Array(text.utf8).withUnsafeBytes { raw in
      var cursor = try #require(JSONCursor(raw))
      return try body(&cursor)
    }
  }

  private func float(_ text: String) throws -> Float? {
    try cursor(text) { $0.float(try $0.number(), PowersOfTen.table) }
  }

  private func double(_ text: String) throws -> Double? {
    try cursor(text) { $0.double(try $0.number(), PowersOfTen.table) }
  }

  /// Digits and exponent of a decimal, whatever its notation.
  private func digits(_ text: String) -> String {
    let parts = text.lowercased().split(separator: "e")
    let mantissa = parts[0].split(separator: ".")
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    let all = (mantissa[0] + fraction).drop { $0 == "0" }
    let stripped = String(all.reversed().drop { $0 == "0" }.reversed())
    let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - fraction.count
    return "\(stripped)e\(exponent + all.count)"
  }

  @Test func floatsAreAsShortAsTheStandardLibrarySays() throws {
    var random = SplitMix(state: Self.seed)
    let edges: [Float] = [
      1, 10, 16_777_216, Float(bitPattern: 1), .leastNormalMagnitude, .greatestFiniteMagnitude, 0.1,
      9.5e-5, 1e16,
      9_999_999, 1e-5, Float(bitPattern: 14), 8_388_609,
    ]
    let powers = (-149...127).map { Float(sign: .plus, exponent: $0, significand: 1) }
    let any = (0..<30_000).map { _ in
      Float(bitPattern: UInt32(truncatingIfNeeded: random.next()) & 0x7FFF_FFFF)
    }
    for value in edges + powers + any where value.isFinite && value > 0 {
      let written = text(value)
      #expect(
        digits(written) == digits(value.description), "\(value) as \(written), seed \(Self.seed)")
      #expect(try float(written) == value)
    }
  }

  @Test func doublesAreAsShortAsTheStandardLibrarySays() throws {
    var random = SplitMix(state: Self.seed)
    let edges = [
      1, 10, 9_007_199_254_740_992, Double(bitPattern: 1), .leastNormalMagnitude,
      .greatestFiniteMagnitude, 0.1,
      1e16, 1e17, 123_456_789_012_345_680, 9.5e-5, 1e22, 1e23,
      Double(bitPattern: 0xF_FFFF_FFFF_FFFF),
    ]
    let powers = (-1074...1023).map { Double(sign: .plus, exponent: $0, significand: 1) }
    let any = (0..<30_000).map { _ in Double(bitPattern: random.next() >> 1) }
    for value in edges + powers + any where value.isFinite && value > 0 {
      let written = text(value)
      #expect(
        digits(written) == digits(value.description), "\(value) as \(written), seed \(Self.seed)")
      #expect(try double(written) == value)
    }
  }

  /// Decimals of any length, also ones that lie on or beside the middle between two floats.
  @Test func decimalsRoundAsTheStandardLibraryDoes() throws {
    var random = SplitMix(state: Self.seed)
    for _ in 0..<30_000 {
      let count = Int(random.next() % 25) + 1
      let number = (0..<count).map { _ in String(random.next() % 10) }.joined()
      let exponent = Int(random.next() % 90) - 60
      let written = "\(random.next() % 10).\(number)e\(exponent)"
      let expected = try #require(Float(written))
      #expect(try float(written) == (expected.isFinite ? expected : nil), "\(written)")
      #expect(try double(written) == Double(written), "\(written)")
    }
    for _ in 0..<10_000 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()) & 0x7F7F_FFFF)
      let middle = (Double(value) + Double(value.nextUp)) / 2
      for near in [middle, middle.nextUp, middle.nextDown] {
        #expect(try float(near.description) == Float(near.description), "\(near)")
      }
    }
    let halfway = "1.00000005960464477539062500000000000000"
    #expect(try float(halfway) == 1)
    #expect(try float(halfway + "1") == Float(1).nextUp)
  }

  @Test func numbersPastTheLargestAreNone() throws {
    #expect(try float("3.4028236e38") == nil)
    #expect(try float("3.40282350e38") == .greatestFiniteMagnitude)
    #expect(try double("1.8e308") == nil)
    #expect(try double("1e99999999999999999999") == nil)
    #expect(try double("1e-99999999999999999999") == 0)
    #expect(try double("-1e-400")?.sign == .minus)
    #expect(try float("-0")?.sign == .minus)
    #expect(try float("0e5") == 0)
  }

  @Test func integersAreExactOverTheirWholeRange() throws {
    func integer<T: FixedWidthInteger>(_ text: String, _ type: T.Type) throws -> T? {
      try cursor(text) { $0.integer(try $0.number(), type) }
    }
    #expect(try integer("18446744073709551615", UInt64.self) == .max)
    #expect(try integer("18446744073709551616", UInt64.self) == nil)
    #expect(try integer("-9223372036854775808", Int64.self) == .min)
    #expect(try integer("-9223372036854775809", Int64.self) == nil)
    #expect(try integer("9223372036854775807", Int64.self) == .max)
    #expect(try integer("9223372036854775808", Int64.self) == nil)
    #expect(try integer("-1", UInt64.self) == nil)
    #expect(try integer("-0", UInt8.self) == 0)
    #expect(try integer("1.0", Int64.self) == nil)
    #expect(try integer("1e2", Int64.self) == nil)
    #expect(try integer("100000000000000000000000000", Int64.self) == nil)
    for value: UInt64 in [0, 9, 10, 99_999_999, 100_000_000, 12_345_678_901_234_567, .max] {
      #expect(text { DecimalText.integer(value, to: $0) } == value.description)
    }
  }

  @Test func base64IsThatOfRFC4648() throws {
    let vectors = [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]
    for (plain, coded) in vectors {
      #expect(encode(Array(plain.utf8)) == coded)
      #expect(decode(coded) == Array(plain.utf8))
    }
    var random = SplitMix(state: Self.seed)
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(decode(encode(bytes)) == bytes)
    }
    for wrong in ["Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zm9v!m9v", "Zm9vYg==Zm9v", "Zg=A"] {
      #expect(decode(wrong) == nil, "\(wrong)")
    }
    let long = String(repeating: "Zm9v", count: 20)
    for index in 0..<80 {
      var text = Array(long.utf8)
      text[index] = 0x2D
      #expect(failure(text) == index)
    }
  }

  private func encode(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: Base64.encodedCount(bytes.count))
    bytes.withUnsafeBytes { source in
      text.withUnsafeMutableBytes { target in
        if let base = target.baseAddress { Base64.encode(source, to: base) }
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private func decode(_ text: String) -> [UInt8]? {
    Array(text.utf8).withUnsafeBytes { source -> [UInt8]? in
      guard let count = Base64.decodedCount(source) else { return nil }
      var bytes = [UInt8](repeating: 0, count: count)
      return bytes.withUnsafeMutableBytes { Base64.decode(source, to: $0) } == nil ? bytes : nil
    }
  }

  private func failure(_ text: [UInt8]) -> Int? {
    text.withUnsafeBytes { source in
      var bytes = [UInt8](repeating: 0, count: text.count)
      return bytes.withUnsafeMutableBytes { Base64.decode(source, to: $0) }
    }
  }
}

/// A small seeded generator.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
