import WherryGraph

/// Of overlapping boxes, the ones with the highest scores, class by class.
///
/// `boxes: [N, B, 4]`, `scores: [N, C, B]`, the rest scalars; `selected_indices: [S, 3]` of image, class and
/// box, best first within a class; of equal scores the first box counts.
/// - Source: ONNX operator specification, NonMaxSuppression-11.
public struct NonMaxSuppression: Operator {
  /// Whether a box is (x centre, y centre, width, height) instead of two opposite corners
  /// (y1, x1, y2, x2).
  public var centerPointBox = false

  public init() {}

  public static let signature = Signature(
    "NonMaxSuppression",
    [
      .init("boxes", ElementSet(.float32)), .init("scores", ElementSet(.float32)),
      .init("max_output_boxes_per_class", .int64, .optional),
      .init("iou_threshold", ElementSet(.float32), .optional),
      .init("score_threshold", ElementSet(.float32), .optional),
    ],
    [.init("selected_indices", .int64)])

  public static let fields: [Field<NonMaxSuppression>] = [
    Field("center_point_box", \.centerPointBox)
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in 0...1 {
      if let rank = site.rank(index), rank != 3 {
        throw TypeError(.rank(input: index, rank, expected: "3"))
      }
    }
    site.set(0, .int64, Shape([.unknown, 3]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (boxes, scores) = (try call.tensor(0), try call.tensor(1))
    guard boxes.rank == 3, scores.rank == 3, boxes.shape[2] == 4, boxes.shape[0] == scores.shape[0],
      boxes.shape[1] == scores.shape[2]
    else { throw RunError(.badInput("boxes \(boxes.shape), scores \(scores.shape)")) }
    let most = try call.optionalTensor(2)?.integers.first ?? 0
    let overlap = try call.optionalTensor(3)?.doubles.first ?? 0
    let lowest = try call.optionalTensor(4)?.doubles.first
    guard overlap >= 0, overlap <= 1 else { throw RunError(.badValue("iou_threshold \(overlap)")) }
    let (classes, count) = (scores.shape[1], boxes.shape[1])
    let corners = boxes.doubles
    let all = (0..<boxes.shape[0] * count).map { box(corners[$0 * 4..<$0 * 4 + 4]) }
    let values = scores.doubles
    var selected: [Int64] = []
    for image in 0..<boxes.shape[0] {
      for label in 0..<classes {
        let start = (image * classes + label) * count
        let candidates = (0..<count)
          .filter { candidate in lowest.map { values[start + candidate] > $0 } ?? true }
          .sorted { (values[start + $0], $1) > (values[start + $1], $0) }
        var kept: [Int] = []
        for candidate in candidates {
          if kept.count >= most { break }
          let box = all[image * count + candidate]
          if kept.allSatisfy({ all[image * count + $0].overlap(box) <= overlap }) {
            kept.append(candidate)
          }
        }
        for box in kept { selected += [Int64(image), Int64(label), Int64(box)] }
      }
    }
    return [Tensor(.int64, [selected.count / 3, 3], integers: selected).map { .tensor($0) }]
  }

  private func box(_ c: ArraySlice<Double>) -> Box {
    let (a, b, d, e) = (
      c[c.startIndex], c[c.startIndex + 1], c[c.startIndex + 2], c[c.startIndex + 3]
    )
    if centerPointBox {
      return Box(left: a - d / 2, right: a + d / 2, top: b - e / 2, bottom: b + e / 2)
    }
    return Box(left: min(b, e), right: max(b, e), top: min(a, d), bottom: max(a, d))
  }

  private struct Box {
    let left: Double
    let right: Double
    let top: Double
    let bottom: Double

    var area: Double { (right - left) * (bottom - top) }

    /// Intersection over union; 0 for boxes without area.
    func overlap(_ other: Box) -> Double {
      let width = min(right, other.right) - max(left, other.left)
      let height = min(bottom, other.bottom) - max(top, other.top)
      guard width > 0, height > 0, area > 0, other.area > 0 else { return 0 }
      return width * height / (area + other.area - width * height)
    }
  }
}
