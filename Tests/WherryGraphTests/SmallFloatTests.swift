import Testing
import WherryGraph

@Suite struct SmallFloatTests {
  static let types: [ElementType] = [
    .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1,
    .float6e2m3, .float6e3m2,
  ]

  private static func layout(_ type: ElementType) throws -> SmallFloat {
    try #require(SmallFloat(type))
  }

  private static func patterns(_ layout: SmallFloat) -> Range<Int> {
    0..<1 << (layout.exponentBits + layout.mantissaBits + 1)
  }

  @Test(arguments: types) func everyPatternSurvivesDecodingAndEncoding(_ type: ElementType) throws {
    let layout = try Self.layout(type)
    for pattern in Self.patterns(layout) {
      let value = layout.decode(UInt16(pattern))
      for saturate in [false, true] where !(saturate && value.isInfinite) {
        let back = layout.encode(value, saturate: saturate)
        if value.isNaN {
          #expect(layout.decode(back).isNaN)
        } else {
          #expect(Int(back) == pattern, "\(type) \(pattern) \(value)")
        }
      }
    }
  }

  @Test func halfPatternsDecodeAsTheHardwareSays() throws {
    let (half, brain) = (try Self.layout(.float16), try Self.layout(.bfloat16))
    for pattern in UInt16.min...UInt16.max {
      let (x, y) = (Double(Float16(bitPattern: pattern)), half.decode(pattern))
      #expect(x == y && x.sign == y.sign || x.isNaN && y.isNaN)
      let (a, b) = (Double(Float(bitPattern: UInt32(pattern) << 16)), brain.decode(pattern))
      #expect(a == b && a.sign == b.sign || a.isNaN && b.isNaN)
    }
  }

  /// Between every two neighbours: the middle goes to the even one, everything else to the nearer one.
  @Test(arguments: types) func roundingIsToTheNearestAndTiesToEven(_ type: ElementType) throws {
    let layout = try Self.layout(type)
    for low in 0..<Self.patterns(layout).count / 2 - 1 {
      let (a, b) = (layout.decode(UInt16(low)), layout.decode(UInt16(low + 1)))
      guard a.isFinite, b.isFinite else { continue }
      let middle = (a + b) / 2
      for (value, pattern) in [
        (middle, low + low % 2), (middle.nextDown, low), (middle.nextUp, low + 1),
      ] {
        #expect(Int(layout.encode(value, saturate: true)) == pattern, "\(type) \(value)")
        let negative = layout.decode(layout.encode(-value, saturate: true))
        #expect(negative == -layout.decode(UInt16(pattern)))
      }
    }
  }

  /// Patterns that the library ml_dtypes gives for these numbers.
  @Test func narrowTypesEncodeAsOtherLibrariesDo() throws {
    let numbers: [Double] = [
      0, -0.0, 1e-9, -1e-9, 448, 464, 464.01, -1e9, .infinity, -.infinity, .nan, 57344, 61440, 0.3,
      -0.3,
      6, 7, 7.5, 28, 30, 2.9,
    ]
    let expected: [(ElementType, [UInt16])] = [
      (
        .float8e4m3fn,
        [
          0x00, 0x80, 0x00, 0x80, 0x7e, 0x7e, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0x7f, 0x7f, 0x2a, 0xaa,
          0x4c, 0x4e, 0x4f, 0x5e, 0x5f, 0x44,
        ]
      ),
      (
        .float8e4m3fnuz,
        [
          0x00, 0x00, 0x00, 0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x32, 0xb2,
          0x54, 0x56, 0x57, 0x66, 0x67, 0x4c,
        ]
      ),
      (
        .float8e5m2,
        [
          0x00, 0x80, 0x00, 0x80, 0x5f, 0x5f, 0x5f, 0xfc, 0x7c, 0xfc, 0x7e, 0x7b, 0x7c, 0x35, 0xb5,
          0x46, 0x47, 0x48, 0x4f, 0x50, 0x42,
        ]
      ),
      (
        .float8e5m2fnuz,
        [
          0x00, 0x00, 0x00, 0x00, 0x63, 0x63, 0x63, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x80, 0x39, 0xb9,
          0x4a, 0x4b, 0x4c, 0x53, 0x54, 0x46,
        ]
      ),
      (
        .float4e2m1,
        [
          0x00, 0x08, 0x00, 0x08, 0x07, 0x07, 0x07, 0x0f, 0x07, 0x0f, 0x08, 0x07, 0x07, 0x01, 0x09,
          0x07, 0x07, 0x07, 0x07, 0x07, 0x05,
        ]
      ),
      (
        .float6e2m3,
        [
          0x00, 0x20, 0x00, 0x20, 0x1f, 0x1f, 0x1f, 0x3f, 0x1f, 0x3f, 0x20, 0x1f, 0x1f, 0x02, 0x22,
          0x1c, 0x1e, 0x1f, 0x1f, 0x1f, 0x14,
        ]
      ),
      (
        .float6e3m2,
        [
          0x00, 0x20, 0x00, 0x20, 0x1f, 0x1f, 0x1f, 0x3f, 0x1f, 0x3f, 0x20, 0x1f, 0x1f, 0x05, 0x25,
          0x16, 0x17, 0x18, 0x1f, 0x1f, 0x12,
        ]
      ),
    ]
    for (type, patterns) in expected {
      let layout = try Self.layout(type)
      for (number, pattern) in zip(numbers, patterns) {
        #expect(layout.encode(number, saturate: false) == pattern, "\(type) \(number)")
      }
    }
  }

  /// Sums of magnitudes and numbers of NaNs over all patterns, by ml_dtypes.
  @Test func narrowTypesDecodeAsOtherLibrariesDo() throws {
    let expected: [(ElementType, sum: Double, nans: Int, largest: Double)] = [
      (.float8e4m3fn, 10815.75, 2, 448), (.float8e4m3fnuz, 5887.875, 1, 240),
      (.float8e5m2fnuz, 720_895.999_755_859_4, 1, 57344), (.float4e2m1, 36, 0, 6),
      (.float6e2m3, 168, 0, 7.5), (.float6e3m2, 350, 0, 28),
    ]
    for (type, sum, nans, largest) in expected {
      let layout = try Self.layout(type)
      let values = Self.patterns(layout).map { layout.decode(UInt16($0)) }
      #expect(values.filter(\.isNaN).count == nans)
      #expect(values.filter { !$0.isNaN }.map(\.magnitude).reduce(0, +) == sum)
      #expect(values.filter { !$0.isNaN }.max() == largest)
    }
  }

  @Test func saturationGivesTheLargestNumberInsteadOfInfinity() throws {
    let e5m2 = try Self.layout(.float8e5m2)
    #expect(e5m2.encode(.infinity, saturate: true) == 0x7b)
    #expect(e5m2.encode(-1e30, saturate: true) == 0xfb)
    let e4m3 = try Self.layout(.float8e4m3fn)
    #expect(e4m3.encode(1e30, saturate: true) == 0x7e)
    #expect(e4m3.encode(.nan, saturate: true) == 0x7f)
  }
}
