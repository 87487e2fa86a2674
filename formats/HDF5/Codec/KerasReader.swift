import WherryBytes
import WherryGraph
import WherryHDF5
import WherryText

/// Reads a Keras model from an HDF5 file.
struct KerasReader {
  private let source: ModelSource
  private let place = Place().inside("model_config")

  init(_ source: ModelSource) { self.source = source }

  func read() throws(ReadFailure) -> Reading {
    do throws(any Error) {
      let file = try HDF5File(source.bytes, limits: source.limits)
      guard let text = try file.root().text("model_config") else {
        throw DecodeError(
          .unsupported("an HDF5 file without a model, such as one of weights alone"),
          Place().inside("group", "/").inside("attribute", "model_config"))
      }
      return try read(file, text)
    } catch let error as ReadFailure {
      throw error
    } catch let error as DecodeError {
      throw ReadFailure(error)
    } catch {
      throw ReadFailure(DecodeError(.invalid("\(error)")))
    }
  }

  private func read(_ file: HDF5File, _ text: String) throws -> Reading {
    let root = try file.root()
    let weightGroup = (try? root.group(at: "model_weights")) ?? root
    let version = try root.text("keras_version") ?? weightGroup.text("keras_version")
    let generation = KerasGeneration(version: version)
    let json: JSONValue
    do {
      json = try JSONValue(parsing: text, limits: source.limits)
    } catch {
      var place = place
      place.position = error.place.position
      throw DecodeError(error.reason, place)
    }
    var reader = ConfigurationReader(generation)
    let description = try reader.model(json, at: place)
    guard reader.errors.isEmpty else { throw ReadFailure(reader.errors) }
    let weights = try LegacyWeights(root, generation).table(for: description)
    let graph = try GraphAssembly(description, generation, weights, place).graph()
    return Reading(Model(graph: graph.graph))
  }
}
