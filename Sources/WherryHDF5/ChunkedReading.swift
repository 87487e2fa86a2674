import WherryBytes

struct ChunkedReading {
  init(_ dataset: HDF5Dataset, _ chunks: ChunkLayout, _ reading: Reading) throws(DecodeError) {
  }
  func read(size: Int) throws(DecodeError) -> Bytes {
    throw DecodeError(.unsupported("chunked data set"))
  }
}
