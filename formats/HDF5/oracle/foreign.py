"""Writes ONNX models as Keras files with Wherry and opens them in real Keras.

    python foreign.py WHERRY tf_keras|keras FILE.onnx ...

Each model becomes an .h5 and a .keras file; both are opened and run on seeded inputs, and must give what
ONNX Runtime gives within 1e-5 of the output's largest value. A model that Wherry refuses, or writes in
the graph layout, is printed with the operators it names, one that only Keras 3 reads is left out for
tf_keras; the status is 1 when a written file does not open or gives something else.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402


def inputs(session, rng):
    values = {}
    for entry in session.get_inputs():
        shape = [d if isinstance(d, int) else 2 if i == 0 else 7 for i, d in enumerate(entry.shape)]
        if "float" in entry.type:
            values[entry.name] = rng.normal(size=shape).astype("float64" if "double" in entry.type else "float32")
        else:
            values[entry.name] = rng.integers(0, 5, shape).astype("int64" if "64" in entry.type else "int32")
    return values


def main():
    wherry, framework, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    import tensorflow as tf

    keras = __import__(framework)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in files:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            session = onnxruntime.InferenceSession(name, options, providers=["CPUExecutionProvider"])
            held = {entry.name for entry in session.get_overridable_initializers()}
            given = {k: v for k, v in inputs(session, np.random.default_rng(7)).items() if k not in held}
            try:
                expected = session.run(None, given)
            except Exception as error:  # noqa: BLE001 - random indices may lie outside a table
                print(f"{name}: ONNX Runtime: {' '.join(str(error).split())[:200]}", flush=True)
                continue
            for ending in (".h5", ".keras"):
                path = pathlib.Path(folder) / (pathlib.Path(name).stem + ending)
                result = subprocess.run([wherry, "convert", name, str(path)], capture_output=True, text=True)
                if result.returncode:
                    print(f"{name}: refused: {' / '.join(result.stderr.split(chr(10)))[:600]}", flush=True)
                    break
                said = result.stdout + result.stderr
                if "in the graph layout" in said or framework == "tf_keras" and "Keras 2 does not read" in said:
                    print(f"{name} {ending}: {' / '.join(said.split(chr(10)))[:600]}", flush=True)
                    continue
                try:
                    model = keras.models.load_model(path, compile=False)
                    values = list(given.values())
                    actual = tf.nest.flatten(model(values if len(values) > 1 else values[0], training=False))
                    worst = 0.0
                    for a, e in zip(actual, expected, strict=True):
                        a = np.asarray(a)
                        assert a.shape == e.shape, f"shape {a.shape}, not {e.shape}"
                        worst = max(worst, float(np.abs(a - e).max() / max(np.abs(e).max(), 1e-6)))
                    assert worst <= 1e-5, f"differs by {worst:.2g}"
                    print(f"{name} {ending}: {len(model.layers)} layers, within {worst:.1g}")
                except Exception as error:  # noqa: BLE001 - what went wrong is the result
                    failed += 1
                    print(f"{name} {ending}: {type(error).__name__}: {' '.join(str(error).split())[:400]}")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
