import CWherryABI
import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryNative
import WherryOperators
import WherryPasses

private func read(_ bytes: [UInt8]) throws -> Model {
  try NativeFormat.read(ModelSource(Bytes(bytes), operators: OperatorSet.all)).model
}

@Test func everyPrefixIsRefused() throws {
  let whole = try NativeFormat.encode(NativeSample.small()).bytes.array
  for count in 0..<whole.count {
    #expect(throws: ReadFailure.self) { try read(Array(whole[..<count])) }
  }
}

@Test func aPrefixNamesWhatIsMissing() throws {
  let whole = try NativeFormat.encode(NativeSample.small()).bytes.array
  do {
    _ = try read(Array(whole[..<200]))
    Issue.record("a prefix was read")
  } catch let failure as ReadFailure {
    #expect(failure.errors.first?.reason == .truncated(needed: whole.count, available: 200))
    #expect(failure.errors.first?.place.position == .byte(16))
  }
}

/// Mutants keep a correct header digest, so that the graph's decoder is what refuses them.
@Test func mutantsNeverCrash() throws {
  let whole = try NativeFormat.encode(NativeSample.full()).bytes.array
  let count = Suites.environment("WHERRY_MUTANTS").flatMap { Int($0) } ?? 2000
  var random = SplitMix(seed: 7)
  var refused = 0
  for _ in 0..<count {
    var mutant = whole
    for _ in 0...random.below(3) {
      let place = random.below(mutant.count - 256) + 256
      switch random.below(3) {
      case 0: mutant[place] = UInt8(truncatingIfNeeded: random.next())
      case 1: mutant[place] ^= 1 << UInt8(random.below(8))
      default: mutant[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
      }
    }
    if (try? read(mutant)) == nil { refused += 1 }
  }
  #expect(refused > count / 4)
}

@Test func anotherMajorVersionIsRefusedByName() throws {
  var bytes = try NativeFormat.encode(NativeSample.small()).bytes.array
  bytes[8] = 2
  #expect(throws: ReadFailure.self) { try read(bytes) }
  do { _ = try read(bytes) } catch let failure as ReadFailure {
    #expect(failure.errors.first?.reason == .unsupportedVersion("2.1"))
    #expect(failure.errors.first?.place.position == .byte(8))
  }
}

@Test func aChangedHeaderIsRefusedByItsDigest() throws {
  var bytes = try NativeFormat.encode(NativeSample.small()).bytes.array
  bytes[40] ^= 1
  do {
    _ = try read(bytes)
    Issue.record("a changed header was read")
  } catch let failure as ReadFailure {
    #expect(failure.errors.first?.reason == .inconsistent("the digest of the header"))
  }
}
