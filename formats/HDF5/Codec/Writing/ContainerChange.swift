import WherryBytes
import WherryGraph
import WherryText

/// The same model in the other of Keras's two containers.
extension KerasFileDraft {
  /// - Returns: nil when the configuration is none that the other container holds.
  func moved(to container: KerasFacts.Container) -> (draft: KerasFileDraft, losses: [Loss])? {
    guard let json = try? JSONValue(parsing: facts.configuration),
      let className = json["class_name"]?.string, let config = json["config"],
      KerasGeneration(version: facts.version) != .one
    else { return nil }
    var facts = facts
    facts.container = container
    facts.archiveMetadata = nil
    var losses: [Loss] = []
    if facts.trainingConfiguration != nil || json["compile_config"]?.isNull == false {
      losses.append(Loss(.information, "the configuration of the training"))
    }
    if !facts.state.isEmpty { losses.append(Loss(.information, "state of the training")) }
    facts.trainingConfiguration = nil
    facts.state = []
    facts.groups = [:]
    var members = [
      JSONMember("module", "keras"),
      JSONMember("class_name", .string(className == "Functional" ? "Model" : className)),
      JSONMember("config", Self.told(config)), JSONMember("registered_name", nil),
    ]
    if let build = json["build_config"] { members.append(JSONMember("build_config", build)) }
    switch container {
    case .archive: facts.backend = nil
    case .file:
      let functions = description.layers.filter(\.isOperation).map(\.name)
      if !functions.isEmpty, KerasGeneration(version: facts.version) == .three {
        losses.append(
          Loss(
            .capability,
            "Keras can't open an .h5 file with functions between layers: "
              + functions.joined(separator: ", ")))
      }
      facts.backend = facts.backend ?? "tensorflow"
      members = [members[1], members[2]]
    }
    facts.configuration = JSONValue.object(members).text
    return (KerasFileDraft(facts: facts, description: description, weights: weights), losses)
  }

  /// The configuration with every layer's module, which an archive needs and a file does without.
  private static func told(_ json: JSONValue) -> JSONValue {
    switch json {
    case .array(let parts): return .array(parts.map { told($0) })
    case .object(let members):
      var members = members.map { JSONMember($0.key, told($0.value)) }
      guard let name = json["class_name"]?.string, let config = json["config"],
        json["module"] == nil
      else { return .object(members) }
      if OperationBinding.isFunction(name, config) {
        members.append(JSONMember("module", .string(OperationBinding.module(of: name))))
        members.append(JSONMember("registered_name", .string(name)))
        return .object(members)
      }
      if ConfigurationReader.modelKind(name) != nil {
        let plain: JSONValue = name == "Functional" ? "Model" : .string(name)
        members = members.map { $0.key == "class_name" ? JSONMember("class_name", plain) : $0 }
        members.append(JSONMember("module", "keras"))
      } else if LayerBinding.named(name) != nil {
        members.append(JSONMember("module", "keras.layers"))
      } else {
        return .object(members)
      }
      members.append(JSONMember("registered_name", nil))
      return .object(members)
    default: return json
    }
  }
}
