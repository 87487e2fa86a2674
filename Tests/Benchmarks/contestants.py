"""One open model in each runtime, behind one face: `set(x)`, `run()`, `output()`, all in float32 and ONNX layout.

`run` is the thinnest call each runtime offers from Python, on tensors that were bound before: LiteRT's and
ONNX Runtime's inner binding without its Python wrapper, OpenVINO's and Wherry's C interfaces through ctypes.
"""

import ctypes
import functools
import glob
import os
import subprocess
import tempfile

import numpy as np
import onnx

from wherry_abi import Session


class Quantization:
    """Scale and zero point of an 8-bit input or output; floats pass unchanged."""

    def __init__(self, scale=0.0, zero=0, element=np.float32):
        self.scale, self.zero, self.element = float(scale), int(zero), np.dtype(element)

    def to(self, values):
        if self.element == np.float32:
            return np.ascontiguousarray(values, np.float32)
        limits = np.iinfo(self.element)
        levels = np.clip(np.rint(values / np.float32(self.scale)) + self.zero, limits.min, limits.max)
        return np.ascontiguousarray(levels.astype(self.element))

    def back(self, values):
        if self.element == np.float32:
            return np.array(values, np.float32)
        return (values.astype(np.float32) - self.zero) * np.float32(self.scale)


class OnnxFacts:
    """Names and shapes of a model's one input and one output, with the scales models.py notes for 8-bit ones."""

    def __init__(self, path):
        model = onnx.load(path, load_external_data=False)
        notes = {p.key: p.value for p in model.metadata_props}
        self.input, self.input_scale = self.end(model.graph.input[0], notes)
        self.output, self.output_scale = self.end(model.graph.output[0], notes)
        self.input_shape = self.shape(model.graph.input[0])
        self.output_shape = self.shape(model.graph.output[0])

    @staticmethod
    def shape(value):
        return [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]

    @staticmethod
    def end(value, notes):
        element = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        scale, zero = notes.get("quantization:" + value.name, "0 0").split()
        return value.name, Quantization(float(scale), int(zero), element)


class LiteRT:
    def __init__(self, path):
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(path, num_threads=1)
        self.interpreter.allocate_tensors()
        source, result = self.interpreter.get_input_details()[0], self.interpreter.get_output_details()[0]
        self.source, self.result = source["index"], result["index"]
        self.input_scale = Quantization(*source["quantization"], source["dtype"])
        self.output_scale = Quantization(*result["quantization"], result["dtype"])
        self.run = self.interpreter._interpreter.Invoke

    def set(self, x):
        x = x.transpose(0, 2, 3, 1) if x.ndim == 4 else x
        self.interpreter.set_tensor(self.source, self.input_scale.to(x))

    def output(self):
        return self.output_scale.back(self.interpreter.get_tensor(self.result))


class OnnxRuntime:
    def __init__(self, path):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.facts = OnnxFacts(path)
        self.bind = self.session.io_binding()
        self.source = np.zeros(self.facts.input_shape, self.facts.input_scale.element)
        self.result = np.zeros(self.facts.output_shape, self.facts.output_scale.element)
        for values, name, bind in ((self.source, self.facts.input, self.bind.bind_input),
                                   (self.result, self.facts.output, self.bind.bind_output)):
            bind(name, "cpu", 0, values.dtype, values.shape, values.ctypes.data)
        self.run = functools.partial(self.session._sess.run_with_iobinding, self.bind._iobinding, None)

    def set(self, x):
        self.source[...] = self.facts.input_scale.to(x)

    def output(self):
        return self.facts.output_scale.back(self.result)


def openvino_model(path):
    """What OpenVINO reads, with every size known."""
    import openvino
    model = openvino.Core().read_model(path)
    if model.is_dynamic():
        model.reshape([int(d) for d in LiteRT(path).interpreter.get_input_details()[0]["shape"]])
    return model


