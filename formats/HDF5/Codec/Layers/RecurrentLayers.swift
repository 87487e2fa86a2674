import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let recurrentLayers: [LayerBinding] = ["LSTM", "GRU", "SimpleRNN"].map { name in
    LayerBinding(name, slots: RecurrentNet.slots) { (site) throws(DecodeError) in
      try site.recurrent()
    }
  }
}

extension LayerSite {
  fileprivate func recurrent() throws(DecodeError) -> [KerasTensor] {
    let net = try RecurrentNet([self])
    if try settings.flag("stateful") {
      assembler.note(
        Loss(.numeric, "state kept from one call to the next; it begins at zero each time", place))
    }
    let sequence = try RecurrentSequence(self, try sequenceInput())
    let states = try initialStates(inputs.dropFirst().map { $0 }, count: net.kind == .lstm ? 2 : 1)
    let run = try sequence.run(net, states: states)
    let reverses = try settings.flag("go_backwards")
    var outputs: [KerasTensor] = []
    if try settings.flag("return_sequences") {
      let steps = try sequence.steps(run, direction: 0, isReversed: reverses)
      // Keras gives the steps in the order in which it took them.
      outputs.append(reverses ? try reversed(steps) : steps)
    } else {
      outputs.append(KerasTensor(try emit(Squeeze(), [run.last[0], try vector([0])])))
    }
    if try settings.flag("return_state") {
      for state in run.last {
        outputs.append(KerasTensor(try emit(Squeeze(), [state, try vector([0])])))
      }
    }
    return outputs
  }

  /// The sequence among the inputs; the others are states.
  func sequenceInput() throws(DecodeError) -> KerasTensor {
    guard let x = inputs.first else { throw invalid("no inputs") }
    guard x.rank == 3 else { throw invalid("an input of rank \(x.rank)") }
    return x.isFlat ? KerasTensor(try plain(x)) : x
  }

  /// Initial states `[1, batch, units]`, given behind the sequence or by keyword.
  func initialStates(_ behind: [KerasTensor], count: Int) throws(DecodeError) -> [Wire?] {
    var tensors = behind
    if let indices = keyword("initial_state")?.tensors, !indices.isEmpty {
      tensors = indices.compactMap { $0 < arguments.count ? arguments[$0] : nil }
    }
    guard !tensors.isEmpty else { return [] }
    guard tensors.count >= count else { throw invalid("\(tensors.count) states") }
    return try tensors.prefix(count).map { (tensor) throws(DecodeError) in
      try emit(Unsqueeze(), [try plain(tensor), try vector([0])])
    }
  }

  /// The steps from the last to the first.
  func reversed(_ steps: KerasTensor) throws(DecodeError) -> KerasTensor {
    let axis = steps.position(1)
    let wire = try emit(
      SliceOperator(),
      [
        steps.wire, try vector([-1]), try vector([-Int(Int32.max)]), try vector([axis]),
        try vector([-1]),
      ], "Reverse")
    return steps.with(wire)
  }
}

/// A sequence that a recurrent layer runs over. Steps that don't count are taken out before and put
/// back behind, which is what skipping them means.
struct RecurrentSequence {
  struct Run {
    /// `[time, directions, batch, units]`
    var all: Wire
    /// `[directions, batch, units]`: hidden, and cell.
    var last: [Wire]
  }

  private let site: LayerSite
  private let input: KerasTensor
  private let stepMask: SequenceMask?
  private let mask: Wire?
  /// Keras's axes in the order time, batch, features.
  private let timeFirst: [Int]
  private let isTimeMajor: Bool
  private let givesZeros: Bool

  init(_ site: LayerSite, _ input: KerasTensor) throws(DecodeError) {
    (self.site, self.input) = (site, input)
    isTimeMajor = try site.settings.flag("time_major")
    givesZeros = try site.settings.flag("zero_output_for_mask")
    timeFirst = isTimeMajor ? [0, 1, 2] : [1, 0, 2]
    stepMask = site.stepMask()
    mask = try stepMask?.wire()
    if mask != nil, isTimeMajor { throw site.unsupported("a mask over time-major sequences") }
  }

  func run(_ net: RecurrentNet, states: [Wire?]) throws(DecodeError) -> Run {
    let results: [Wire]
    if let mask {
      let (steps, lengths) = try compacted(mask)
      results = try net.emit(steps, lengths: lengths, states: states)
    } else {
      results = try net.emit(try site.arranged(input, timeFirst), lengths: nil, states: states)
    }
    return Run(all: results[0], last: Array(results.dropFirst()))
  }

