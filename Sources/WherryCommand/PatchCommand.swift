import ArgumentParser
import Wherry
import WherryBytes
import WherryData
import WherryGraph

struct PatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patch",
    abstract: "Replace single weights of a model and leave every other byte as it is.",
    discussion: """
      wherry patch model.h5 dense/kernel=kernel.npy dense/bias=bias.npy
      wherry patch model.onnx conv1.weight=w.npy -o patched.onnx
      """)

  @Argument(help: "The model: HDF5 or ONNX.", completion: .file())
  var model: String
  @Argument(
    help: "Weights as NAME=FILE.npy; of HDF5 files NAME is a path or its end, such as layer/weight."
  )
  var weights: [String]
  @Option(
    name: .shortAndLong, help: "Where the result goes; by default it takes the model's place.")
  var output: String?
  @OptionGroup var json: JSONOption

  private struct Result: Encodable {
    var input, output: String
    var changes: [WeightPatch.Change]
  }

  func run() throws {
    try reporting {
      guard !weights.isEmpty else { throw ValidationError("No weight to replace is given.") }
      let bytes: Bytes
      do throws(FileError) {
        bytes = try Bytes(mapping: model)
      } catch {
        throw DecodeError(.file(error))
      }
      var patch = WeightPatch(model, bytes)
      for argument in weights {
        // The name may hold an equals sign itself; the file's rarely does.
        guard let split = argument.lastIndex(of: "="), split != argument.startIndex else {
          throw ValidationError("\(argument) is not NAME=FILE.npy.")
        }
        let path = String(argument[argument.index(after: split)...])
        try patch.replace(String(argument[..<split]), with: try Self.tensor(path))
      }
      let target = output ?? model
      let file = try AtomicFile(target)
      try file.append(patch.bytes)
      try file.commit()
      if json.isJSON {
        try Report.json(Result(input: model, output: target, changes: patch.changes))
      } else {
        for change in patch.changes {
          Report.line(
            "\(change.target): \(change.type) \(change.shape), \(change.changedBytes) bytes changed"
          )
        }
      }
    }
  }

  private static func tensor(_ path: String) throws -> Tensor {
    do {
      return try Npy.read(try Bytes(mapping: path))
    } catch let error as FileError {
      throw DecodeError(.file(error))
    } catch let error as DecodeError {
      Report.note("error: \(path): \(error)")
      throw Exit.badData
    }
  }
}
