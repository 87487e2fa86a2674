/// How a model is trained: carried through conversions, not executed.
///
/// - Source: ONNX IR specification, `TrainingInfoProto`.
public struct TrainingInfo: Sendable, Hashable {
  public var initialization: Graph?
  public var algorithm: Graph?
  public var initializationBinding: [Property]
  public var updateBinding: [Property]

  public init(
    initialization: Graph?, algorithm: Graph?, initializationBinding: [Property],
    updateBinding: [Property]
  ) {
    (self.initialization, self.algorithm) = (initialization, algorithm)
    (self.initializationBinding, self.updateBinding) = (initializationBinding, updateBinding)
  }
}

/// A named set of devices a model can be spread over: carried through, not executed.
///
/// - Source: ONNX IR specification, `DeviceConfigurationProto`.
public struct DeviceConfiguration: Sendable, Hashable {
  public var name: String
  public var count: Int32
  public var devices: [String]

  public init(name: String, count: Int32, devices: [String]) {
    (self.name, self.count, self.devices) = (name, count, devices)
  }
}

/// How one node is spread over a device configuration.
///
/// - Source: ONNX IR specification, `NodeDeviceConfigurationProto`.
public struct NodeDevice: Sendable, Hashable {
  public var configuration: String
  public var shardings: [Sharding]
  public var pipelineStage: Int32?

  public init(configuration: String, shardings: [Sharding], pipelineStage: Int32?) {
    (self.configuration, self.shardings) = (configuration, shardings)
    self.pipelineStage = pipelineStage
  }
}

/// How one tensor is cut over devices.
public struct Sharding: Sendable, Hashable {
  public struct Group: Sendable, Hashable {
    public var key: Int64
    public var devices: [Int64]
    public init(key: Int64, devices: [Int64]) { (self.key, self.devices) = (key, devices) }
  }
  public struct Part: Sendable, Hashable {
    public var extent: Dimension
    public var count: Int64
    public init(extent: Dimension, count: Int64) { (self.extent, self.count) = (extent, count) }
  }
  public struct Axis: Sendable, Hashable {
    public var axis: Int64
    public var parts: [Part]
    public init(axis: Int64, parts: [Part]) { (self.axis, self.parts) = (axis, parts) }
  }
  public var tensor: String
  public var devices: [Int64]
  public var groups: [Group]
  public var axes: [Axis]

  public init(tensor: String, devices: [Int64], groups: [Group], axes: [Axis]) {
    (self.tensor, self.devices, self.groups, self.axes) = (tensor, devices, groups, axes)
  }
}
