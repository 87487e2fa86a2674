import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryNative
import WherryONNX
import WherryOperators

@Test func aModelWithEveryFieldComesBackEqual() throws {
  let model = try NativeSample.full()
  #expect(model.violations.isEmpty)
  let (bytes, losses) = try NativeFormat.encode(model)
  // The unknown operator keeps it from having a plan, and nothing else is lost.
  #expect(!losses.isEmpty && losses.allSatisfy { $0.kind == .capability })
  let back = try NativeFormat.read(ModelSource(bytes, operators: OperatorSet.all)).model
  #expect(back == model)
  #expect(try NativeFormat.verifyDigests(bytes).isEmpty)
}

@Test func equalModelsGiveEqualBytes() throws {
  let first = try NativeFormat.encode(NativeSample.full()).bytes
  let second = try NativeFormat.encode(NativeSample.full()).bytes
  #expect(first == second)
}

@Test func packedWeightsAreStoredOnceAndComeBackUnpacked() throws {
  let model = try NativeSample.small()
  let (bytes, losses) = try NativeFormat.encode(model)
  #expect(losses.isEmpty)
  let facts = try #require(NativeFormat.facts(bytes))
  #expect(facts.macs == 60)
  #expect(facts.operations == 1)
  // Two panels of 16 columns and 3 rows, and 20 biases: the graph adds no copies of its own.
  let whole = bytes.count
  var planOnly = WriteOptions()
  planOnly.isPlanOnly = true
  let plan = try NativeFormat.encode(model, planOnly).bytes
  #expect(whole - plan.count < 4096 + 64)
  #expect(try NativeFormat.read(ModelSource(bytes, operators: OperatorSet.all)).model == model)
}

@Test func aPlanOnlyFileReadsAsItsInterface() throws {
  var options = WriteOptions()
  options.isPlanOnly = true
  let bytes = try NativeFormat.encode(NativeSample.small(), options).bytes
  let reading = try NativeFormat.read(ModelSource(bytes, operators: OperatorSet.all))
  #expect(reading.losses.map(\.kind) == [.capability])
  #expect(reading.model.graph.nodes.map(\.operation.name.name) == ["Plan"])
  #expect(reading.model.graph.inputs.map(\.name) == ["x"])
  #expect(NativeFormat.facts(bytes) != nil)
}

@Test func aChangedWeightIsFoundByItsDigest() throws {
  var bytes = try NativeFormat.encode(NativeSample.small()).bytes.array
  bytes[bytes.count - 1] ^= 1
  let found = try NativeFormat.verifyDigests(Bytes(bytes))
  #expect(found.map(\.reason) == [.inconsistent("the digest of section WGHT")])
}

@Test func everyModelOfTheNodeSuiteComesBackEqual() throws {
  guard let folder = Suites.find("onnx_node") else { return }
  let files = Folder.files(folder, suffix: "/model.onnx")
  #expect(files.count > 1000)
  var read = 0
  for file in files {
    let source = ModelSource(try Bytes(mapping: file), path: file, operators: OperatorSet.all)
    guard let model = try? ONNXFormat.read(source).model else { continue }
    read += 1
    let bytes = try NativeFormat.encode(model).bytes
    #expect(try NativeFormat.encode(model).bytes == bytes, "\(file)")
    let back = try NativeFormat.read(ModelSource(bytes, operators: OperatorSet.all)).model
    #expect(back == model, "\(file)")
  }
  #expect(read > 1000)
}
