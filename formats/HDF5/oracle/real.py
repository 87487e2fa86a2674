"""Compares Wherry with the frameworks on Keras models by others, and with the same nets as ONNX and TFLite.

    python real.py WHERRY SUITES [--frameworks]

Each .h5 or .hdf5 file of the suites is run in Wherry's evaluator and in its runtime, and in ONNX Runtime once
converted to ONNX (weights alone by way of a native file). Every output must be within 1e-5 of the output's largest value of

    golden    what Keras gave (`goldens_keras`), where the suites hold it
    tflite    the .tflite twin's outputs (`goldens_tflite`), on the twin's inputs
    onnx      the .onnx twin's, in ONNX Runtime
    tf_keras  with --frameworks: what tf_keras gives here

and .h5 to native and back keeps every data set and attribute. The TFLite files of the anomaly autoencoder lack the biases of
the .h5's dense_1 to dense_8, which the converter dropped when it folded the batch normalization behind them: Keras itself and they
are 1.4 % apart. They are compared with a copy of the .h5 in which `wherry patch` has made those biases zero.
DTLN's file holds weights alone; dtln_1.json and dtln_2.json beside this script are the structures of the two step nets that its twins are, with the states of each
layer as inputs and outputs of their own.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

from grid import converted, difference, outputs
from written import contents

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BOUND = 1e-5
DROPPED = [f"dense_{number}/bias" for number in range(1, 9)]
HERE = pathlib.Path(__file__).parent
TRAINED = "mlperf_tiny/benchmark/training"
IMAGES = f"{TRAINED}/image_classification/trained_models/pretrainedResnet"
SOUNDS = f"{TRAINED}/anomaly_detection/trained_models"
TOY = f"{SOUNDS}/ToyCar/baseline_tf23/model/model_ToyCar"
DTLN = "models/breizhn+DTLN/pretrained_model"
RESNET_ONNX = "models/mlcommons+tiny_results_v1.2/closed/kai_jiang/code/ic/LC236R5E176_BOARD_V2.0/models/pretrainedResnet.onnx"


def flat(path):
    return path.replace("/", "__")


def keras_golden(suites, name):
    """Pairs of inputs and outputs that Keras gave."""
    path = suites / "goldens_keras" / (flat(name) + ".npz")
    if not path.exists():
        return []
    arrays = np.load(path)
    return [([arrays[f"in{i}"]], [arrays[f"out{i}"]]) for i in range(4)]


def tflite_golden(suites, name):
    arrays = np.load(suites / "goldens_tflite" / (flat(name) + ".npz"))

    def every(kind, sample):
        count = sum(k.startswith(f"{kind}{sample}_") for k in arrays.files)
        return [arrays[f"{kind}{sample}_{i}"] for i in range(count)]

    return [(every("in", i), every("ref", i)) for i in range(4)]


def onnx_twin(path, cases, arrange):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    return [(given, session.run(None, dict(zip(names, arrange(given))))) for given, _ in cases]


def apart(values):
    """One tensor of states [1, layers, units, 2] as hidden and cell of each layer."""
    value, states = values
    return [value] + [states[:, layer, :, kind] for layer in range(2) for kind in range(2)]


def models(suites):
    """File, structure beside it, weights made zero, and the expectations: label to pairs of inputs and outputs."""
    for name, twin in ((IMAGES + ".h5", IMAGES + ".tflite"), (f"{SOUNDS}/ad01.h5", f"{SOUNDS}/ad01_fp32.tflite"),
                       (TOY + ".hdf5", TOY + ".tflite")):
        expectations = {"golden": keras_golden(suites, name), "tflite": tflite_golden(suites, twin)}
        if name.startswith(IMAGES):
            channels_in_front = lambda given: [np.ascontiguousarray(given[0].transpose(0, 3, 1, 2))]  # noqa: E731
            expectations["onnx"] = onnx_twin(suites / RESNET_ONNX, expectations["golden"], channels_in_front)
        expectations = {k: v for k, v in expectations.items() if v}
        if name.startswith(SOUNDS):
            yield name, None, DROPPED, {"tflite": expectations.pop("tflite")}
        if expectations:
            yield name, None, [], expectations
    for number in (1, 2):
        twin = tflite_golden(suites, f"{DTLN}/model_{number}.tflite")
        onnx = onnx_twin(suites / DTLN / f"model_{number}.onnx", twin, lambda given: given)
        yield f"{DTLN}/model.h5", HERE / f"dtln_{number}.json", [], {
            label: [(apart(given), apart(expected)) for given, expected in cases]
            for label, cases in (("tflite", twin), ("onnx", onnx))}


def tf_keras_outputs(path, structure, cases):
    import tensorflow as tf
    import tf_keras

    if structure:
        model = tf_keras.models.model_from_json(structure.read_text())
        model.load_weights(path, by_name=True)
    else:
        model = tf_keras.models.load_model(path, compile=False)
    return [(given, [np.asarray(o) for o in tf.nest.flatten(model(given if len(given) > 1 else given[0], training=False))])
            for given, _ in cases]


def input_names(wherry, path):
    text = subprocess.run([wherry, "inspect", str(path)], capture_output=True, text=True, check=True).stdout
    lines = text.split("inputs\n")[1].split("outputs\n")[0].splitlines()
    return [line.rsplit(": ", 1)[0].strip() for line in lines if ": " in line]


def worst(actual, expected):
    """The largest difference over an output's largest value; infinite where shapes differ."""
    if len(actual) != len(expected) or any(a is None or a.shape != e.shape for a, e in zip(actual, expected)):
        return np.inf
    return max(float(np.abs(a.astype("float64") - e.astype("float64")).max() / max(np.abs(e).max(), 1e-6))
               for a, e in zip(actual, expected))


