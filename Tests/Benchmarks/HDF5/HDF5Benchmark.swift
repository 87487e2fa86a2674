// Times reading of HDF5 data sets on request, so that h5py can take turns with it.
//
// Commands on standard input, one answer line each, in seconds of processor time (minimum of the given count):
//   read COUNT FILE NAME     map the file, read a data set
//   sum COUNT FILE NAME      as before, and add up its 64-bit words
//   write COUNT FILE NAME OUT LEVEL    write the data set to a file of its own, deflated at a level or
//                                      "none"
import Glibc
import WherryBytes
import WherryHDF5

/// Processor time, which other programs on the machine disturb less than the clock on the wall.
func processorTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

func seconds(_ count: Int, _ body: () throws -> Void) throws -> Double {
  var least = Double.infinity
  for _ in 0..<count {
    let start = processorTime()
    try body()
    least = min(least, processorTime() - start)
  }
  return least
}

func read(_ path: String, _ name: String) throws -> HDF5Array {
  guard case .dataset(let dataset) = try HDF5File(try Bytes(mapping: path)).object(at: name) else {
    throw DecodeError(.missing(name))
  }
  return try dataset.read()
}

func sum(_ array: HDF5Array) -> UInt64 {
  array.bytes.withUnsafeBytes { raw in
    var sum: UInt64 = 0
    for at in stride(from: 0, to: raw.count - 7, by: 8) {
      sum &+= raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
    }
    return sum
  }
}

var total: UInt64 = 0
while let line = readLine() {
  let words = line.split(separator: " ").map(String.init)
  guard words.count >= 4, let count = Int(words[1]) else { continue }
  switch words[0] {
  case "read": print(try seconds(count) { total &+= UInt64(try read(words[2], words[3]).count) })
  case "sum": print(try seconds(count) { total &+= sum(try read(words[2], words[3])) })
  case "write":
    let array = try read(words[2], words[3])
    let shape = array.shape ?? []
    let storage: HDF5Draft.Storage =
      words[5] == "none"
      ? .contiguous
      : .chunked([1] + shape.dropFirst(), level: Int(words[5]), shuffle: false)
    let draft = HDF5Draft.Group(members: [
      ("x", .dataset(.init(.array(array.type, shape, array.bytes), storage: storage)))
    ])
    print(
      try seconds(count) {
        let file = try AtomicFile(words[4])
        try HDF5Writer.write(draft, to: file)
        try file.commit()
      })
  default: print("?")
  }
  fflush(nil)
}
print(total)