  /// The steps that one direction gives, in the order of time.
  func steps(_ run: Run, direction: Int, isReversed: Bool) throws(DecodeError) -> KerasTensor {
    var wire = run.all
    if wire.shape[1] == 1 {
      wire = try site.emit(Squeeze(), [wire, try site.vector([1])])
    } else {
      let index = try site.constant(
        made: "direction \(direction)", Tensor(.int64, [], integers: [Int64(direction)]))
      var gather = Gather()
      gather.axis = 1
      wire = try site.emit(gather, [wire, index])
    }
    let steps = KerasTensor(wire, order: timeFirst)
    guard let mask else { return steps }
    var result = KerasTensor(try expanded(steps, mask, isReversed: isReversed))
    result.mask = stepMask
    return result
  }

  private func cast(_ wire: Wire, _ element: ElementType) throws(DecodeError) -> Wire {
    var cast = Cast()
    cast.target = element
    return try site.emit(cast, [wire])
  }

  private func axis(_ value: Int) throws(DecodeError) -> Wire {
    try site.constant(made: "axis \(value)", Tensor(.int64, [], integers: [Int64(value)]))
  }

  /// The steps that count, in front, as `[time, batch, features]`, and how many they are.
  private func compacted(_ mask: Wire) throws(DecodeError) -> (steps: Wire, lengths: Wire) {
    let counts = try cast(mask, .int64)
    var sum = ReduceSum()
    sum.keepsAxes = false
    let lengths = try cast(
      try site.emit(sum, [counts, try site.vector([1])], "Lengths"), .int32)
    // Sorted by this key, steps that count come first and all keep their order.
    let weight = try site.constant(made: "weight", Tensor(.int64, [], integers: [1 << 40]))
    let zero = try site.constant(made: "none", Tensor(.int64, [], integers: [0]))
    let one = try site.constant(made: "one", Tensor(.int64, [], integers: [1]))
    let ones = try site.emit(Add(), [try site.emit(Mul(), [counts, zero]), one])
    let time = try site.emit(CumSum(), [ones, try axis(1)], "Time")
    let key = try site.emit(Sub(), [try site.emit(Mul(), [counts, weight]), time], "Key")
    var shape = ShapeOperator()
    (shape.start, shape.end) = (1, 2)
    var top = TopK()
    top.axis = 1
    let sorted = try site.emit(top, [key, try site.emit(shape, [mask])], outputs: 2)
    let indices = try site.emit(Unsqueeze(), [sorted[1], try site.vector([2])])
    var gather = GatherND()
    gather.batchDims = 1
    let steps = try site.emit(gather, [try site.plain(input), indices])
    return (try site.permuted(steps, [1, 0, 2]), lengths)
  }

  /// Steps put back in their places; where none counts, what came before stays.
  private func expanded(
    _ steps: KerasTensor, _ mask: Wire, isReversed: Bool
  ) throws(DecodeError) -> Wire {
    let counts = try cast(mask, .int64)
    var running = CumSum()
    running.isExclusive = isReversed
    let passed = try site.emit(running, [counts, try axis(1)], "Passed")
    let one = try site.constant(made: "one", Tensor(.int64, [], integers: [1]))
    let zero = try site.constant(made: "none", Tensor(.int64, [], integers: [0]))
    let index = isReversed ? passed : try site.emit(Sub(), [passed, one])
    var sum = ReduceSum()
    sum.keepsAxes = true
    let total = try site.emit(sum, [counts, try site.vector([1])], "Total")
    let valid: Wire
    if givesZeros {
      valid = mask
    } else if isReversed {
      valid = try site.emit(Less(), [index, total])
    } else {
      valid = try site.emit(GreaterOrEqual(), [index, zero])
    }
    let last = try site.emit(Sub(), [total, one])
    let bounded = try site.emit(Max(), [try site.emit(Min(), [index, last]), zero])
    var gather = GatherND()
    gather.batchDims = 1
    let taken = try site.emit(
      gather,
      [
        try site.plain(steps), try site.emit(Unsqueeze(), [bounded, try site.vector([2])]),
      ])
    let condition = try site.emit(Unsqueeze(), [valid, try site.vector([2])])
    let nothing = try site.scalar(0, taken.element, "nothing")
    return try site.emit(Where(), [condition, taken, nothing])
  }
}
