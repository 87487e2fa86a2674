import WherryBytes
import WherryGraph
import WherryOperators

extension Model {
  /// The plan that runs this model on the runtime.
  ///
  /// - Parameters:
  ///   - inputShapes: extents of inputs, by name, where the model leaves them open. An open first axis
  ///     without an entry becomes 1.
  ///   - skipped: names of `PassList` to leave out.
  /// - Throws: `CompileError` with everything that keeps the model from being compiled.
  public func compiled(
    inputShapes: [String: [Int]] = [:], without skipped: Set<String> = []
  ) throws(CompileError) -> Plan {
    let model = try prepared(inputShapes: inputShapes, without: skipped)
    let builder = PlanBuilder(without: skipped)
    let outline = try model.lower(into: builder)
    PlanFusion.run(builder, outputs: outline.outputs)
    return ArenaPlanner.plan(builder, inputs: outline.inputs, outputs: outline.outputs)
  }

  /// The graph that is lowered: inputs of fixed shapes, and everything that `PassList.graph` does.
  ///
  /// - Parameter observe: called after every pass with what it changed and the model as it stands.
  /// - Throws: `CompileError` when an input's shape stays open or a pass fails.
  public func prepared(
    inputShapes: [String: [Int]] = [:], without skipped: Set<String> = [],
    observe: (PassChange, Model) throws(RunError) -> Void = { (_, _) throws(RunError) in }
  ) throws(CompileError) -> Model {
    var model = self
    let open = model.fixInputs(inputShapes)
    guard open.isEmpty else { throw CompileError(open) }
    do throws(RunError) {
      try PassList.run(&model, without: skipped, observe: observe)
    } catch {
      throw CompileError([CompileProblem(.run(error.reason), error.place)])
    }
    return model
  }

  /// Gives every input a fixed shape.
  ///
  /// - Returns: one problem an input whose extents stay open.
  mutating func fixInputs(_ shapes: [String: [Int]]) -> [CompileProblem] {
    var problems: [CompileProblem] = []
    let constants = Set(graph.initializers.map(\.name))
    // An input with a default is a constant of the plan.
    graph.inputs.removeAll { constants.contains($0.name) }
    let symbols = graph.inputs.symbols(shapes)
    for (index, input) in graph.inputs.enumerated() {
      let place = Place().inside("graph").inside("input", at: index, input.name)
      guard case .tensor(let element, let shape) = input.type.plain else {
        problems.append(CompileProblem(.notTensor(input.name), place))
        continue
      }
      let wanted = shapes[input.name]
      var extents: [Int] = []
      var open: [Int] = []
      if let shape {
        if let wanted, wanted.count != shape.rank {
          let what = "the shape \(wanted) given for \(input.name)\(shape)"
          problems.append(CompileProblem(.invalid(what), place))
          continue
        }
        for (axis, dimension) in shape.dimensions.enumerated() {
          if let extent = dimension.extent {
            if let wanted, wanted[axis] != extent {
              let what = "the shape \(wanted) given for \(input.name)\(shape)"
              problems.append(CompileProblem(.invalid(what), place))
            }
            extents.append(extent)
          } else if let wanted {
            extents.append(wanted[axis])
          } else if case .symbolic(let name) = dimension, let extent = symbols[name] {
            extents.append(extent)
          } else if axis == 0 {
            extents.append(1)
          } else {
            open.append(axis)
          }
        }
      } else if let wanted {
        extents = wanted
      } else {
        open = [0]
      }
      guard open.isEmpty, Checked.product(extents) != nil else {
        problems.append(CompileProblem(.openInput(name: input.name, axes: open), place))
        continue
      }
      graph.inputs[index].type = .tensor(element, Shape(fixed: extents))
    }
    // What the file says of other values may hold the old symbols.
    graph.values = []
    for index in graph.outputs.indices {
      if case .tensor(let element, _) = graph.outputs[index].type.plain {
        graph.outputs[index].type = .tensor(element, nil)
      }
    }
    return problems
  }

