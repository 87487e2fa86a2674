import WherryBytes
import WherryGraph

public enum FuseBatchNorm: Pass {
  public static let name = "fuse-batch-norm"
  public static let summary = ""

  public static func run(_ model: inout Model) throws(RunError) -> Int { 0 }
}
