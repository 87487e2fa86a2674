import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let embeddingLayers: [LayerBinding] = [
    LayerBinding(
      "Embedding",
      slots: { (_) throws(DecodeError) in
        WeightSlot.list(["embeddings"])
      }
    ) { (site) throws(DecodeError) in [try site.embedding()] },
    LayerBinding("Masking") { (site) throws(DecodeError) in [try site.masking()] },
  ]
}

extension LayerSite {
  /// A row of a table for each integer.
  fileprivate func embedding() throws(DecodeError) -> KerasTensor {
    var indices = try plain(try input())
    if !indices.element.isInteger || indices.element.bitWidth < 32 {
      var cast = Cast()
      cast.target = .int32
      indices = try emit(cast, [indices])
    }
    let table = try constant("embeddings", rank: 2)
    var result = KerasTensor(try emit(Gather(), [table, indices]))
    if try settings.flag("mask_zero") {
      let (site, steps) = (self, indices)
      result.mask = SequenceMask { () throws(DecodeError) in
        let zero = try site.scalar(0, steps.element, "zero")
        return try site.emit(Not(), [try site.emit(Equal(), [steps, zero])])
      }
    }
    return result
  }

  /// Steps of which every feature is `mask_value` don't count, and become 0.
  fileprivate func masking() throws(DecodeError) -> KerasTensor {
    let x = try input(rank: 3...3)
    let wire = try plain(x)
    let value = try scalar(try settings.number("mask_value", 0), wire.element, "mask value")
    var cast = Cast()
    cast.target = wire.element
    let differs = try emit(cast, [try emit(Not(), [try emit(Equal(), [wire, value])])])
    let counts = try emit(ReduceMax(), [differs, try vector([2])])
    let result = try emit(Mul(), [wire, counts], "Masked")
    let site = self
    return KerasTensor(
      result,
      mask: SequenceMask { () throws(DecodeError) in
        var toBool = Cast()
        toBool.target = .bool
        return try site.emit(
          Squeeze(), [try site.emit(toBool, [counts], "Mask"), try site.vector([2])])
      })
  }
}