  /// Lowers every node.
  ///
  /// - Throws: `CompileError` with every node that can't be lowered.
  func lower(
    into builder: PlanBuilder
  ) throws(CompileError) -> (inputs: [Int], outputs: [Int]) {
    let inference = TypeInference(self)
    var problems = inference.errors.map { CompileProblem(.type($0.reason), $0.place) }
    let site = LoweringSite(
      builder: builder, types: inference.types, contents: inference.contents)
    site.onlyOutputs = Set(graph.outputs.map(\.name))
      .subtracting(graph.nodes.flatMap { $0.usedNames })
    let place = Place().inside("graph")
    var inputs: [Int] = []
    // Values that nothing defines because their node failed; not worth a report of their own.
    var lost: Set<String> = []
    for (index, input) in graph.inputs.enumerated() {
      do throws(CompileProblem) {
        guard case .tensor(let element, let shape?) = input.type.plain, let extents = shape.extents
        else { throw CompileProblem(.notTensor(input.name)) }
        let value = try site.make(element, extents)
        builder.setName(value.tensor, input.name)
        site.hold(input.name, .computed([value]))
        inputs.append(value.tensor)
      } catch {
        lost.insert(input.name)
        problems.append(
          CompileProblem(error.reason, place.inside("input", at: index, input.name)))
      }
    }
    for initializer in graph.initializers {
      site.hold(initializer.name, .constant(initializer.tensor))
    }
    for initializer in graph.sparseInitializers {
      if let dense = try? initializer.tensor.dense() {
        site.hold(initializer.name, .constant(dense))
      }
    }
    for (index, node) in graph.nodes.enumerated() {
      let here = place.inside("node", at: index, node.name)
      let results = node.outputs.compactMap { $0 }
      do throws(CompileProblem) {
        guard let lowering = Lowering.table[node.operation.name] else {
          throw CompileProblem(.unsupportedOperator(node.operation.name))
        }
        if node.usedNames.contains(where: { lost.contains($0) }) {
          lost.formUnion(results)
          continue
        }
        site.enter(node)
        try lowering.apply(node.operation, site)
      } catch {
        lost.formUnion(results)
        problems.append(CompileProblem(error.reason, here))
      }
    }
    guard problems.isEmpty else { throw CompileError(problems) }
    var outputs: [Int] = []
    do throws(CompileProblem) {
      outputs = try site.outputs(of: self, inputs: inputs)
    } catch {
      problems.append(error)
    }
    guard problems.isEmpty else { throw CompileError(problems) }
    return (inputs, outputs)
  }
}

extension [ValueInfo] {
  /// Extents of named axes, from the shapes given.
  fileprivate func symbols(_ shapes: [String: [Int]]) -> [String: Int] {
    var found: [String: Int] = [:]
    for input in self {
      guard let given = shapes[input.name], let shape = input.type.shape else { continue }
      for (dimension, extent) in zip(shape.dimensions, given) {
        if case .symbolic(let name) = dimension, found[name] == nil { found[name] = extent }
      }
    }
    return found
  }
}

extension LoweringSite {
  /// One tensor an output, row-major and in memory of its own.
  func outputs(of model: Model, inputs: [Int]) throws(CompileProblem) -> [Int] {
    var taken = Set(inputs.compactMap { builder.buffer($0) })
    var outputs: [Int] = []
    for (index, output) in model.graph.outputs.enumerated() {
      let place = Place().inside("graph").inside("output", at: index, output.name)
      let node = Node(
        UnknownOperator(), name: output.name, inputs: [output.name], outputs: [output.name])
      enter(node)
      do throws(CompileProblem) {
        let stored = forms(0).first { $0.isQ8 }
        var value = try rowMajor(0)
        let isTaken = builder.buffer(value.tensor).map { taken.contains($0) } ?? true
        if isTaken {
          let copied = try make(value.element, value.shape)
          try copy(
            value.shape, from: value.tensor, strides: value.strides, to: copied.tensor,
            targetStrides: copied.strides, element: value.element)
          value = copied
        }
        if let buffer = builder.buffer(value.tensor) { taken.insert(buffer) }
        // A record of its own, so that its name is this output's.
        let tensor = builder.renamed(value.tensor)
        if let stored { state(builder.tensors[stored.tensor].quantization, of: value, as: tensor) }
        let labels = model.labels.first { $0.output == output.name }?.labels ?? []
        builder.setName(tensor, output.name, labels: labels)
        outputs.append(tensor)
      } catch {
        throw CompileProblem(error.reason, place)
      }
    }
    return outputs
  }
}
