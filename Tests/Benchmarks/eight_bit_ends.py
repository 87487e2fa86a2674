"""Takes the quantization of the input and the dequantization of the output out of a QDQ model.

What remains has 8-bit inputs and outputs, as a full-integer TFLite model has. The scales go into the model's
metadata as `quantization:NAME` = "scale zero_point".
"""

import onnx
from onnx import numpy_helper


def strip(source, path):
    """Writes the stripped model; False if an end isn't quantized."""
    model = onnx.load(source)
    graph = model.graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    first = [n for n in graph.node if graph.input[0].name in n.input]
    last = [n for n in graph.node if graph.output[0].name in n.output]
    if [n.op_type for n in first] != ["QuantizeLinear"] or [n.op_type for n in last] != ["DequantizeLinear"]:
        return False
    rename = {first[0].output[0]: graph.input[0].name, last[0].input[0]: graph.output[0].name}
    for node, end in ((first[0], graph.input[0]), (last[0], graph.output[0])):
        scale, zero = constants[node.input[1]].item(), constants[node.input[2]]
        end.type.tensor_type.elem_type = onnx.helper.np_dtype_to_tensor_dtype(zero.dtype)
        model.metadata_props.add(key="quantization:" + end.name, value=f"{scale!r} {zero.item()}")
        graph.node.remove(node)
    for node in graph.node:
        node.input[:] = [rename.get(name, name) for name in node.input]
        node.output[:] = [rename.get(name, name) for name in node.output]
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return True
