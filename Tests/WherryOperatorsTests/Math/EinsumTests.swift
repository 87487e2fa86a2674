import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

@Suite struct EinsumTests {
  private func sum(_ equation: String, _ inputs: Tensor...) throws -> Tensor {
    var einsum = Einsum()
    einsum.equation = equation
    let call = OperatorCall(
      inputs: inputs.map { .tensor($0) }, wanted: [true],
      runGraph: { (_, _) throws(RunError) in [] })
    return try #require(try einsum.evaluate(call).first??.tensor)
  }

  @Test func implicitResultsAreSortedWithTheEllipsisFirst() throws {
    let x = try integers(.int64, [1, 2, 3, 4, 5, 6], [2, 3])
    #expect(try sum("ba", x).integers == [1, 4, 2, 5, 3, 6])
    #expect(try sum("b...", x).integers == [1, 4, 2, 5, 3, 6])
    #expect(try sum("aB", x).integers == [1, 4, 2, 5, 3, 6])
  }

  @Test func diagonalsAndTracesComeFromRepeatedLabels() throws {
    let x = try integers(.int32, [1, 2, 3, 4], [2, 2])
    #expect(try sum("ii->i", x).integers == [1, 4])
    #expect(try sum("ii", x).integers == [5])
  }

  @Test func chainsAreContractedPairByPair() throws {
    let x = try floats(.float64, [1, 2, 3, 4], [2, 2])
    #expect(try sum("ij,jk,kl,lm->im", x, x, x, x).doubles == [199, 290, 435, 634])
    #expect(try sum("ij,jk,ki->", x, x, x).doubles == [sumOfTrace])
  }

  private let sumOfTrace = 37.0 + 118

  @Test func malformedEquationsAreRefused() throws {
    let x = try floats(.float32, [1, 2], [2])
    for equation in ["", "ij", "i->j", "i->ii", "i,i", "i.", "i..", "....", "1", "i->i->i", "é"] {
      #expect(throws: RunError.self, "\(equation)") { try sum(equation, x) }
      var einsum = Einsum()
      einsum.equation = equation
      #expect(throws: TypeError.self, "\(equation)") { try inferred(einsum, x) }
    }
  }
}
