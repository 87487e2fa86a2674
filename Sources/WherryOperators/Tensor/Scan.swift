import WherryGraph

/// Runs `body` once for each slice of the scan inputs.
///
/// `body` takes the state values and one slice of each scan input; it gives the next state values and
/// slices that are collected in the scan outputs.
/// - Source: ONNX operator specification, Scan-25.
public struct Scan: Operator {
  public var body = Graph()
  /// How many of the last inputs are scanned; at least 1.
  public var numScanInputs = 0
  /// One axis a scan input or output; nil for 0 everywhere.
  public var scanInputAxes: [Int]?
  public var scanOutputAxes: [Int]?
  /// 1 for backwards, 0 for forwards; nil for forwards everywhere.
  public var scanInputDirections: [Int]?
  public var scanOutputDirections: [Int]?

  public init() {}

  public static let signature = Signature(
    "Scan", [.init("initial_state_and_scan_inputs", .movable, .variadic)],
    [.init("final_state_and_scan_outputs", .movable, .variadic)])

  public static let fields: [Field<Scan>] = [
    Field("body", \.body, required: true),
    Field("num_scan_inputs", \.numScanInputs, required: true),
    Field("scan_input_axes", \.scanInputAxes),
    Field("scan_input_directions", \.scanInputDirections),
    Field("scan_output_axes", \.scanOutputAxes),
    Field("scan_output_directions", \.scanOutputDirections),
  ]

  /// How inputs and outputs divide.
  private struct Plan {
    let states: Int
    let inputAxes: [Int]
    let outputAxes: [Int]
    let inputBackwards: [Bool]
    let outputBackwards: [Bool]
  }

  private func plan(inputs: Int, outputs: Int) throws(TypeError) -> Plan {
    guard numScanInputs >= 1, numScanInputs <= inputs, body.inputs.count == inputs else {
      throw TypeError(.attribute("num_scan_inputs", "\(numScanInputs) of \(inputs) inputs"))
    }
    let states = inputs - numScanInputs
    let scans = body.outputs.count - states
    guard scans >= 0, outputs <= body.outputs.count else {
      throw TypeError(.attribute("body", "\(body.outputs.count) outputs don't fit the node"))
    }
    return Plan(
      states: states,
      inputAxes: try Self.list(scanInputAxes, numScanInputs, "scan_input_axes"),
      outputAxes: try Self.list(scanOutputAxes, scans, "scan_output_axes"),
      inputBackwards: try Self.flags(scanInputDirections, numScanInputs, "scan_input_directions"),
      outputBackwards: try Self.flags(scanOutputDirections, scans, "scan_output_directions"))
  }

  private static func list(_ list: [Int]?, _ count: Int, _ name: String) throws(TypeError) -> [Int]
  {
    let result = list ?? Array(repeating: 0, count: count)
    guard result.count == count else {
      throw TypeError(.attribute(name, "\(result.count) numbers, not \(count)"))
    }
    return result
  }