class OpenVINO:
    """`precision` is what it computes in where nothing is quantized: "f32", or "" for its own choice (bfloat16)."""

    library = None

    def __init__(self, path, precision="f32"):
        if OpenVINO.library is None:
            import openvino
            folder = os.path.join(os.path.dirname(openvino.__file__), "libs")
            OpenVINO.library = ctypes.CDLL(glob.glob(f"{folder}/libopenvino_c.so*")[0])
            OpenVINO.core = self.handle(OpenVINO.library.ov_core_create)
        settings = ["INFERENCE_NUM_THREADS", "1", "PERFORMANCE_HINT", "LATENCY"]
        settings += ["INFERENCE_PRECISION_HINT", precision] if precision else []
        compiled = ctypes.c_void_p()
        self.folder = tempfile.TemporaryDirectory()
        self.check(self.library.ov_core_compile_model_from_file(
            self.core, self.static(path).encode(), b"CPU", ctypes.c_size_t(len(settings)), ctypes.byref(compiled),
            *[ctypes.c_char_p(s.encode()) for s in settings]))
        self.request = self.handle(self.library.ov_compiled_model_create_infer_request, compiled)
        if path.endswith(".tflite"):
            reader = LiteRT(path)
            self.input_scale, self.output_scale = reader.input_scale, reader.output_scale
            details = reader.interpreter.get_output_details()[0]
            self.output_shape, self.channels_last = list(details["shape"]), True
        else:
            facts = OnnxFacts(path)
            self.input_scale, self.output_scale = facts.input_scale, facts.output_scale
            self.output_shape, self.channels_last = facts.output_shape, False
        self.run = functools.partial(self.library.ov_infer_request_infer, self.request)

    def static(self, path):
        """The file itself, or a copy with the shape that a TFLite file leaves open as LiteRT sets it."""
        if not path.endswith(".tflite"):
            return path
        import openvino
        copy = os.path.join(self.folder.name, "static.xml")
        openvino.save_model(openvino_model(path), copy, compress_to_fp16=False)
        return copy

    def check(self, status):
        if status:
            self.library.ov_get_last_err_msg.restype = ctypes.c_char_p
            raise RuntimeError(f"OpenVINO: {self.library.ov_get_last_err_msg().decode()[:200]}")

    def handle(self, function, *arguments):
        result = ctypes.c_void_p()
        self.check(function(*arguments, ctypes.byref(result)))
        return result

    def view(self, get, shape, element):
        tensor = self.handle(get, self.request, ctypes.c_size_t(0))
        data = self.handle(self.library.ov_tensor_data, tensor)
        count = ctypes.c_size_t()
        self.check(self.library.ov_tensor_get_byte_size(tensor, ctypes.byref(count)))
        raw = (ctypes.c_uint8 * count.value).from_address(data.value)
        return np.frombuffer(raw, element).reshape(shape)

    def set(self, x):
        x = x.transpose(0, 2, 3, 1) if self.channels_last and x.ndim == 4 else x
        value = self.input_scale.to(x)
        target = self.view(self.library.ov_infer_request_get_input_tensor_by_index, x.shape, value.dtype)
        target[...] = value

    def output(self):
        return self.output_scale.back(self.view(
            self.library.ov_infer_request_get_output_tensor_by_index, self.output_shape, self.output_scale.element))


class Wherry:
    """Converts the file with the command, having quantized it if there is data to calibrate with, and runs it in
    the library."""

    def __init__(self, path, library, command, calibrate=None):
        self.facts = OnnxFacts(path) if path.endswith(".onnx") else None
        self.folder = tempfile.TemporaryDirectory()
        if calibrate:
            quantized = os.path.join(self.folder.name, "quantized.wherry")
            self.order(command, "quantize", path, quantized, "--calibrate", calibrate)
            path = quantized
        plan = os.path.join(self.folder.name, "model.wherry")
        self.order(command, "convert", path, plan, "--plan-only")
        self.session = Session(os.path.abspath(library), plan)
        self.source, _, self.shape, element = next(iter(self.session.inputs.values()))
        self.result = next(iter(self.session.outputs))
        if self.facts:
            self.input_scale, self.output_scale = self.facts.input_scale, self.facts.output_scale
        else:
            self.input_scale = self.output_scale = Quantization()
        if self.input_scale.element != np.dtype(element):
            raise RuntimeError(f"input is {np.dtype(element)}, not {self.input_scale.element}")
        self.run = functools.partial(self.session.invoke_function, self.session.handle)

    @staticmethod
    def order(command, verb, *arguments):
        done = subprocess.run([command, verb, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"wherry {verb}: {(done.stderr or done.stdout).strip()}")

    def set(self, x):
        values = self.input_scale.to(x)
        self.session.check(self.session.lib.wherry_set_input(
            self.session.handle, self.source, ctypes.c_void_p(values.ctypes.data), ctypes.c_size_t(values.nbytes)))

    def output(self):
        index, _, dims, element = self.session.outputs[self.result]
        values = np.empty(dims, element)
        self.session.check(self.session.lib.wherry_get_output(
            self.session.handle, index, ctypes.c_void_p(values.ctypes.data), ctypes.c_size_t(values.nbytes)))
        return self.output_scale.back(values)


def outputs(contestant, inputs):
    """Outputs for every input of a batch, one at a time."""
    results = []
    for i in range(len(inputs)):
        contestant.set(inputs[i:i + 1])
        contestant.run()
        results.append(contestant.output())
    return np.concatenate(results)


def opened(path, library=None, command=None):
    """The runtime that a file's ending suggests."""
    if path.endswith(".tflite"):
        return LiteRT(path)
    if path.endswith(".onnx"):
        return OnnxRuntime(path)
    return Wherry(path, library, command)


def signal_to_noise(actual, expected):
    """Decibels."""
    return 10 * np.log10(np.sum(np.square(expected)) / max(np.sum(np.square(actual - expected)), 1e-30))
