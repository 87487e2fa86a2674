"""Compares models written by the round-trip test with the originals.

    python roundtrip.py SUITES WRITTEN

With a third argument, files that could not be written are passed over.

WRITTEN holds what the test puts there when WHERRY_ROUNDTRIP_OUT names it. Where the original passes
onnx.checker, so must the written file; where ONNX Runtime runs the original, the written file must
give equal outputs. Prints what differs; exits 1 if anything does.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

NUMPY = {
    "tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(float16)": numpy.float16,
    "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32, "tensor(int16)": numpy.int16,
    "tensor(int8)": numpy.int8, "tensor(uint8)": numpy.uint8, "tensor(uint16)": numpy.uint16,
    "tensor(uint32)": numpy.uint32, "tensor(uint64)": numpy.uint64, "tensor(bool)": numpy.bool_,
}
RANDOM = ("Random", "Bernoulli", "Multinomial", "Dropout")


def checks(path):
    try:
        onnx.checker.check_model(str(path), full_check=True)
        return None
    except Exception as error:  # the checker throws several kinds
        return str(error).splitlines()[0][:200]


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feeds(original, runner):
    data = original.parent / "test_data_set_0"
    generator = numpy.random.default_rng(7)
    made = {}
    for index, value in enumerate(runner.get_inputs()):
        file = data / f"input_{index}.pb"
        if file.exists():
            tensor = onnx.TensorProto()
            tensor.ParseFromString(file.read_bytes())
            made[value.name] = numpy_helper.to_array(tensor)
            continue
        shape = [extent if isinstance(extent, int) else 1 for extent in value.shape]
        if value.type not in NUMPY:
            raise ValueError(value.type)
        made[value.name] = generator.random(shape).astype(NUMPY[value.type])
    return made


def equal(a, b):
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    a, b = numpy.asarray(a), numpy.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return numpy.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def main(suites, written, passing_over=False):
    counts = {"checked": 0, "run": 0, "different": 0, "unchecked": 0, "not run": 0}
    for original in sorted(pathlib.Path(suites).rglob("*.onnx")):
        copy = pathlib.Path(written) / "__".join(original.relative_to(suites).parts)
        if not copy.exists():
            if not passing_over:
                print("absent", original)
                counts["different"] += 1
            continue
        before = checks(original)
        after = checks(copy)
        counts["checked" if before is None else "unchecked"] += 1
        if before is None and after is not None:
            print("checker", original, after)
            counts["different"] += 1
        try:
            runner = session(original)
            inputs = feeds(original, runner)
            expected = runner.run(None, inputs)
        except Exception:
            counts["not run"] += 1
            continue
        text = original.read_bytes()
        if any(name.encode() in text for name in RANDOM):
            counts["not run"] += 1
            continue
        counts["run"] += 1
        try:
            result = session(copy).run(None, inputs)
        except Exception as error:
            print("run", original, str(error).splitlines()[0][:200])
            counts["different"] += 1
            continue
        if not equal(expected, result):
            print("outputs", original)
            counts["different"] += 1
    print(counts)
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], len(sys.argv) > 3))
