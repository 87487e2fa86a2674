"""Outputs of a model file in float32, whichever peer reads it, from float32 inputs in ONNX layout."""

import numpy as np


def quantized(values, scale, zero, element):
    limits = np.iinfo(element)
    return np.clip(np.rint(values / scale) + zero, limits.min, limits.max).astype(element)


def onnx_outputs(path, inputs):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: inputs[i:i + 1]})[0] for i in range(len(inputs))])


def tflite_outputs(path, inputs):
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(path, num_threads=1)
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if inputs.ndim == 4:
        inputs = inputs.transpose(0, 2, 3, 1)
    outputs = []
    for i in range(len(inputs)):
        value = inputs[i:i + 1]
        if source["dtype"] != np.float32:
            value = quantized(value, *source["quantization"], source["dtype"])
        interpreter.set_tensor(source["index"], np.ascontiguousarray(value))
        interpreter.invoke()
        value = interpreter.get_tensor(result["index"])
        if result["dtype"] != np.float32:
            scale, zero = result["quantization"]
            value = (value.astype(np.float32) - zero) * np.float32(scale)
        outputs.append(value)
    return np.concatenate(outputs)


def outputs(path, inputs):
    return tflite_outputs(path, inputs) if path.endswith(".tflite") else onnx_outputs(path, inputs)
