import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

/// Tensors without elements, whose other extents may be of any size.
@Suite struct EmptyTensorTests {
  private let huge = 1 << 40

  private func empty(_ shape: [Int]) throws -> Tensor {
    try #require(Tensor(.float32, shape, bytes: Bytes()))
  }

  @Test func elementwiseOperatorsKeepTheShape() throws {
    for shape in [[0, huge, 1 << 20], [huge, 1 << 20, 0]] {
      let x = try empty(shape)
      #expect(try evaluated(Exp(), x).shape == shape)
      #expect(try evaluated(Add(), x, x).shape == shape)
      #expect(try evaluated(Softmax(), x).shape == shape)
      #expect(try evaluated(CumSum(), x, integers(.int64, [1], [])).shape == shape)
    }
  }

  @Test func reductionsGiveTheirIdentity() throws {
    let x = try empty([2, 0])
    let axes = try integers(.int64, [1])
    #expect(try evaluated(ReduceSum(), x, axes).doubles == [0, 0])
    #expect(try evaluated(ReduceProd(), x, axes).doubles == [1, 1])
    #expect(try evaluated(ReduceMax(), x, axes).doubles == [-.infinity, -.infinity])
    #expect(try evaluated(ReduceLogSumExp(), x, axes).doubles == [-.infinity, -.infinity])
    let none = try #require(Tensor(.uint8, [0], bytes: Bytes()))
    #expect(try evaluated(ReduceMin(), none).integers == [255])
  }

  @Test func tooManyEmptyGroupsAreALimit() throws {
    let limit = RunError(.limit("\(1 << 28) elements in a tensor"))
    let x = try empty([huge, 0])
    #expect(throws: limit) { try evaluated(ReduceSum(), x, integers(.int64, [1])) }
    var search = ArgMax()
    search.axis = 1
    #expect(throws: limit) { try evaluated(search, x) }
    #expect(throws: limit) { try evaluated(MatMul(), x, empty([0, huge])) }
    #expect(throws: limit) { try evaluated(Det(), empty([huge, 0, 0])) }
  }

  @Test func productsOverNothingAreZero() throws {
    #expect(try evaluated(MatMul(), empty([2, 0]), empty([0, 1])).doubles == [0, 0])
    #expect(try evaluated(MatMul(), empty([0, huge, 0]), empty([0, 0, 7])).shape == [0, huge, 7])
    #expect(try evaluated(Det(), empty([1, 0, 0])).doubles == [1])
    var sum = Einsum()
    sum.equation = "ij,jk->ik"
    #expect(try evaluated(sum, empty([1, 0]), empty([0, 2])).doubles == [0, 0])
  }
}
