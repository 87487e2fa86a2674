"""Compares 8-bit models in Wherry with ONNX Runtime, byte for byte.

    python qdq.py WHERRY WORK [MODEL ...]

WHERRY is the command, WORK a folder for what is made. Seeded models of every integer operator, as ONNX
Runtime's own operators (QOperator) and between DequantizeLinear and QuantizeLinear (QDQ, made by
onnxruntime.quantization, per channel, uint8 and int8 activations), and every MODEL given, run on seeded
inputs in Wherry's runtime, in its reference evaluator and in ONNX Runtime. One line a case: elements,
how many differ, and by how many steps at most. EXPECTED says where ONNX Runtime's arithmetic is not
that of runtime/ARITHMETIC.md, how far it goes, and why. Exits 1 when Wherry's two engines differ, or
ONNX Runtime lies further away than is listed.
"""

import logging
import pathlib
import subprocess
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType,
                                      quantize_static)

F = TensorProto.FLOAT
ELEMENTS = {"u8": (numpy.uint8, TensorProto.UINT8, 0), "s8": (numpy.int8, TensorProto.INT8, -128)}

# By operator: where ONNX Runtime's arithmetic is not runtime/ARITHMETIC.md's: steps at most, share of
# elements at most (half of them where scales are powers of two and every other result is a half), and why.
EXPECTED = {
    "QLinearAdd": (1, 0.5, "adds the zero point before it rounds, in an order and with FMA of the processor's choice"),
    "QLinearMul": (1, 0.05, "adds the zero point before it rounds"),
    "QLinearAveragePool": (1, 0.2, "averages float32 values and adds the zero point before it rounds"),
    "QLinearSoftmax": (1, 0.05, "multiplies by floor(1 / y_scale)"),
}


def run_wherry(wherry, model, feeds, folder, engine):
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [wherry, "run", str(model), "--engine", engine, "--output", str(folder)]
    for name, value in feeds.items():
        path = folder / f"input.{name}.npy"
        numpy.save(path, value)
        arguments += ["--input", f"{name}={path}"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[:400])
    return {path.stem: numpy.load(path) for path in folder.glob("*.npy") if not path.name.startswith("input.")}


def run_peer(model, feeds, optimized):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimized else level.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return {o.name: v for o, v in zip(session.get_outputs(), session.run(None, feeds))}


def steps(a, b, scale):
    """The distance of two results in quantization steps."""
    d = numpy.abs(a.astype(numpy.float64) - b.astype(numpy.float64))
    return d / scale if a.dtype.kind == "f" and scale else d


class Report:
    def __init__(self, wherry, work):
        self.wherry, self.work, self.failed = wherry, pathlib.Path(work), 0

    def distance(self, own, other, scale):
        """How many elements differ by at least a thousandth of a step, and by how many steps at most."""
        d = numpy.round(steps(own, other, scale), 3)
        return int((d > 0).sum()), float(d.max(initial=0)), d.size

    def case(self, name, model, feeds, scale=None, is_whole=False):
        path = self.work / f"{name}.onnx"
        if isinstance(model, onnx.ModelProto):
            onnx.save(model, path)
        else:
            path = pathlib.Path(model)
        try:
            own = run_wherry(self.wherry, path, feeds, self.work / f"{name}.runtime", "runtime")
            truth = run_wherry(self.wherry, path, feeds, self.work / f"{name}.reference", "reference")
        except RuntimeError as error:
            self.failed += 1
            print(f"{name:34} FAILED {error}")
            return
        peers = {}
        for optimized in (True, False):
            try:
                peers["optimized" if optimized else "as it stands"] = run_peer(path, feeds, optimized)
            except Exception as error:
                print(f"{name:34} ONNX Runtime does not run it: {str(error).splitlines()[0][:90]}")
        for output in own:
            # The reference evaluates a whole model in float between its quantizations.
            results = [("reference", self.distance(own[output], truth[output], scale))]
            results += [(kind, self.distance(own[output], values[output], scale)) for kind, values in peers.items()]
            limit, share, why = EXPECTED.get(name.split(".")[0], (0, 0, ""))
            words = []
            for kind, (count, most, size) in results:
                bound = (limit, share) if kind != "reference" else (0, 0)
                if is_whole:
                    # In float between the quantizations; ONNX Runtime's own integer operators go further.
                    bound = (1, 0.02) if kind != "optimized" and scale else (numpy.inf, 1)
                unexpected = most > bound[0] or count > bound[1] * size
                self.failed += unexpected
                verdict = f"{count} by {most:g}" if count else "equal"
                words.append(f"{kind}: {verdict}{' UNEXPECTED' if unexpected else ''}")
            note = f"  ({why})" if why and any(count for _, (count, _, _) in results) else ""
            print(f"{name:34} {own[output].size:8}  {', '.join(words)}{note}")


