import WherryGraph

/// Every operator the graph knows.
public enum OperatorSet {
  public static let all = OperatorTable(
    mathOperators + networkOperators + tensorOperators + quantizedOperators)
}
