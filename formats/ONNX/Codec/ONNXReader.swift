import CONNXSchema
import WherryBytes
import WherryGraph

/// One reading in progress: walks the unpacked messages and collects every problem and loss.
final class ONNXReader {
  let source: ModelSource
  var problems: [DecodeError] = []
  var losses: [Loss] = []

  let external: ExternalDataReader
  /// Names of tensors inside attributes, which the graph has no place for.
  var unnamed: (count: Int, first: Place)?

  init(_ source: ModelSource) {
    self.source = source
    external = ExternalDataReader(path: source.path)
  }

  func report(_ reason: DecodeError.Reason, _ place: Place) {
    if problems.count < source.limits.problems { problems.append(DecodeError(reason, place)) }
  }

  func lose(_ kind: Loss.Kind, _ what: String, _ place: Place) {
    losses.append(Loss(kind, what, place))
  }

  /// Scans the source as a message of the schema's index `root`, unpacks its skeleton with
  /// libprotobuf-c, gives it to `body`, and frees it.
  ///
  /// - Throws: `ReadFailure` when the scan finds a problem.
  func unpack<T, R>(
    root: Int, _ unpacker: (Int, UnsafePointer<UInt8>?) -> UnsafeMutablePointer<T>?,
    _ free: (UnsafeMutablePointer<T>?) -> Void, _ body: (T) -> R
  ) throws(ReadFailure) -> R {
    guard source.bytes.count <= source.limits.fileBytes else {
      throw ReadFailure(DecodeError(.limit("bytes", source.limits.fileBytes)))
    }
    let scan = WireScan.scan(source.bytes, root: root, limits: source.limits)
    guard scan.problems.isEmpty else { throw ReadFailure(scan.problems) }
    losses += scan.losses
    let message = scan.skeleton.withUnsafeBufferPointer { unpacker($0.count, $0.baseAddress) }
    guard let message else { throw ReadFailure(DecodeError(.invalid("message"), .byte(0))) }
    defer { free(message) }
    return body(message.pointee)
  }

  func readModel() throws(ReadFailure) -> Reading {
    let raw = try unpack(
      root: WireSchema.model, { onnx__model_proto__unpack(nil, $0, $1) },
      { onnx__model_proto__free_unpacked($0, nil) }, { rawModel($0) })
    if let unnamed {
      lose(.information, "names of \(unnamed.count) tensors inside attributes", unnamed.first)
    }
    problems += raw.violations.prefix(max(0, source.limits.problems - problems.count))
    let model = problems.isEmpty ? DialectLifting.lift(raw, for: self) : raw
    locate(from: WireSchema.model)
    guard problems.isEmpty else { throw ReadFailure(problems) }
    return Reading(model, losses: losses)
  }

  /// Gives problems and losses that only have a road their byte offset.
  func locate(from root: Int) {
    source.bytes.withUnsafeBytes { raw in
      let roads = WireRoad(raw, root: root)
      let position = { (place: Place) -> Place.Position? in
        place.position ?? roads.offset(of: place.road).map { .byte($0) }
      }
      for index in problems.indices {
        problems[index].place.position = position(problems[index].place)
      }
      for index in losses.indices.prefix(source.limits.problems) {
        losses[index].place.position = position(losses[index].place)
      }
    }
  }

  private func rawModel(_ proto: Onnx__ModelProto) -> Model {
    var metadata = Metadata()
    metadata.producerName = text(proto.producer_name)
    metadata.producerVersion = text(proto.producer_version)
    metadata.domain = text(proto.domain)
    metadata.modelVersion = proto.model_version
    metadata.docString = text(proto.doc_string)
    if proto.has_ir_version == 0 {
      report(.missing("ir_version"), Place())
    } else if proto.ir_version < 1 || proto.ir_version > ONNXFormat.newestIRVersion {
      report(
        .unsupportedVersion("IR version \(proto.ir_version)"), Place().inside("ir_version"))
    }
    metadata.irVersion = proto.ir_version
    metadata.properties = properties(proto.metadata_props, proto.n_metadata_props)
    var model = Model(graph: Graph(), metadata: metadata)
    ExtensionKeys.restore(&model)
    model.operatorSets = operatorSets(proto.opset_import, proto.n_opset_import, Place())
    if model.operatorSets.isEmpty {
      // Files older than operator sets are in the first one.
      if proto.ir_version >= 3 { report(.missing("opset_import"), Place()) }
      model.operatorSets = [OperatorSetVersion("", 1)]
    }
    if let graph = proto.graph {
      model.graph = self.graph(graph.pointee, Place().inside("graph"))
    } else {
      report(.missing("graph"), Place())
    }
    for (index, function) in messages(proto.functions, proto.n_functions).enumerated() {
      let place = Place().inside("function", at: index, text(function.pointee.name))
      model.functions.append(self.function(function.pointee, place))
    }
    for (index, info) in messages(proto.training_info, proto.n_training_info).enumerated() {
      model.training.append(training(info.pointee, Place().inside("training", at: index, nil)))
    }
    model.devices = messages(proto.configuration, proto.n_configuration).map { device in
      DeviceConfiguration(
        name: text(device.pointee.name), count: device.pointee.num_devices,
        devices: texts(device.pointee.device, device.pointee.n_device))
    }
    return model
  }

  func operatorSets(
    _ base: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__OperatorSetIdProto>?>?, _ count: Int,
    _ place: Place
  ) -> [OperatorSetVersion] {
    var sets: [OperatorSetVersion] = []
    for (index, set) in messages(base, count).enumerated() {
      let here = place.inside("opset_import", at: index, nil)
      let domain = canonicalDomain(text(set.pointee.domain))
      let version = set.pointee.version
      if sets.contains(where: { $0.domain == domain && $0.version != version }) {
        report(.duplicate("operator set of \"\(domain)\""), here)
      } else if let newest = OperatorFacts.newestVersions[domain], version > newest || version < 1 {
        report(.unsupportedVersion("operator set \(version) of \"\(domain)\""), here)
      }
      sets.append(OperatorSetVersion(domain, version))
    }
    return sets
  }

  private func training(_ proto: Onnx__TrainingInfoProto, _ place: Place) -> TrainingInfo {
    TrainingInfo(
      initialization: proto.initialization.map {
        graph($0.pointee, place.inside("initialization"))
      },
      algorithm: proto.algorithm.map { graph($0.pointee, place.inside("algorithm")) },
      initializationBinding: properties(
        proto.initialization_binding, proto.n_initialization_binding),
      updateBinding: properties(proto.update_binding, proto.n_update_binding))
  }

  /// ONNX's own domain has two spellings.
  func canonicalDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
}
