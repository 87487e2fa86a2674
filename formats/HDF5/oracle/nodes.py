"""Writes ONNX's node tests as Keras files with Wherry and compares what real Keras gives with their outputs.

    python nodes.py WHERRY tf_keras|keras FOLDER [--only PATTERN] [--ending .h5]

FOLDER holds one folder a test, with model.onnx and test_data_set_0. A test counts when its first input is
floating point. It is tried as it stands, and, when it is refused so, with every input but the first as a
constant, which is what those inputs are in models that were trained. Results have to equal the stored ones
within 1e-5 of the output's largest value. Printed are every wrong result, then the operators: how many
tests are said and how many refused, with the reasons. The status is 1 when a result is wrong.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

# Their stored outputs have four digits.
ROUNDED = ("test_averagepool_2d_ceil_last_window_starts_on_pad",)
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)


def arrays(folder, kind, values):
    found = {}
    for index, value in enumerate(values):
        path = folder / f"{kind}_{index}.pb"
        if value.type.WhichOneof("value") != "tensor_type" or not path.exists():
            return None
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.read_bytes())
        found[value.name] = numpy_helper.to_array(tensor)
    return found


def cases(folder, out, only):
    """The test as it stands, and with the later inputs as constants."""
    for test in sorted(folder.iterdir()):
        if not (test / "model.onnx").exists() or test.name in ROUNDED or not re.search(only, test.name):
            continue
        model = onnx.load(test / "model.onnx")
        inputs = list(model.graph.input)
        if not inputs or inputs[0].type.tensor_type.elem_type not in FLOATS:
            continue
        given = arrays(test / "test_data_set_0", "input", inputs)
        expected = arrays(test / "test_data_set_0", "output", model.graph.output)
        if given is None or expected is None:
            continue
        ways = [(test / "model.onnx", list(given.values()))]
        if len(inputs) > 1:
            for value in inputs[1:]:
                model.graph.initializer.append(numpy_helper.from_array(given[value.name], value.name))
                model.graph.input.remove(value)
            path = out / f"{test.name}.onnx"
            onnx.save(model, path)
            ways.append((path, [given[inputs[0].name]]))
        yield test.name, "+".join(sorted({n.op_type for n in model.graph.node})), ways, list(expected.values())


def write(wherry, framework, out, ending, case):
    name, operator, ways, expected = case
    results, reasons = [], []
    for index, (source, given) in enumerate(ways):
        target = out / f"{name}_{index}{ending}"
        run = subprocess.run([wherry, "convert", str(source), str(target)], capture_output=True, text=True)
        text = (run.stdout + run.stderr).strip()
        if run.returncode not in (0, 65):
            reasons.append(f"status {run.returncode}")
        elif run.returncode or "graph layout" in text:
            said = re.search(r"can't (?:say|hold|express) (.*?)(?:, at|$|\n)", text)
            reasons.append(said.group(1) if said else text.split("\n")[0][:160])
            target.unlink(missing_ok=True)
        elif framework == "tf_keras" and "Keras 2 does not read" in text:
            reasons.append("for Keras 3 alone")
        else:
            results.append((target, given))
    return name, operator, results, reasons, expected


def compare(keras, tf, path, given, expected):
    keras.backend.clear_session()
    model = keras.models.load_model(path, compile=False)
    actual = tf.nest.flatten(model(given if len(given) > 1 else given[0], training=False))
    assert len(actual) == len(expected), f"{len(actual)} outputs"
    for a, e in zip(actual, expected):
        a = np.asarray(a)
        assert a.shape == e.shape, f"shape {a.shape}, not {e.shape}"
        assert a.dtype == e.dtype, f"type {a.dtype}, not {e.dtype}"
        a, e = a.astype("float64"), e.astype("float64")
        assert np.array_equal(np.isfinite(a), np.isfinite(e)), f"{a.ravel()[:4]}, not {e.ravel()[:4]}"
        finite = np.isfinite(e)
        scale = max(np.abs(e[finite]).max(initial=0), 1e-6)
        bound = 1e-5 if model.outputs[0].dtype != "float16" else 2e-3
        worst = np.abs(a[finite] - e[finite]).max(initial=0) / scale
        assert worst <= bound, f"differs by {worst:.2g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wherry")
    parser.add_argument("framework", choices=("tf_keras", "keras"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", default="", help="a regular expression of test names")
    parser.add_argument("--ending", default=".keras", choices=(".h5", ".keras"))
    options = parser.parse_args()
    import tensorflow as tf

    keras = __import__(options.framework)
    said, refused, reasons, wrong = collections.Counter(), collections.Counter(), {}, 0
    with tempfile.TemporaryDirectory() as out:
        out = pathlib.Path(out)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = pool.map(
                lambda case: write(options.wherry, options.framework, out, options.ending, case),
                list(cases(options.folder, out, options.only)),
            )
            for name, operator, results, why, expected in jobs:
                said[operator] += bool(results)
                refused[operator] += not results
                if not results:
                    reasons.setdefault(operator, collections.Counter()).update([why[-1]])
                for path, given in results:
                    try:
                        compare(keras, tf, path, given, expected)
                    except Exception as error:  # noqa: BLE001 - what went wrong is the result
                        wrong += 1
                        text = " ".join(str(error).split())[:300]
                        print(f"{name} {path.name}: {type(error).__name__}: {text}", flush=True)
                    path.unlink()
    print(f"{options.framework}: {sum(said.values())} tests said, {wrong} wrong, {sum(refused.values())} refused")
    for operator in sorted(refused | said, key=lambda o: (-refused[o], o)):
        why = "; ".join(f"{n} {r}" for r, n in reasons.get(operator, collections.Counter()).most_common(4))
        print(f"  {operator}: {said[operator]} said, {refused[operator]} refused{': ' if why else ''}{why}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
