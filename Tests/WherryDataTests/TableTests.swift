import Testing
import WherryBytes
import WherryData
import WherryGraph

@Suite struct TableTests {
  private func model(_ inputs: [ValueInfo], schema: [InputColumn] = []) -> Model {
    Model(graph: Graph(inputs: inputs), schema: schema)
  }

  private let features = ValueInfo("x", .tensor(.float32, Shape([.symbolic("n"), 2])))

  @Test func quotedCellsKeepCommasQuotesAndLineBreaks() throws {
    let table = try CSVTable(Bytes("a,b\n\"1,5\",\"say \"\"hi\"\"\nthere\"\n".utf8))
    #expect(table.header == ["a", "b"])
    #expect(table.rows == [["1,5", "say \"hi\"\nthere"]])
  }

  @Test func aShortRowNamesItsLine() throws {
    let error = #expect(throws: DecodeError.self) { try CSVTable(Bytes("1,2\n3\n".utf8)) }
    #expect(error?.place.position == .text(line: 2, column: 2))
  }

  @Test func anEmptyCellIsMissing() throws {
    var data = InputData(model([features]))
    try data.add(Bytes("p,q\n1,\n3,4\n".utf8), path: "t.csv", input: nil)
    let numbers = data.tensors["x"]?.doubles
    #expect(numbers?.count == 4)
    #expect(numbers?[1].isNaN == true)
    #expect(numbers?[3] == 4)
  }

  @Test func columnsGoByTheSchemasNames() throws {
    let schema = [
      InputColumn(input: "x", index: 0, name: "width"),
      InputColumn(input: "x", index: 1, name: "height"),
    ]
    var data = InputData(model([features], schema: schema))
    try data.add(Bytes("height,id,width\n2,9,1\n".utf8), path: "t.csv", input: nil)
    #expect(data.tensors["x"]?.doubles == [1, 2])
  }

  @Test func aWordWhereANumberBelongsNamesItsCell() throws {
    var data = InputData(model([features]))
    let error = #expect(throws: DecodeError.self) {
      try data.add(Bytes("a,b\n1,two\n".utf8), path: "t.csv", input: nil)
    }
    #expect(error?.place.position == .text(line: 2, column: 2))
    #expect(error?.reason == .invalid("\"two\" is not a number"))
  }

  @Test func severalInputsGoByColumnName() throws {
    let column = ValueType.tensor(.int64, Shape([.symbolic("n"), 1]))
    var data = InputData(model([ValueInfo("age", column), ValueInfo("size", column)]))
    try data.add(Bytes("size,age\n7,30\n8,31\n".utf8), path: "t.csv", input: nil)
    #expect(data.tensors["age"]?.integers == [30, 31])
    #expect(data.tensors["size"]?.shape == [2, 1])
  }

  @Test func jsonLinesStackSamples() throws {
    var data = InputData(model([features]))
    try data.add(Bytes("{\"x\":[1,2]}\n{\"x\":[3,4.5]}\n".utf8), path: "t.jsonl", input: nil)
    #expect(data.tensors["x"]?.shape == [2, 2])
    #expect(data.tensors["x"]?.doubles == [1, 2, 3, 4.5])
  }

  @Test func rawBytesFillTheOpenAxis() throws {
    var data = InputData(model([features]))
    try data.add(Bytes([UInt8](repeating: 0, count: 24)), path: "t.raw", input: nil)
    #expect(data.tensors["x"]?.shape == [3, 2])
    #expect(throws: DecodeError.self) {
      try data.add(Bytes([UInt8](repeating: 0, count: 23)), path: "t.raw", input: "x")
    }
  }

  @Test func anotherElementTypeIsRefusedUnlessAskedFor() throws {
    let array = Bytes(Npy.write(try #require(Tensor(.float64, [1, 2], doubles: [1, 2]))))
    var strict = InputData(model([features]))
    #expect(throws: DecodeError.self) { try strict.add(array, path: "t.npy", input: nil) }
    var casting = InputData(model([features]), isCasting: true)
    try casting.add(array, path: "t.npy", input: nil)
    #expect(casting.tensors["x"]?.element == .float32)
  }

  @Test func writtenTablesQuoteWhatNeedsIt() throws {
    let words = try #require(Tensor([2], strings: [Bytes("a,b".utf8), Bytes("c".utf8)]))
    let scores = try #require(Tensor(.float32, [2, 2], doubles: [0.1, 0.25, -1, 3]))
    let text = CSVTable.write([("word", words), ("score", scores)])
    #expect(text == "word,score_0,score_1\n\"a,b\",0.1,0.25\nc,-1.0,3.0\n")
  }
}
