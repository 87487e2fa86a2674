import CONNXSchema
import WherryBytes
import WherryGraph

/// One writing in progress.
final class ONNXWriter {
  let options: WriteOptions
  var losses: [Loss] = []
  /// Where large tensors go instead of the model's file; nil when they stay in it.
  var external: ExternalDataWriter?
  /// Tensors of at least this many bytes are external.
  var threshold = Int.max
  /// Whether names that ONNX wants are made up where the model has none.
  var fillsNames = false

  init(_ options: WriteOptions) { self.options = options }

  /// The largest message that protobuf parsers take.
  private static let largestMessage = Int(Int32.max)

  func write(_ model: Model, to sink: any ByteSink) throws(EncodeError) -> [Loss] {
    fillsNames = model.metadata.irVersion == nil
    let (expanded, expansionLosses) = OwnOperators.expand(model)
    losses += expansionLosses
    let raw = try DialectLowering.lower(expanded, operatorSet: options.opset)
    var pieces: MessagePieces
    if let threshold = options.externalDataThreshold {
      try useExternalData(from: max(threshold, 1))
      pieces = try self.pieces(raw)
    } else {
      pieces = try self.pieces(raw)
      if pieces.count > Self.largestMessage {
        try useExternalData(from: 1024)
        losses = expansionLosses
        pieces = try self.pieces(raw)
      }
    }
    guard pieces.count <= Self.largestMessage else {
      throw EncodeError(.inexpressible("a message of \(pieces.count) bytes"))
    }
    do throws(FileError) {
      try external?.commit()
      try pieces.write(to: sink)
    } catch {
      throw EncodeError(.file(error))
    }
    return losses
  }

  private func useExternalData(from bytes: Int) throws(EncodeError) {
    guard let path = options.path else {
      throw EncodeError(.inexpressible("tensors in a second file, without a path for the first"))
    }
    threshold = bytes
    do throws(FileError) {
      external = try ExternalDataWriter(besides: path)
    } catch {
      throw EncodeError(.file(error))
    }
  }

  private func pieces(_ model: Model) throws(EncodeError) -> MessagePieces {
    let place = Place()
    var pieces = MessagePieces()
    let (version, arena) = (irVersion(model), MessageArena())
    var head = Onnx__ModelProto()
    onnx__model_proto__init(&head)
    (head.has_ir_version, head.ir_version) = (1, version)
    let sets = model.operatorSets.map { operatorSet($0, arena) }
    (head.n_opset_import, head.opset_import) = (sets.count, arena.messages(sets))
    head.producer_name = arena.optional(model.metadata.producerName)
    head.producer_version = arena.optional(model.metadata.producerVersion)
    head.domain = arena.optional(model.metadata.domain)
    if model.metadata.modelVersion != 0 {
      (head.has_model_version, head.model_version) = (1, model.metadata.modelVersion)
    }
    head.doc_string = arena.optional(model.metadata.docString)
    let properties = model.metadata.properties + ExtensionKeys.properties(of: model)
    (head.n_metadata_props, head.metadata_props) = (properties.count, arena.properties(properties))
    let devices = model.devices.map { device($0, arena) }
    (head.n_configuration, head.configuration) = (devices.count, arena.messages(devices))
    pieces.append(try pack(head, arena, place))
    pieces.append(field: 7, try graph(model.graph, place.inside("graph")))
    for (index, info) in model.training.enumerated() {
      let here = place.inside("training", at: index, nil)
      pieces.append(field: 20, try training(info, here))
    }
    for (index, function) in model.functions.enumerated() {
      let here = place.inside("function", at: index, function.name.name)
      pieces.append(field: 25, try self.function(function, here))
    }
    return pieces
  }

  /// Packs a message; a zero byte in one of its texts is an error.
  func pack<T>(
    _ message: T, _ arena: MessageArena, _ place: Place
  ) throws(EncodeError) -> [UInt8] {
    let bytes = arena.pack(message)
    guard !arena.hasZeroByte else {
      throw EncodeError(.inexpressible("zero byte in text"), place)
    }
    return bytes
  }

  /// The version the model came with, or the oldest one that has what it needs.
  private func irVersion(_ model: Model) -> Int64 {
    let operatorSet = model.operatorSets.first { $0.domain.isEmpty }?.version
    let inputs = Set(model.graph.inputs.map(\.name))
    var needed: Int64 = model.graph.initializers.allSatisfy { inputs.contains($0.name) } ? 3 : 4
    if !model.functions.isEmpty { needed = 8 }
    if model.functions.contains(where: { !$0.overload.isEmpty || !$0.values.isEmpty }) {
      needed = 10
    }
    if !model.devices.isEmpty { needed = 11 }
    if let own = model.metadata.irVersion {
      if own < needed {
        losses.append(Loss(.information, "IR version \(own), which becomes \(needed)"))
      }
      return max(own, needed)
    }
    return max(needed, OperatorFacts.irVersion(for: operatorSet ?? 1))
  }

  func operatorSet(_ set: OperatorSetVersion, _ arena: MessageArena) -> Onnx__OperatorSetIdProto {
    var proto = Onnx__OperatorSetIdProto()
    onnx__operator_set_id_proto__init(&proto)
    proto.domain = arena.text(set.domain)
    (proto.has_version, proto.version) = (1, set.version)
    return proto
  }

  private func device(
    _ device: DeviceConfiguration, _ arena: MessageArena
  ) -> Onnx__DeviceConfigurationProto {
    var proto = Onnx__DeviceConfigurationProto()
    onnx__device_configuration_proto__init(&proto)
    proto.name = arena.optional(device.name)
    (proto.has_num_devices, proto.num_devices) = (1, device.count)
    (proto.n_device, proto.device) = (device.devices.count, arena.texts(device.devices))
    return proto
  }

  private func training(_ info: TrainingInfo, _ place: Place) throws(EncodeError) -> MessagePieces {
    var pieces = MessagePieces()
    let arena = MessageArena()
    var proto = Onnx__TrainingInfoProto()
    onnx__training_info_proto__init(&proto)
    (proto.n_initialization_binding, proto.initialization_binding) = (
      info.initializationBinding.count, arena.properties(info.initializationBinding)
    )
    (proto.n_update_binding, proto.update_binding) = (
      info.updateBinding.count, arena.properties(info.updateBinding)
    )
    pieces.append(try pack(proto, arena, place))
    if let graph = info.initialization {
      pieces.append(field: 1, try self.graph(graph, place.inside("initialization")))
    }
    if let graph = info.algorithm {
      pieces.append(field: 2, try self.graph(graph, place.inside("algorithm")))
    }
    return pieces
  }
}
