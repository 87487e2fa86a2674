import WherryBytes
import WherryGraph

/// The attributes by which TreeEnsembleClassifier and TreeEnsembleRegressor list their nodes: parallel
/// lists, a node being named by the ids of its tree and itself.
protocol TreeNodeLists {
  var nodesFalseNodeIDs: [Int]? { get }
  var nodesFeatureIDs: [Int]? { get }
  var nodesMissingValueTracksTrue: [Int]? { get }
  var nodesModes: [String]? { get }
  var nodesNodeIDs: [Int]? { get }
  var nodesTreeIDs: [Int]? { get }
  var nodesTrueNodeIDs: [Int]? { get }
  var nodesValues: [Float]? { get }
  var nodesValuesAsTensor: Tensor? { get }
}

/// The attributes by which they list what leaves add.
struct TreeLeafLists {
  let trees: [Int]
  let nodes: [Int]
  let targets: [Int]
  let weights: [Double]
}

extension TreeNodeLists {
  private typealias Key = SIMD2<Int>

  /// The trees, in the order of their first nodes; the root of each is its first node that no branch of
  /// the tree leads to.
  ///
  /// - Throws: `RunError.badInput` when the lists contradict each other.
  func forest(_ leaves: TreeLeafLists) throws(RunError) -> TreeForest {
    let (trees, ids) = (nodesTreeIDs ?? [], nodesNodeIDs ?? [])
    let count = trees.count
    let (onTrue, onFalse) = (nodesTrueNodeIDs ?? [], nodesFalseNodeIDs ?? [])
    let (features, modes) = (nodesFeatureIDs ?? [], nodesModes ?? [])
    let splits = nodesValuesAsTensor?.doubles ?? (nodesValues ?? []).map { Double($0) }
    let missing = nodesMissingValueTracksTrue.flatMap { $0.isEmpty ? nil : $0 }
    guard [ids, onTrue, onFalse, features].allSatisfy({ $0.count == count }), modes.count == count,
      splits.count == count, missing?.count ?? count == count,
      [leaves.nodes, leaves.targets].allSatisfy({ $0.count == leaves.trees.count }),
      leaves.weights.count == leaves.trees.count
    else { throw RunError(.badInput("the node lists differ in length")) }
    var forest = TreeForest(nodes: [], leaves: [], roots: [])
    var targets: [Key: TreeForest.Target] = [:]
    var branches: [Int] = []
    for index in 0..<count {
      let key = Key(trees[index], ids[index])
      guard targets[key] == nil else { throw RunError(.badInput("two tree nodes \(key)")) }
      if modes[index] == "LEAF" {
        targets[key] = .leaf(forest.leaves.count)
        forest.leaves.append([])
      } else {
        targets[key] = .node(branches.count)
        branches.append(index)
      }
    }
    for index in leaves.trees.indices {
      // What is listed for an inner node is never reached.
      guard case .leaf(let leaf)? = targets[Key(leaves.trees[index], leaves.nodes[index])] else {
        continue
      }
      forest.leaves[leaf].append(
        TreeForest.Weight(target: leaves.targets[index], value: leaves.weights[index]))
    }
    var children: Set<Key> = []
    for index in branches {
      let keys = [Key(trees[index], onTrue[index]), Key(trees[index], onFalse[index])]
      children.formUnion(keys)
      guard let test = TreeForest.Test(name: modes[index]), let yes = targets[keys[0]],
        let no = targets[keys[1]]
      else { throw RunError(.badInput("tree node \(ids[index]) of tree \(trees[index])")) }
      forest.nodes.append(
        TreeForest.Node(
          test: test, feature: features[index], split: splits[index],
          missingTracksTrue: missing.map { $0[index] != 0 } ?? false, onTrue: yes, onFalse: no))
    }
    var seen: Set<Int> = []
    for index in 0..<count where !seen.contains(trees[index]) {
      let key = Key(trees[index], ids[index])
      guard !children.contains(key), let target = targets[key] else { continue }
      seen.insert(trees[index])
      forest.roots.append(target)
    }
    guard seen.count == Set(trees).count else { throw RunError(.badInput("a tree without a root")) }
    return forest
  }
}
