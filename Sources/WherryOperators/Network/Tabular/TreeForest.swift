import WherryBytes
import WherryGraph

/// Decision trees as flat nodes, whatever operator they come from.
struct TreeForest: Sendable {
  /// How a node compares a feature with its split, with TreeEnsemble's codes.
  enum Test: UInt8, Sendable {
    case lessOrEqual, less, greaterOrEqual, greater, equal, notEqual, member

    init?(name: String) {
      switch name {
      case "BRANCH_LEQ": self = .lessOrEqual
      case "BRANCH_LT": self = .less
      case "BRANCH_GTE": self = .greaterOrEqual
      case "BRANCH_GT": self = .greater
      case "BRANCH_EQ": self = .equal
      case "BRANCH_NEQ": self = .notEqual
      default: return nil
      }
    }
  }

  /// Where a branch leads.
  enum Target: Sendable {
    case node(Int)
    case leaf(Int)
  }

  struct Node: Sendable {
    var test: Test
    var feature: Int
    var split: Double
    /// Of `member` tests.
    var members: Set<Double> = []
    var missingTracksTrue: Bool
    var onTrue: Target
    var onFalse: Target
  }

  struct Weight: Sendable {
    let target: Int
    let value: Double
  }

  var nodes: [Node]
  /// The weights that each leaf adds.
  var leaves: [[Weight]]
  var roots: [Target]

  /// The weights of the leaf that a row reaches in the tree at `root`.
  ///
  /// - Throws: `RunError.badValue` for a feature outside the row, a target outside the forest, and
  ///   branches that go in a circle.
  func leaf(from root: Target, _ row: ArraySlice<Double>) throws(RunError) -> [Weight] {
    var place = root
    for _ in 0...nodes.count {
      switch place {
      case .leaf(let index):
        guard index >= 0, index < leaves.count else { throw RunError(.badValue("leaf \(index)")) }
        return leaves[index]
      case .node(let index):
        guard index >= 0, index < nodes.count else {
          throw RunError(.badValue("tree node \(index)"))
        }
        let node = nodes[index]
        guard node.feature >= 0, node.feature < row.count else {
          throw RunError(.badValue("feature \(node.feature) of \(row.count)"))
        }
        let value = row[row.startIndex + node.feature]
        let isTrue =
          switch node.test {
          case .lessOrEqual: value <= node.split
          case .less: value < node.split
          case .greaterOrEqual: value >= node.split
          case .greater: value > node.split
          case .equal: value == node.split
          case .notEqual: value != node.split
          case .member: node.members.contains(value)
          }
        place = isTrue || node.missingTracksTrue && value.isNaN ? node.onTrue : node.onFalse
      }
    }
    throw RunError(.badValue("branches that go in a circle"))
  }
}

/// How the trees of an ensemble become one score, with TreeEnsemble's codes.
enum TreeAggregate: Int, Sendable {
  case average, sum, minimum, maximum

  init?(name: String) {
    switch name {
    case "AVERAGE": self = .average
    case "SUM": self = .sum
    case "MIN": self = .minimum
    case "MAX": self = .maximum
    default: return nil
    }
  }
}

extension TreeForest {
  /// The scores of one row; nil for a target that no leaf touches.
  ///
  /// Sums are rounded after every addition, tree by tree, to float32 unless `isDouble`: so ONNX Runtime
  /// adds them.
  func scores(
    _ row: ArraySlice<Double>, targets: Int, aggregate: TreeAggregate, isDouble: Bool
  ) throws(RunError) -> [Double?] {
    var scores = [Double?](repeating: nil, count: targets)
    for root in roots {
      for weight in try leaf(from: root, row) {
        guard weight.target >= 0, weight.target < targets else {
          throw RunError(.badValue("target \(weight.target) of \(targets)"))
        }
        guard let score = scores[weight.target] else {
          scores[weight.target] = weight.value
          continue
        }
        switch aggregate {
        case .sum, .average: scores[weight.target] = rounded(score + weight.value, isDouble)
        case .minimum: scores[weight.target] = min(score, weight.value)
        case .maximum: scores[weight.target] = max(score, weight.value)
        }
      }
    }
    guard aggregate == .average else { return scores }
    return scores.map { $0.map { rounded($0 / Double(roots.count), isDouble) } }
  }
}

/// `x`, or the float32 nearest to it.
func rounded(_ x: Double, _ isDouble: Bool) -> Double { isDouble ? x : Double(Float(x)) }
