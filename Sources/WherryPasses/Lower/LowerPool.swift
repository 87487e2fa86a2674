import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Pooling in windows and over whole maps.
  static let pools: [Lowering] = [
    Lowering(MaxPool.self) { (pool, site) throws(CompileProblem) in
      guard !site.wants(1) else { throw CompileProblem(.unsupported("MaxPool's indices")) }
      let element = try site.element(0)
      if element == .int8 || element == .uint8 {
        return try site.lowerMaxPool8(
          WindowForm(
            kernel: pool.kernelShape, strides: pool.strides, dilations: pool.dilations,
            pads: pool.pads, autoPad: pool.autoPad), isNHWC: false)
      }
      let window = try site.poolWindow(
        pool.kernelShape, pool.strides, pool.dilations, pool.pads, pool.autoPad)
      try site.pool(0, window)
    },
    Lowering(AveragePool.self) { (pool, site) throws(CompileProblem) in
      let window = try site.poolWindow(
        pool.kernelShape, pool.strides, pool.dilations, pool.pads, pool.autoPad)
      try site.pool(1, window, countsPadding: pool.countIncludePad)
    },
    Lowering(LpPool.self) { (pool, site) throws(CompileProblem) in
      let window = try site.poolWindow(
        pool.kernelShape, pool.strides, pool.dilations, pool.pads, pool.autoPad)
      try site.pool(2, window, power: pool.p)
    },
    Lowering(GlobalAveragePool.self) { (_, site) throws(CompileProblem) in
      try site.globalPool(WH_REDUCE_MEAN)
    },
    Lowering(GlobalMaxPool.self) { (_, site) throws(CompileProblem) in
      try site.globalPool(WH_REDUCE_MAX)
    },
    Lowering(GlobalLpPool.self) { (pool, site) throws(CompileProblem) in
      switch pool.p {
      case 1: try site.globalPool(WH_REDUCE_L1)
      case 2: try site.globalPool(WH_REDUCE_L2)
      default: throw CompileProblem(.unsupported("GlobalLpPool with p = \(pool.p)"))
      }
    },
  ]
}

extension LoweringSite {
  fileprivate func poolWindow(
    _ kernel: [Int], _ strides: [Int]?, _ dilations: [Int]?, _ pads: [Int]?, _ autoPad: AutoPad
  ) throws(CompileProblem) -> SpatialWindow {
    let (x, y) = (try shape(0), try outputType(0).shape)
    guard x.count >= 3, y.count == x.count, kernel.count == x.count - 2 else {
      throw CompileProblem(.unsupported("pooling of \(x)"))
    }
    return try SpatialWindow(
      self, input: Array(x[2...]), output: Array(y[2...]), kernel: kernel, strides: strides,
      dilations: dilations, pads: pads, autoPad: autoPad)
  }

  fileprivate func pool(
    _ kind: Int32, _ window: SpatialWindow, countsPadding: Bool = false, power: Int = 0
  ) throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    let order = Order.channelsLast(shape.count)
    let input = try value(0, order: order)
    guard input.element == .float32 else { throw CompileProblem(.unsupportedElement(element)) }
    let result = try make(.float32, shape, order: order)
    var pool = wh_pool()
    (pool.kind, pool.batch) = (kind, Int32(small: shape[0]))
    (pool.channels, pool.p) = (Int32(small: shape[1]), Int32(small: try small([power])[0]))
    (pool.in, pool.out) = (
      SpatialWindow.three(window.input, 1), SpatialWindow.three(window.output, 1)
    )
    pool.kernel = SpatialWindow.three(window.kernel, 1)
    pool.stride = SpatialWindow.three(window.strides, 1)
    pool.dilation = SpatialWindow.three(window.dilations, 1)
    pool.pad = SpatialWindow.three(window.before, 0)
    pool.pad_end = SpatialWindow.three(window.after, 0)
    pool.count_include_pad = countsPadding ? 1 : 0
    emit(.pool(pool), [input.tensor], [result.tensor])
    try finish(0, result)
  }

  fileprivate func globalPool(_ kind: Int) throws(CompileProblem) {
    try require(.float32, 0)
    let x = try value(0)
    guard x.shape.count >= 2 else { throw CompileProblem(.unsupported("pooling of \(x.shape)")) }
    try finish(0, try reduce(kind, x, axes: Array(2..<x.shape.count), keepAxes: true))
  }
}
