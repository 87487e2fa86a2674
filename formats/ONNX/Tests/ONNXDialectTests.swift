import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryONNX

/// Older operator sets, lifted and lowered.
@Suite struct ONNXDialectTests {
  private func ints(_ name: String, _ values: [Int64]) -> WireBuilder {
    values.reduce(WireBuilder().text(1, name).number(20, 7)) { $0.number(8, $1) }
  }

  private func int(_ name: String, _ value: Int64) -> WireBuilder {
    WireBuilder().text(1, name).number(3, value).number(20, 2)
  }

  /// A graph of one node from `x` to `y`.
  private func model(_ node: WireBuilder, operatorSet: Int64) -> [UInt8] {
    WireBuilder.model(
      WireBuilder().message(1, node).text(2, "g").message(11, WireBuilder.value("x"))
        .message(12, WireBuilder().text(1, "y")), operatorSet: operatorSet)
  }

  @Test func axesBecomeAConstantAndGoBack() throws {
    let node = WireBuilder.node("Unsqueeze", ["x"], ["y"]).message(5, ints("axes", [0]))
    let lifted = try read(model(node, operatorSet: 11)).model
    #expect(lifted.graph.initializers.map(\.name) == ["y/axes"])
    #expect(lifted.graph.initializers.first?.tensor.integers == [0])
    #expect(lifted.graph.nodes.first?.inputs == ["x", "y/axes"])
    #expect(try read(written(lifted)).model == lifted)
    let lowered = try DialectLowering.lower(lifted, operatorSet: nil)
    #expect(lowered.graph.initializers.isEmpty)
    #expect(lowered.graph.nodes.first?.operation.attributes == [NamedAttribute("axes", .ints([0]))])
  }

  @Test func oldSoftmaxOverSeveralAxesIsFlattened() throws {
    let shape = [2, 3, 4].reduce(WireBuilder()) {
      $0.message(1, WireBuilder().number(1, Int64($1)))
    }
    let type = WireBuilder().message(1, WireBuilder().number(1, 1).message(2, shape))
    let node = WireBuilder.node("Softmax", ["x"], ["y"]).message(5, int("axis", 1))
    let bytes = WireBuilder.model(
      WireBuilder().message(1, node).message(11, WireBuilder().text(1, "x").message(2, type))
        .message(12, WireBuilder().text(1, "y")), operatorSet: 11)
    let lifted = try read(bytes).model
    #expect(
      lifted.graph.nodes.map(\.operation.name.name) == ["Shape", "Flatten", "Softmax", "Reshape"])
    let lowered = try DialectLowering.lower(lifted, operatorSet: nil)
    #expect(lowered.graph.nodes.map(\.operation.name.name) == ["Softmax"])
    #expect(lowered.graph.nodes.first?.inputs == ["x"])
    #expect(lowered.graph.nodes.first?.outputs == ["y"])
  }

  @Test func anInnerBroadcastOfTheFirstVersionsIsAligned() throws {
    let shape = [2, 3, 4].reduce(WireBuilder()) {
      $0.message(1, WireBuilder().number(1, Int64($1)))
    }
    let type = WireBuilder().message(1, WireBuilder().number(1, 1).message(2, shape))
    let node = WireBuilder.node("Add", ["x", "w"], ["y"]).message(5, int("axis", 1))
      .message(5, int("broadcast", 1))
    let bytes = WireBuilder.model(
      WireBuilder().message(1, node).message(11, WireBuilder().text(1, "x").message(2, type))
        .message(
          5, WireBuilder.tensor("w", [3], [UInt8](repeating: 0, count: 12))
        )
        .message(12, WireBuilder().text(1, "y")), operatorSet: 6)
    let lifted = try read(bytes).model
    #expect(lifted.graph.nodes.map(\.operation.name.name) == ["Unsqueeze", "Add"])
    let lowered = try DialectLowering.lower(lifted, operatorSet: nil)
    #expect(lowered.graph.nodes.map(\.operation.name.name) == ["Add"])
    #expect(
      lowered.graph.nodes.first?.operation.attributes.contains(NamedAttribute("axis", .int(1)))
        == true)
  }

  @Test func computedAxesCanNotBecomeAnAttribute() throws {
    let graph = WireBuilder().message(1, WireBuilder.node("Shape", ["x"], ["s"]))
      .message(1, WireBuilder.node("Unsqueeze", ["x", "s"], ["y"])).text(2, "g")
      .message(11, WireBuilder.value("x")).message(12, WireBuilder().text(1, "y"))
    let model = try read(WireBuilder.model(graph)).model
    var options = WriteOptions()
    options.opset = 11
    #expect {
      try written(model, options)
    } throws: { error in
      let error = error as? EncodeError
      guard case .inexpressible? = error?.reason else { return false }
      return error?.place.road == [.named("graph", nil), .indexed("node", 1, "ny")]
    }
  }

  @Test func anUnmodelledUseOfAnOperatorIsKeptWithALoss() throws {
    let node = WireBuilder.node("Scan", ["", "x", "x"], ["y", "z"])
      .message(5, int("num_scan_inputs", 1))
      .message(5, WireBuilder().text(1, "body").message(6, WireBuilder.sum).number(20, 5))
    let reading = try read(model(node, operatorSet: 8))
    #expect(reading.model.graph.nodes.first?.operation is UnknownOperator)
    if OperatorSet.all[OperatorName("Scan")] != nil {
      #expect(reading.losses.map(\.kind) == [.capability])
    }
    #expect(try read(written(reading.model)).model == reading.model)
  }

  @Test func labelsAndSchemaTravelInTheMetadata() throws {
    var model = try read(WireBuilder.model(WireBuilder.sum)).model
    model.labels = [ClassLabels(output: "y", labels: ["cat", "", "a\nb\\c", "größer"])]
    model.schema = [
      InputColumn(
        input: "x", index: 1, name: "age=2", isCategorical: true, categories: ["", "b"],
        lowest: -0.1, highest: 1e300, missing: "?")
    ]
    let again = try read(written(model)).model
    #expect(again == model)
    #expect(again.metadata.properties.isEmpty)
  }

  @Test func everyChangeBelongsToAKnownOperatorAndVersion() {
    for (name, changes) in DialectChange.table {
      let versions = OperatorFacts.table[name]
      #expect(versions != nil, "\(name)")
      for change in changes {
        let isKnown = change.operators.contains { other in
          let name = OperatorName(other, domain: change.domain)
          return OperatorFacts.table[name]?.contains { $0.since == change.version } == true
        }
        #expect(isKnown, "\(name) \(change.version)")
      }
    }
  }

  @Test func everyAttributeThatWentHasAChange() {
    for (name, versions) in OperatorFacts.table {
      for (old, new) in zip(versions, versions.dropFirst()) {
        let gone = Set(old.attributes.keys).subtracting(new.attributes.keys)
        let isHandled = DialectChange.table[name]?.contains { $0.version == new.since } == true
        #expect(gone.isEmpty || isHandled, "\(name) \(new.since): \(gone)")
      }
    }
  }
}
