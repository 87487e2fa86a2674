import WherryBytes
import WherryGraph

/// Removes nodes that give what they take.
public enum RemoveIdentity: Pass {
  public static let name = "remove-identity"
  public static let summary = "drops nodes that change nothing"

  public static func run(_ model: inout Model) throws(RunError) -> Int { 0 }
}
