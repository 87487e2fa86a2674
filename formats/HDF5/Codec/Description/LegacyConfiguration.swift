import WherryText

/// The names and settings of Keras 1 in the terms of Keras 2.
///
/// - Source: Keras 2.0 release notes, "API changes"; keras 1.2 layer documentation.
enum LegacyConfiguration {
  /// The current name of a class.
  static func className(_ name: String, _ config: JSONValue) -> String {
    if name == "Merge", let mode = config["mode"]?.string { return merges[mode] ?? name }
    return renamed[name] ?? name
  }

  private static let merges = [
    "sum": "Add", "mul": "Multiply", "concat": "Concatenate", "ave": "Average", "max": "Maximum",
    "dot": "Dot",
  ]

  private static let renamed = [
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D",
    "AtrousConv1D": "Conv1D", "AtrousConv2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose", "Deconvolution3D": "Conv3DTranspose",
    "Convolution2DTranspose": "Conv2DTranspose", "Convolution3DTranspose": "Conv3DTranspose",
    "Convolution1DTranspose": "Conv1DTranspose",
    "SeparableConvolution2D": "SeparableConv2D", "SeparableConvolution1D": "SeparableConv1D",
    "TimeDistributedDense": "Dense",
    "AvgPool1D": "AveragePooling1D", "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D", "MaxPool1D": "MaxPooling1D", "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D", "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D", "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU", "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization", "SyncBatchNormalization": "BatchNormalization",
  ]

  private static let keys = [
    "output_dim": "units", "nb_filter": "filters", "subsample": "strides",
    "subsample_length": "strides", "border_mode": "padding", "bias": "use_bias", "p": "rate",
    "init": "kernel_initializer", "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation", "filter_length": "kernel_size",
    "atrous_rate": "dilation_rate", "pool_length": "pool_size", "stride": "strides",
    "length": "size", "concat_axis": "axis", "dot_axes": "axes",
  ]

  /// A layer's settings under their current names.
  static func settings(_ config: JSONValue, _ className: String) -> JSONValue {
    guard let members = config.members else { return config }
    var result: [JSONMember] = []
    for member in members {
      switch member.key {
      case "dim_ordering":
        let format: JSONValue =
          member.value.string == "th" ? "channels_first" : "channels_last"
        result.append(JSONMember("data_format", format))
      case "output_dim" where className == "Embedding": result.append(member)
      case "init" where className == "Embedding": break
      case "sigma": result.append(JSONMember("stddev", member.value))
      case let key: result.append(JSONMember(keys[key] ?? key, member.value))
      }
    }
    for names in [["nb_row", "nb_col"], ["kernel_dim1", "kernel_dim2", "kernel_dim3"]] {
      let sizes = names.compactMap { config[$0] }
      if sizes.count == names.count { result.append(JSONMember("kernel_size", .array(sizes))) }
    }
    let sides = ["top_pad", "bottom_pad", "left_pad", "right_pad"].compactMap {
      config["padding"]?[$0]
    }
    if sides.count == 4 {
      let padding: JSONValue = .array([
        .array([sides[0], sides[1]]), .array([sides[2], sides[3]]),
      ])
      result.append(JSONMember("padding", padding))
    }
    return .object(result)
  }
}
