import CWherryABI
import Testing
import WherryRuntime

/// y = |x| of three floats as a file, with two labels.
private final class AbsoluteFile {
  let bytes: UnsafeMutableRawBufferPointer

  init() {
    var plan = wh_plan_header()
    plan.version = WH_PLAN_VERSION
    plan.tensor_count = 2
    plan.operation_count = 1
    plan.operand_count = 4
    plan.input_count = 1
    plan.output_count = 1
    plan.parameter_bytes = UInt32(MemoryLayout<wh_unary>.size)
    let text = Array("x\0y\0no\0yes\0".utf8)
    plan.text_bytes = UInt32(text.count)
    plan.arena_bytes = 128
    plan.live_bytes = 128

    var x = wh_tensor_record()
    x.bytes = 12
    x.element = UInt32(WH_FLOAT32)
    x.rank = 1
    x.dims.0 = 3
    x.labels = WH_NONE
    var y = x
    y.offset = 64
    y.name = 2
    y.labels = 4
    y.label_count = 2

    var operation = wh_operation_record()
    operation.code = 7
    operation.operands = 2
    operation.input_count = 1
    operation.output_count = 1
    operation.parameter_bytes = plan.parameter_bytes
    operation.name = WH_NONE
    var parameters = wh_unary()
    parameters.kind = Int32(WH_ABS)
    parameters.element = Int32(WH_FLOAT32)

    var content: [UInt8] = []
    append(plan, to: &content)
    append(x, to: &content)
    append(y, to: &content)
    append(operation, to: &content)
    for operand: UInt32 in [0, 1, 0, 1] { append(operand, to: &content) }
    append(parameters, to: &content)
    content += text

    var header = wh_file_header()
    header.magic = WH_FILE_MAGIC
    header.major = UInt16(WH_FILE_MAJOR)
    header.section_count = 1
    header.file_bytes = UInt64(192 + content.count)
    header.arena_bytes = plan.arena_bytes
    header.live_bytes = plan.live_bytes
    var section = wh_section_record()
    section.kind = UInt32(WH_SECTION_PLAN)
    section.version = 1
    section.offset = 192
    section.bytes = UInt64(content.count)
    var file: [UInt8] = []
    append(header, to: &file)
    append(section, to: &file)
    file += content
    bytes = .allocate(byteCount: file.count, alignment: 64)
    bytes.copyBytes(from: file)
  }

  deinit { bytes.deallocate() }

  var view: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
}

private func append<Value>(_ value: Value, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: value) { bytes += $0 }
}

private func floats(_ bytes: [UInt8]) -> [Float] {
  bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}

@Suite struct RuntimeModelTests {
  @Test func aModelRunsAndDescribesItself() throws {
    let file = AbsoluteFile()
    let model = try RuntimeModel(file.view, owner: file)
    #expect(model.info.arenaBytes == 128)
    #expect(model.inputs.map(\.name) == ["x"])
    #expect(model.outputs.map(\.labels) == [["no", "yes"]])
    #expect(model.outputs[0].dims == [3])
    let x: [Float] = [-1, 2, -3]
    let outputs = try x.withUnsafeBytes { try model.run(inputs: [$0]) }
    #expect(outputs.map(floats) == [[1, 2, 3]])
  }

  @Test func aWrongInputSizeNamesItsTensor() throws {
    let file = AbsoluteFile()
    let model = try RuntimeModel(file.view, owner: file)
    let error = #expect(throws: RuntimeError.self) {
      try [1].withUnsafeBytes { try model.run(inputs: [$0]) }
    }
    #expect(error?.status == .badSize)
    #expect(error?.tensor == 0)
    #expect(throws: RuntimeError.self) { try model.run(inputs: []) }
  }

  @Test func aRefusalCarriesStatusAndPlace() {
    let file = AbsoluteFile()
    file.bytes[192 + 64 + 16] = 99
    let error = #expect(throws: RuntimeError.self) { try RuntimeModel(file.view, owner: file) }
    #expect(error?.status == .badModel)
    #expect(error?.offset == 192 + 64 + 16)
    #expect(error?.tensor == 0)
    let empty = #expect(throws: RuntimeError.self) {
      try RuntimeModel(UnsafeRawBufferPointer(rebasing: file.view[..<0]))
    }
    #expect(empty?.status == .truncated)
  }

  @Test func missingDigestsAndTestsAreNamed() throws {
    let file = AbsoluteFile()
    let digest = #expect(throws: RuntimeError.self) { try RuntimeModel.verifyDigests(file.view) }
    #expect(digest?.status == .badDigest)
    let model = try RuntimeModel(file.view, owner: file)
    let test = #expect(throws: RuntimeError.self) { try model.selfTest() }
    #expect(test?.status == .noTest)
  }

  @Test func profileCountsRuns() throws {
    let file = AbsoluteFile()
    var options = RuntimeModel.Options()
    options.profile = true
    options.forbiddenCPU = ~0
    let model = try RuntimeModel(file.view, owner: file, options: options)
    let x: [Float] = [0, 0, 0]
    for _ in 0..<3 { _ = try x.withUnsafeBytes { try model.run(inputs: [$0]) } }
    let rows = try model.profile()
    #expect(rows.map(\.kernel) == ["Unary"])
    #expect(rows.map(\.runs) == [3])
  }
}