def check(wherry, label, path, expectations, work):
    failed = 0
    names = input_names(wherry, path)
    for engine in ("reference", "runtime", "onnxruntime"):
        for source, cases in expectations.items():
            found = 0.0
            for given, expected in cases:
                inputs = dict(zip(names, given, strict=True))
                run = (lambda: converted(wherry, path, inputs, work)) if engine == "onnxruntime" else (
                    lambda: outputs(wherry, path, inputs, engine, work))
                actual, error = run()
                if error:
                    print(f"{label}: {engine}: {error}")
                    found = np.inf
                    break
                found = max(found, worst(actual, expected))
            good = found <= BOUND
            failed += not good
            print(f"{'ok    ' if good else 'FAILED'} {label}: {engine} against {source}: {len(cases)} samples, {found:.2g}", flush=True)
    return failed


def make_zero(wherry, path, weights):
    """Makes weights of a file, each a vector, zero."""
    import h5py

    changes = []
    with h5py.File(path) as file:
        for weight in weights:
            layer, kind = weight.split("/")
            values = path.with_name(f"{layer}.npy")
            np.save(values, np.zeros_like(file[f"model_weights/{layer}/{layer}/{kind}:0"]))
            changes.append(f"{layer}/{kind}={values}")
    subprocess.run([wherry, "patch", str(path), *changes], check=True, capture_output=True)


def survives(wherry, label, path, work):
    native, back = work / "model.wherry", work / ("back" + path.suffix)
    for source, target in ((path, native), (native, back)):
        target.unlink(missing_ok=True)
        result = subprocess.run([wherry, "convert", str(source), str(target)], capture_output=True, text=True)
        if result.returncode:
            print(f"FAILED {label}: {(result.stderr or result.stdout).strip()}")
            return 1
    before, after = contents(path), contents(back)
    changed = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    print(f"{'FAILED' if changed else 'ok    '} {label}: native and back, {len(before)} entries {changed[:5] or ''}")
    return bool(changed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wherry")
    parser.add_argument("suites", type=pathlib.Path)
    parser.add_argument("--frameworks", action="store_true")
    parser.add_argument("--only", help="a part of the file's name")
    options = parser.parse_args()
    failed = 0
    for name, structure, zeros, expectations in models(options.suites):
        label = pathlib.Path(name).name + (f" with {structure.name}" if structure else " without eight biases" if zeros else "")
        if options.only and options.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / pathlib.Path(name).name
            shutil.copyfile(options.suites / name, path)
            path.chmod(0o644)
            if zeros:
                make_zero(options.wherry, path, zeros)
            if structure:
                shutil.copyfile(structure, path.with_suffix(".json"))
            if options.frameworks:
                expectations["tf_keras"] = tf_keras_outputs(path, structure, next(iter(expectations.values())))
            work = pathlib.Path(folder) / "work"
            work.mkdir()
            if structure:
                native = path.with_suffix(".wherry")
                subprocess.run([options.wherry, "convert", str(path), str(native)], check=True)
                path = native
            failed += check(options.wherry, label, path, expectations, work)
            if not structure:
                failed += survives(options.wherry, label, path, work)
    print(f"{failed} failed")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
