import CWherryABI
import CWherryKernels
import Testing

/// The golden vectors of ARITHMETIC.md's section 11.
extension GoldenArithmeticTests {
  private struct RecurrentCase: Decodable {
    var gates, x_zero, h_zero: Int
    var linear_before_reset: Bool
    var x, y: [[[Int]]]
    var w, r: [[Int]]
    var w_factor, r_factor, bias, r_bias, h_scale, h_factor, h, c: Case.Floats
    var h0, c0: Case.Floats?
  }

  @Test(arguments: [("lstm", UInt32(38)), ("gru", 39)])
  func recurrencesGiveTheGoldenBytesAndNumbers(name: String, code: UInt32) throws {
    for golden in try cases(name, as: RecurrentCase.self) {
      let isGRU = code == 39
      var step = wh_qrecurrent()
      let (steps, batch) = (golden.x.count, golden.x[0].count)
      let (inputs, hidden) = (golden.w.count, golden.r.count)
      let columns = golden.gates * hidden
      (step.steps, step.batch) = (Int32(steps), Int32(batch))
      (step.input, step.hidden) = (Int32(inputs), Int32(hidden))
      step.linear_before_reset = golden.linear_before_reset ? 1 : 0
      step.h_zero = Int32(golden.h_zero)
      (step.h_scale, step.h_factor) = (golden.h_scale.numbers[0], golden.h_factor.numbers[0])
      (step.x_step, step.x_batch) = (Int64(batch * inputs), Int64(inputs))
      (step.y_step, step.y_batch, step.h_batch) = (
        Int64(batch * hidden), Int64(hidden), Int64(hidden)
      )
      let first = isGRU && !golden.linear_before_reset ? 2 * hidden : columns
      let r =
        stream(golden.r, 0..<first, golden.r_factor.numbers, golden.h_zero)
        + stream(golden.r, first..<columns, golden.r_factor.numbers, golden.h_zero)
      for cpu in wh_processors {
        let call = KernelCall()
        call.quantized(golden.x.flatMap { $0.flatMap { $0 } }, cpu: cpu)
        call.input(
          Int(WH_INT8), stream(golden.w, 0..<columns, golden.w_factor.numbers, golden.x_zero),
          isWeight: true)
        call.input(Int(WH_INT8), r, isWeight: true)
        call.input(Int(WH_FLOAT32), golden.bias.numbers, isWeight: true)
        call.input(Int(WH_FLOAT32), golden.r_bias.numbers, isWeight: true)
        let none = [Float](repeating: 0, count: batch * hidden)
        call.input(Int(WH_FLOAT32), golden.h0?.numbers ?? none)
        if !isGRU { call.input(Int(WH_FLOAT32), golden.c0?.numbers ?? none) }
        call.quantizedOutput(of: steps * batch * hidden)
        call.output(Int(WH_FLOAT32), of: batch * hidden, Float(0))
        if !isGRU { call.output(Int(WH_FLOAT32), of: batch * hidden, Float(0)) }
        call.scratch(
          4 * ((min(steps, 8) + 1) * batch * columns + 64) + 6 * batch * ((hidden + 31) / 32 * 32)
            + 64)
        #expect(call.run(code, step, cpu: cpu) == nil)
        #expect(
          call.quantizedResult(cpu: cpu) == golden.y.flatMap { $0.flatMap { $0 } },
          "processor \(cpu)")
        #expect(call.result(1, as: Float.self) == golden.h.numbers, "processor \(cpu)")
        if !isGRU {
          #expect(call.result(2, as: Float.self) == golden.c.numbers, "processor \(cpu)")
        }
      }
    }
  }

  /// Panels of some columns of a matrix `[depth][column]`.
  private func stream(_ matrix: [[Int]], _ columns: Range<Int>, _ factors: [Float], _ zero: Int)
    -> [UInt8]
  {
    panels(
      columns.map { column in matrix.map { $0[column] } }, run: matrix.count, groups: 1,
      bias: [Int](repeating: 0, count: columns.count), factors: Array(factors[columns]), xZero: zero
    )
  }
}
