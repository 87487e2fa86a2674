"""Emits a network of networks.py as a float ONNX model in the layout and operators PyTorch's exporter gives."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from networks import Weights


def same(size, kernel, stride):
    """TensorFlow's SAME padding of one axis: (before, after)."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class OnnxBuilder:
    """Values are (name, shape) with the shape without batch: [C, H, W], [C] or [S, C]."""

    def __init__(self, opset):
        self.opset = opset
        self.weights = Weights()
        self.nodes, self.initializers, self.macs = [], [], 0

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator, inputs, shape, **attributes):
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name, shape

    def input(self, shape):
        shape = (shape[2], *shape[:2]) if len(shape) == 3 else shape
        self.input_shape = shape
        return "input", shape

    def convolution(self, x, weights, kernel, stride, group, filters):
        (h, w), (kh, kw) = x[1][1:], kernel
        rows, columns = same(h, kh, stride), same(w, kw, stride)
        shape = (filters, -(-h // stride), -(-w // stride))
        self.macs += int(np.prod(shape)) * kh * kw * x[1][0] // group
        return self.node("Conv", [x[0], weights], shape, kernel_shape=[kh, kw], strides=[stride, stride],
                         pads=[rows[0], columns[0], rows[1], columns[1]], group=group)

    def conv(self, x, name, filters, kernel, stride, gain):
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        shape = (filters, x[1][0], *kernel)
        weights = self.constant(name + ".weight", self.weights.he(name, shape, x[1][0] * kernel[0] * kernel[1], gain))
        return self.convolution(x, weights, kernel, stride, 1, filters)

    def depthwise(self, x, name, kernel, stride):
        channels = x[1][0]
        weights = self.constant(name + ".weight", self.weights.he(name, (channels, 1, kernel, kernel), kernel * kernel))
        return self.convolution(x, weights, (kernel, kernel), stride, channels, channels)

    def batch_norm(self, x, name, scale):
        values = self.weights.batch_norm(name, x[1][0], scale)
        names = [self.constant(f"{name}.{part}", v) for part, v in zip(("scale", "offset", "mean", "variance"), values)]
        return self.node("BatchNormalization", [x[0], *names], x[1], epsilon=1e-3)

    def activation(self, x, kind):
        if kind is None:
            return x
        if kind == "relu":
            return self.node("Relu", [x[0]], x[1])
        limits = [self.constant(f"{x[0]}_{end}", np.float32(v)) for end, v in (("low", 0), ("high", 6))]
        return self.node("Clip", [x[0], *limits], x[1])

    def add(self, a, b):
        return self.node("Add", [a[0], b[0]], a[1])

    def max_pool(self, x, kernel, stride):
        (c, h, w) = x[1]
        rows, columns = same(h, kernel, stride), same(w, kernel, stride)
        return self.node("MaxPool", [x[0]], (c, -(-h // stride), -(-w // stride)), kernel_shape=[kernel, kernel],
                         strides=[stride, stride], pads=[rows[0], columns[0], rows[1], columns[1]])

    def mean(self, x):
        pooled = self.node("GlobalAveragePool", [x[0]], (x[1][0], 1, 1))
        return self.node("Flatten", [pooled[0]], (x[1][0],), axis=1)

    def dense(self, x, name, units, gain):
        channels = x[1][-1]
        kernel = self.weights.he(name, (units, channels), channels, gain)
        bias = self.constant(name + ".bias", self.weights.bias(name + "_bias", units))
        self.macs += int(np.prod(x[1])) * units
        if len(x[1]) == 1:
            return self.node("Gemm", [x[0], self.constant(name + ".weight", kernel), bias], (units,), transB=1)
        kernel = self.constant(name + ".weight", np.ascontiguousarray(kernel.T))
        product = self.node("MatMul", [x[0], kernel], (*x[1][:-1], units))
        return self.node("Add", [product[0], bias], product[1])

    def softmax(self, x):
        return self.node("Softmax", [x[0]], x[1], axis=-1)

    def layer_norm(self, x, name):
        scale, offset, _, _ = self.weights.batch_norm(name, x[1][-1], 1.0)
        inputs = [x[0], self.constant(name + ".scale", scale), self.constant(name + ".offset", offset)]
        return self.node("LayerNormalization", inputs, x[1], axis=-1, epsilon=1e-5)

    def gelu(self, x):
        return self.node("Gelu", [x[0]], x[1])

    def attention(self, q, k, v, heads):
        length, width = q[1]
        size = width // heads
        split = self.constant(f"{q[0]}_split", np.array([1, length, heads, size], np.int64))
        join = self.constant(f"{q[0]}_join", np.array([1, length, width], np.int64))
        factor = self.constant(f"{q[0]}_factor", np.float32(1 / np.sqrt(size)))
        q, k, v = (self.node("Reshape", [t[0], split], (length, heads, size)) for t in (q, k, v))
        q = self.node("Transpose", [q[0]], (heads, length, size), perm=[0, 2, 1, 3])
        k = self.node("Transpose", [k[0]], (heads, size, length), perm=[0, 2, 3, 1])
        v = self.node("Transpose", [v[0]], (heads, length, size), perm=[0, 2, 1, 3])
        self.macs += 2 * heads * length * length * size
        q = self.node("Mul", [q[0], factor], q[1])
        scores = self.softmax(self.node("MatMul", [q[0], k[0]], (heads, length, length)))
        mixed = self.node("MatMul", [scores[0], v[0]], (heads, length, size))
        mixed = self.node("Transpose", [mixed[0]], (length, heads, size), perm=[0, 2, 1, 3])
        return self.node("Reshape", [mixed[0], join], (length, width))

    def finish(self, name, result, path):
        self.nodes[-1].output[0] = "output"
        floats = TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes, name, [helper.make_tensor_value_info("input", floats, [1, *self.input_shape])],
            [helper.make_tensor_value_info("output", floats, [1, *result[1]])], self.initializers)
        model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", self.opset)])
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        onnx.checker.check_model(model)
        onnx.save(model, path)