  private static func flags(_ list: [Int]?, _ count: Int, _ name: String) throws(TypeError)
    -> [Bool]
  {
    let result = try Self.list(list, count, name)
    guard result.allSatisfy({ $0 == 0 || $0 == 1 }) else {
      throw TypeError(.attribute(name, "\(result) are not all 0 or 1"))
    }
    return result.map { $0 == 1 }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let plan = try plan(inputs: site.inputs.count, outputs: site.outputCount)
    var (slices, length) = ([ValueType?](), Dimension.unknown)
    for (index, axis) in plan.inputAxes.enumerated() {
      guard let type = site.type(plan.states + index), let element = type.element else {
        slices.append(nil)
        continue
      }
      guard var shape = type.shape else {
        slices.append(.tensor(element, nil))
        continue
      }
      let axis = try InferenceSite.axis(axis, rank: shape.rank, attribute: "scan_input_axes")
      guard let merged = Dimension.merge(length, shape.dimensions.remove(at: axis)) else {
        throw TypeError(.shape("the scan inputs differ in length"))
      }
      length = merged
      slices.append(.tensor(element, Shape(shape.dimensions)))
    }
    let known = site
    var carry = CarriedTypes(Array(site.inputs.prefix(plan.states)))
    let results = try carry.settle { (types) throws(TypeError) in
      try known.infer(body, types + slices)
    }
    for (index, type) in carry.types.prefix(site.outputCount).enumerated() {
      site.outputs[index] = type
    }
    for (index, axis) in plan.outputAxes.enumerated() {
      let output = plan.states + index
      guard output < results.count, output < site.outputCount else { break }
      guard let shape = results[output]?.shape else {
        site.set(output, results[output]?.element, nil)
        continue
      }
      let axis = try InferenceSite.axis(axis, rank: shape.rank + 1, attribute: "scan_output_axes")
      site.set(
        output, results[output]?.element,
        Shape(shape.dimensions[..<axis] + [length] + shape.dimensions[axis...]))
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let plan = try RunError.from { () throws(TypeError) in
      try self.plan(inputs: call.inputs.count, outputs: call.wanted.count)
    }
    var states: [Value] = []
    for index in 0..<plan.states {
      guard let value = call.inputs[index] else { throw RunError(.type(.missingInput(index))) }
      states.append(value)
    }
    var scanned: [(tensor: Tensor, axis: Int)] = []
    for (index, axis) in plan.inputAxes.enumerated() {
      let tensor = try call.tensor(plan.states + index)
      let axis = try RunError.from { () throws(TypeError) in
        try InferenceSite.axis(axis, rank: tensor.rank, attribute: "scan_input_axes")
      }
      scanned.append((tensor, axis))
    }
    let lengths = Set(scanned.map { $0.tensor.shape[$0.axis] })
    guard lengths.count == 1, let length = lengths.first else {
      throw RunError(.badInput("the scan inputs differ in length"))
    }
    var collected = CollectedOutputs(body.outputs.dropFirst(plan.states).map(\.type))
    for step in 0..<length {
      var slices: [Value] = []
      for (index, (tensor, axis)) in scanned.enumerated() {
        let at = plan.inputBackwards[index] ? length - 1 - step : step
        slices.append(.tensor(try tensor.slice(axis: axis, at: at)))
      }
      let results = try call.run(body, states + slices)
      guard results.count == body.outputs.count else { throw RunError(.badInput("body")) }
      states = Array(results[..<plan.states])
      try collected.append(results[plan.states...], limits: call.limits)
    }
    return states + (try Self.outputs(collected, plan, call.limits))
  }

  private static func outputs(
    _ collected: CollectedOutputs, _ plan: Plan, _ limits: EvaluationLimits
  ) throws(RunError) -> [Value?] {
    var outputs: [Value?] = []
    for (index, axis) in plan.outputAxes.enumerated() {
      var tensor = try collected.stacked(index, limits: limits)
      if plan.outputBackwards[index] { tensor = try tensor.reversingFirstAxis() }
      let rank = tensor.rank
      let axis = try RunError.from { () throws(TypeError) in
        try InferenceSite.axis(axis, rank: rank, attribute: "scan_output_axes")
      }
      outputs.append(.tensor(try tensor.movingFirstAxis(to: axis)))
    }
    return outputs
  }
}

extension Tensor {
  /// One coordinate of an axis; the axis goes.
  func slice(axis: Int, at coordinate: Int) throws(RunError) -> Tensor {
    var walks = walks
    walks.remove(at: axis)
    walks.insert(.steps(count: 1, start: coordinate &* strides[axis], stride: 0), at: 0)
    guard let result = try moved(walks).reshaped(Array(shape[..<axis] + shape[(axis + 1)...]))
    else {
      throw RunError(.badValue("axis \(axis) of \(shape)"))
    }
    return result
  }

  /// The tensor with the order on its first axis reversed.
  fileprivate func reversingFirstAxis() throws(RunError) -> Tensor {
    guard let first = shape.first, first > 1 else { return self }
    var walks = walks
    let stride = strides[0]
    walks[0] = .steps(count: first, start: (first - 1) * stride, stride: -stride)
    return try moved(walks)
  }
}
