"""The C ABI of libwherry.so through ctypes, for benchmarks that run it beside its peers."""

import ctypes
import mmap

import numpy as np

ELEMENTS = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64,
            9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64}


class Info(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("input_count", ctypes.c_uint32), ("output_count", ctypes.c_uint32),
                ("operation_count", ctypes.c_uint32), ("session_bytes", ctypes.c_uint64),
                ("arena_bytes", ctypes.c_uint64), ("state_bytes", ctypes.c_uint64), ("macs", ctypes.c_uint64),
                ("weight_bytes", ctypes.c_uint64), ("test_count", ctypes.c_uint32), ("reserved", ctypes.c_uint32)]


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("status", ctypes.c_int32), ("offset", ctypes.c_uint64),
                ("operation", ctypes.c_int32), ("tensor", ctypes.c_int32), ("text", ctypes.c_char * 112)]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("cpu_mask", ctypes.c_uint32), ("check_digests", ctypes.c_uint32),
                ("profile", ctypes.c_uint32), ("clock", ctypes.c_void_p)]


class Tensor(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("element", ctypes.c_int32), ("name", ctypes.c_char_p),
                ("bytes", ctypes.c_uint64), ("rank", ctypes.c_uint32), ("dims", ctypes.c_int32 * 8),
                ("scale", ctypes.c_float), ("zero_point", ctypes.c_int32), ("label_count", ctypes.c_uint32)]


class Session:
    """One open model; inputs and outputs by name as numpy arrays."""

    def __init__(self, library, path, cpu_mask=0):
        self.lib = ctypes.CDLL(library)
        for name in ("wherry_input_data", "wherry_output_data"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.file = open(path, "rb")
        self.map = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        self.bytes = len(self.map)
        self.error = Error(ctypes.sizeof(Error))
        self.info = Info(ctypes.sizeof(Info))
        self.check(self.lib.wherry_check(ctypes.c_void_p(self.base), ctypes.c_size_t(self.bytes),
                                         ctypes.byref(self.info), ctypes.byref(self.error)))
        self.memory = np.zeros(self.info.session_bytes + 64, np.uint8)
        self.aligned = (self.memory.ctypes.data + 63) & ~63
        self.options = Options(ctypes.sizeof(Options), cpu_mask, 0, 0, None)
        self.handle = ctypes.c_void_p()
        self.open()
        self.invoke_function = self.lib.wherry_invoke
        self.inputs = self.tensors(self.info.input_count, self.lib.wherry_input)
        self.outputs = self.tensors(self.info.output_count, self.lib.wherry_output)

    def open(self):
        self.check(self.lib.wherry_open(
            ctypes.c_void_p(self.base), ctypes.c_size_t(self.bytes), ctypes.c_void_p(self.aligned),
            ctypes.c_size_t(self.info.session_bytes), ctypes.byref(self.options), ctypes.byref(self.handle),
            ctypes.byref(self.error)))

    def check(self, status):
        if status:
            raise RuntimeError(f"status {status}: {self.error.text.decode()} at byte {self.error.offset}")

    def tensors(self, count, describe):
        result = {}
        for index in range(count):
            tensor = Tensor(ctypes.sizeof(Tensor))
            self.check(describe(self.handle, ctypes.c_uint32(index), ctypes.byref(tensor)))
            result[tensor.name.decode()] = (index, tensor.bytes, tensor.dims[:tensor.rank], ELEMENTS[tensor.element])
        return result

    def run(self, feed):
        for name, value in feed.items():
            index, count, dims, element = self.inputs[name]
            data = np.ascontiguousarray(value, element)
            self.check(self.lib.wherry_set_input(self.handle, index, ctypes.c_void_p(data.ctypes.data), ctypes.c_size_t(data.nbytes)))
        self.check(self.invoke_function(self.handle))
        result = {}
        for name, (index, count, dims, element) in self.outputs.items():
            out = np.empty(dims, element)
            self.check(self.lib.wherry_get_output(self.handle, index, ctypes.c_void_p(out.ctypes.data), ctypes.c_size_t(out.nbytes)))
            result[name] = out
        return result

    def invoke(self):
        return self.invoke_function(self.handle)