def model(nodes, inputs, outputs, constants, opset=21):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
        [helper.make_tensor_value_info(n, t, s) for n, t, s in outputs],
        [numpy_helper.from_array(numpy.asarray(v), n) for n, v in constants.items()])
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)])
    made.ir_version = 10
    return made


def scalar(value, kind=numpy.float32):
    return numpy.array(value, kind)


def contrib(op, inputs, **attributes):
    return helper.make_node(op, inputs, ["y"], domain="com.microsoft", **attributes)


class Operators:
    """One integer operator a model, on every value or pair of values, or on seeded tensors."""

    def __init__(self, report, kind, trial):
        self.report, self.name, self.trial = report, f"{kind}.{trial}", trial
        self.dtype, self.code, self.least = ELEMENTS[kind]
        self.rng = numpy.random.default_rng([trial, *kind.encode()])
        # The last two trials have scales that are powers of two: many results are halves.
        self.halves = trial >= 4

    def zero(self):
        return scalar(self.least + int(self.rng.integers(60, 200)), self.dtype)

    def scale(self, low=0.01, high=0.1):
        value = 2.0 ** numpy.round(numpy.log2((low + high) / 2)) if self.halves else self.rng.uniform(low, high)
        return scalar(numpy.float32(value))

    def parameters(self, names, **more):
        """A scale for every s…, a zero point for every z…."""
        made = {n: self.scale() if n[0] == "s" else self.zero() for n in names.split()}
        made.update(more)
        return made

    def tensor(self, *shape):
        return self.rng.integers(self.least, self.least + 256, shape).astype(self.dtype)

    def run(self, op, node, feeds, out, constants):
        inputs = [(n, self.code, list(v.shape)) for n, v in feeds.items()]
        self.report.case(f"{op}.{self.name}", model([node], inputs, [("y", self.code, out)], constants), feeds)

    def elementwise(self):
        every = numpy.arange(self.least, self.least + 256).astype(self.dtype)
        a, b = [v.ravel().copy() for v in numpy.meshgrid(every, every, indexing="ij")]
        operands = ["a", "sa", "za", "b", "sb", "zb", "sc", "zc"]
        constants = self.parameters("sa za sb zb sc zc")
        self.run("QLinearAdd", contrib("QLinearAdd", operands), {"a": a, "b": b}, [65536], constants)
        constants = self.parameters("sa za sb zb zc", sc=self.scale(0.2, 1))
        self.run("QLinearMul", contrib("QLinearMul", operands), {"a": a, "b": b}, [65536], constants)
        operands = ["x", "sx", "zx", "sy", "zy"]
        constants = self.parameters("sx zx", sy=scalar(1 / 256), zy=scalar(self.least, self.dtype))
        self.run("QLinearSigmoid", contrib("QLinearSigmoid", operands), {"x": every}, [256], constants)
        constants = self.parameters("sx zx sy zy")
        self.run("QLinearLeakyRelu", contrib("QLinearLeakyRelu", operands), {"x": every}, [256], constants)
        operands = ["sy", "zy", "a", "s0", "z0", "b", "s1", "z1"]
        constants = self.parameters("sy zy s0 z0 s1 z1")
        self.run("QLinearConcat", contrib("QLinearConcat", operands, axis=0), {"a": every, "b": every}, [512], constants)

    def reductions(self):
        operands, image = ["x", "sx", "zx", "sy", "zy"], self.tensor(2, 5, 13, 11)
        node = contrib("QLinearGlobalAveragePool", operands)
        self.run("QLinearGlobalAveragePool", node, {"x": image}, [2, 5, 1, 1], self.parameters("sx zx sy zy"))
        node = contrib("QLinearAveragePool", operands, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        self.run("QLinearAveragePool", node, {"x": image}, [2, 5, 7, 6], self.parameters("sx zx sy zy"))
        lines = self.tensor(64, 10 ** (self.trial % 3 + 1))
        step = numpy.float32(1 / 256 if self.trial % 2 else 0.0037)
        constants = self.parameters("sx zx", sy=scalar(step), zy=scalar(self.least, self.dtype))
        node = contrib("QLinearSoftmax", operands, axis=-1, opset=13)
        self.run("QLinearSoftmax", node, {"x": lines}, list(lines.shape), constants)

    def weights(self, shape, count):
        scales = self.rng.uniform(0.002, 0.02, count).astype(numpy.float32)
        if self.halves:
            scales[:] = 2.0 ** -6
        return {
            "w": self.rng.integers(-127, 128, shape).astype(numpy.int8), "sw": scales,
            "zw": numpy.zeros(count, numpy.int8), "sy": self.scale(0.2, 0.6)}

    def products(self):
        x, rows = self.tensor(2, 16, 12, 12), self.tensor(64, 100)
        bias = lambda count: self.rng.integers(-20000, 20000, count).astype(numpy.int32)
        operands = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b"]
        for op, shape, group in (("QLinearConv", (24, 16, 3, 3), 1), ("QLinearConvDepthwise", (16, 1, 3, 3), 16)):
            count = shape[0]
            constants = self.parameters("sx zx zy", b=bias(count), **self.weights(shape, count))
            node = helper.make_node("QLinearConv", operands, ["y"], pads=[1, 1, 1, 1], group=group)
            self.run(op, node, {"x": x}, [2, count, 12, 12], constants)
        node = contrib("QGemm", ["x", "sx", "zx", "w", "sw", "zw", "b", "sy", "zy"])
        constants = self.parameters("sx zx zy", b=bias(24), **self.weights((100, 24), 24))
        self.run("QGemm", node, {"x": rows}, [64, 24], constants)
        node = helper.make_node("QLinearMatMul", ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy"], ["y"])
        constants = self.parameters("sx zx zy", **self.weights((100, 24), 24))
        self.run("QLinearMatMul", node, {"x": rows}, [64, 24], constants)
        node = helper.make_node("QLinearMatMul", ["x", "sx", "zx", "c", "sc", "zc", "sy", "zy"], ["y"])
        constants = self.parameters("sx zx sc zc zy", sy=self.scale(0.5, 3))
        self.run("QLinearMatMulActivations", node, {"x": rows, "c": self.tensor(2, 100, 24)}, [2, 64, 24], constants)


class Feed(CalibrationDataReader):
    def __init__(self, samples):
        self.samples = iter(samples)

    def get_next(self):
        return next(self.samples, None)


def float_models():
    """Small float models: name, nodes, the shape of x, constants."""
    rng = numpy.random.default_rng(2)
    n = helper.make_node
    w = lambda *shape: (rng.standard_normal(shape) / numpy.sqrt(numpy.prod(shape[1:]))).astype(numpy.float32)
    image, same = [1, 8, 14, 14], {"pads": [1, 1, 1, 1]}
    yield "conv", [n("Conv", ["x", "w", "b"], ["h"], **same), n("Relu", ["h"], ["y"])], image, {
        "w": w(16, 8, 3, 3), "b": w(16)}
    yield "strided", [
        n("Conv", ["x", "w"], ["h"], strides=[2, 2], group=2, **same), n("Clip", ["h", "lo", "hi"], ["y"])], image, {
        "w": w(16, 4, 3, 3), "lo": scalar(0.0), "hi": scalar(1.0)}
    yield "depthwise", [
        n("Conv", ["x", "w", "b"], ["h"], group=8, **same), n("Relu", ["h"], ["r"]), n("Conv", ["r", "v"], ["y"])], image, {
        "w": w(8, 1, 3, 3), "b": w(8), "v": w(12, 8, 1, 1)}
    yield "dense", [
        n("Gemm", ["x", "w", "b"], ["h"], transB=1), n("Relu", ["h"], ["r"]), n("MatMul", ["r", "v"], ["y"])], [4, 40], {
        "w": w(30, 40), "b": w(30), "v": w(30, 12)}
    yield "residual", [
        n("Conv", ["x", "w"], ["h"], **same), n("Add", ["h", "x"], ["s"]), n("Relu", ["s"], ["y"])], image, {
        "w": w(8, 8, 3, 3)}
    yield "multiply", [n("Conv", ["x", "w"], ["h"], **same), n("Mul", ["h", "x"], ["y"])], image, {"w": w(8, 8, 3, 3)}
    yield "pools", [
        n("MaxPool", ["x"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        n("AveragePool", ["m"], ["a"], kernel_shape=[3, 3], **same),
        n("Conv", ["a", "w"], ["c"]), n("GlobalAveragePool", ["c"], ["y"])], image, {"w": w(8, 8, 1, 1)}
    yield "concat", [
        n("Conv", ["x", "w"], ["h"]), n("Conv", ["x", "v"], ["k"]), n("Concat", ["h", "k"], ["c"], axis=1),
        n("Conv", ["c", "u"], ["y"])], image, {"w": w(8, 8, 1, 1), "v": 3 * w(4, 8, 1, 1), "u": w(6, 12, 1, 1)}
    yield "softmax", [n("Gemm", ["x", "w"], ["h"]), n("Softmax", ["h"], ["y"], axis=-1)], [16, 20], {"w": 4 * w(20, 30)}
    yield "sigmoid", [n("Conv", ["x", "w"], ["h"]), n("Sigmoid", ["h"], ["y"])], image, {"w": 4 * w(8, 8, 1, 1)}
    yield "leaky", [n("Conv", ["x", "w"], ["h"]), n("LeakyRelu", ["h"], ["y"], alpha=0.1)], image, {"w": w(8, 8, 1, 1)}
    yield "hardswish", [
        n("Conv", ["x", "w"], ["h"]), n("HardSigmoid", ["h"], ["g"], alpha=1 / 6, beta=0.5),
        n("Mul", ["h", "g"], ["m"]), n("Conv", ["m", "v"], ["y"])], image, {"w": 4 * w(8, 8, 1, 1), "v": w(8, 8, 1, 1)}
    yield "movement", [
        n("Conv", ["x", "w"], ["h"]), n("Transpose", ["h"], ["t"], perm=[0, 2, 3, 1]),
        n("Reshape", ["t", "shape"], ["r"]), n("MatMul", ["r", "v"], ["y"])], image, {
        "w": w(8, 8, 1, 1), "v": w(8, 5), "shape": numpy.array([-1, 8], numpy.int64)}


def quantized(report):
    rng = numpy.random.default_rng(3)
    logging.disable(logging.WARNING)
    for name, nodes, shape, constants in float_models():
        source = model(nodes, [("x", F, shape)], [("y", F, None)], constants, opset=17)
        source.ir_version = 8
        path = report.work / f"{name}.float.onnx"
        onnx.save(onnx.shape_inference.infer_shapes(source), path)
        samples = [{"x": rng.standard_normal(shape).astype(numpy.float32)} for _ in range(8)]
        for form, kind, element in (
            (QuantFormat.QDQ, "u8", QuantType.QUInt8), (QuantFormat.QDQ, "s8", QuantType.QInt8),
            (QuantFormat.QOperator, "u8", QuantType.QUInt8),
        ):
            target = report.work / f"{name}.{form.name.lower()}.{kind}.onnx"
            quantize_static(
                str(path), str(target), Feed(samples), quant_format=form, per_channel=True,
                activation_type=element, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax)
            report.case(target.stem, target, samples[0], scale=last_scale(target), is_whole=True)


def last_scale(path):
    """The scale of the quantization before the output; None where there is none."""
    graph = onnx.load(path).graph
    constants = {c.name: c for c in graph.initializer}
    makers = {o: node for node in graph.node for o in node.output}
    node = makers.get(graph.output[0].name)
    if node is not None and node.op_type == "DequantizeLinear" and node.input[1] in constants:
        return float(numpy_helper.to_array(constants[node.input[1]]).ravel()[0])
    return None


def given(report, paths):
    kinds = {"tensor(float)": numpy.float32, "tensor(uint8)": numpy.uint8, "tensor(int8)": numpy.int8}
    for path in map(pathlib.Path, paths):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        rng = numpy.random.default_rng(4)
        feeds = {}
        for value in session.get_inputs():
            shape = [d if isinstance(d, int) else 1 for d in value.shape]
            kind = kinds[value.type]
            data = rng.standard_normal(shape) if kind == numpy.float32 else rng.integers(0, 128, shape)
            feeds[value.name] = data.astype(kind)
        report.case(path.stem, path, feeds, scale=last_scale(path), is_whole=True)


def main():
    report = Report(sys.argv[1], sys.argv[2])
    report.work.mkdir(parents=True, exist_ok=True)
    for kind in ELEMENTS:
        for trial in range(6):
            made = Operators(report, kind, trial)
            made.elementwise()
            made.reductions()
            made.products()
    quantized(report)
    given(report, sys.argv[3:])
    print(f"{report.failed} unexpected")
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
