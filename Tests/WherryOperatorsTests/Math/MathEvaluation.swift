import Testing
import WherryBytes
import WherryGraph

/// Evaluates one operator outside any graph; the first output.
func evaluated(_ operation: some Operator, _ inputs: Tensor?...) throws -> Tensor {
  let call = OperatorCall(
    inputs: inputs.map { $0.map { .tensor($0) } }, wanted: [true],
    runGraph: { (_, _) throws(RunError) in [] })
  let outputs = try operation.evaluate(call)
  return try #require(outputs.first??.tensor)
}

/// What an operator infers from constant inputs; the type of the first output.
func inferred(_ operation: some Operator, _ inputs: Tensor?...) throws -> ValueType? {
  var site = InferenceSite(
    inputs: inputs.map { $0?.type }, isPresent: inputs.map { $0 != nil }, contents: inputs,
    outputCount: 1, inferGraph: { (_, _) throws(TypeError) in [] })
  try operation.infer(&site)
  return site.outputs[0]
}

func integers(_ element: ElementType, _ values: [Int64], _ shape: [Int]? = nil) throws -> Tensor {
  try #require(Tensor(element, shape ?? [values.count], integers: values))
}

func floats(_ element: ElementType, _ values: [Double], _ shape: [Int]? = nil) throws -> Tensor {
  try #require(Tensor(element, shape ?? [values.count], doubles: values))
}

func texts(_ values: [String]) throws -> Tensor {
  try #require(Tensor([values.count], strings: values.map { Bytes($0.utf8) }))
}
