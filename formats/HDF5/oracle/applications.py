"""The architectures of keras.applications with seeded weights: read, run, converted, written back, opened again.

    python applications.py make FOLDER tf_keras|keras [NAME ...]    about 5 minutes and 1.5 GB a framework
    python applications.py check WHERRY FOLDER [NAME ...]
    python applications.py open FOLDER tf_keras|keras [NAME ...]

`make` writes FOLDER/<framework>/<name>.h5, .keras, .npz (input and the framework's own outputs) and, in
FOLDER/<framework>/weights, <name>.weights.h5 with <name>.json beside. Statistics of batch normalization are those of a
random batch, other vectors are random, so that every layer counts.

`check` prints one line for each file: the largest difference from the framework's outputs, relative to their largest
value, in the evaluator, in the runtime and in ONNX Runtime after conversion to ONNX, which onnx.checker reads; the nodes and Transposes
of the ONNX file; whether file -> native -> file keeps every entry; seconds of the conversion to ONNX. A file fails where a difference
is above 1e-5, where a Transpose stands neither at an input nor at an output, or where an entry changed.
`open` loads in the framework what `check` wrote back to FOLDER/<framework>/back and compares its outputs bit for bit.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np  # noqa: E402

BOUND = 1e-5
# Name: edge of the input, frameworks that have it.
BOTH = ("tf_keras", "keras")
MODELS = {
    "MobileNet": (96, BOTH),
    "MobileNetV2": (96, BOTH),
    "MobileNetV3Small": (96, BOTH),
    "MobileNetV3Large": (96, BOTH),
    "EfficientNetB0": (64, BOTH),
    "EfficientNetV2B0": (64, BOTH),
    "NASNetMobile": (64, BOTH),
    "DenseNet121": (64, BOTH),
    "ResNet50": (64, BOTH),
    "ResNet50V2": (64, BOTH),
    "ResNetRS50": (64, ("tf_keras",)),
    "RegNetX002": (64, ("tf_keras",)),
    "RegNetY002": (64, ("tf_keras",)),
    "Xception": (71, BOTH),
    "InceptionV3": (75, BOTH),
    "InceptionResNetV2": (75, BOTH),
    "ConvNeXtTiny": (64, BOTH),
    "VGG16": (32, BOTH),
}


def framework_named(name):
    import importlib

    return importlib.import_module(name)


def flattened(model):
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from flattened(layer)


def enliven(model, images, rng):
    """No vector left at the value it was born with; then statistics as after a batch in which nothing is dropped."""
    for weight in model.weights:
        name = getattr(weight, "path", weight.name).split(":")[0].split("/")[-1]
        if name == "gamma":
            weight.assign(np.asarray(weight) * rng.uniform(0.7, 1.4, tuple(weight.shape)))
        elif name in ("beta", "bias"):
            weight.assign(np.asarray(weight) + rng.normal(0, 0.1, tuple(weight.shape)))
    changed = []
    for layer in flattened(model):
        for kind, key in (("BatchNormalization", "momentum"), ("Dropout", "rate"), ("StochasticDepth", "drop_path_rate")):
            if type(layer).__name__ == kind:
                changed.append((layer, key, getattr(layer, key)))
                setattr(layer, key, 0.0)
    model(images, training=True)
    for layer, key, value in changed:
        setattr(layer, key, value)
    # Channels that hardly vary in a small batch would be magnified until rounding shows.
    for weight in model.weights:
        if getattr(weight, "path", weight.name).split(":")[0].endswith("moving_variance"):
            variance = np.asarray(weight)
            weight.assign(variance + 0.25 * variance.mean())


def make(folder, framework, names):
    keras = framework_named(framework)
    target = folder / framework
    (target / "weights").mkdir(parents=True, exist_ok=True)
    for name, (edge, frameworks) in MODELS.items():
        if names and name not in names or framework not in frameworks:
            continue
        seed = zlib.crc32(name.encode())
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed % 1000)
        rng = np.random.default_rng(seed)
        model = getattr(keras.applications, name)(
            weights=None, input_shape=(edge, edge, 3), classifier_activation=None)
        images = rng.uniform(0, 255, (8, edge, edge, 3)).astype("float32")
        enliven(model, images, rng)
        images = images[:2]
        outputs = np.asarray(model(images, training=False))
        # What a change of the last digit of the input does: no two implementations agree to less.
        nearby = np.asarray(model(images * np.float32(1 + 2e-7), training=False))
        arrays = {f"in:{model.layers[0].name}": images, "out:0": outputs, "bound": np.float64(BOUND)}
        np.savez(target / f"{name}.npz", **arrays)
        for ending in ("h5", "keras"):
            model.save(target / f"{name}.{ending}")
        model.save_weights(target / "weights" / f"{name}.weights.h5")
        (target / "weights" / f"{name}.json").write_text(model.to_json())
        largest = np.abs(outputs).max()
        print(f"{framework}/{name}: {model.count_params() / 1e6:.1f} million weights, outputs to {largest:.3g}, "
              f"by a digit apart {np.abs(nearby - outputs).max() / largest:.2g}", flush=True)


def convert(wherry, source, target):
    """None and the seconds that it took, or what was said instead."""
    target.unlink(missing_ok=True)
    start = time.monotonic()
    result = subprocess.run([wherry, "convert", str(source), str(target)], capture_output=True, text=True)
    seconds = time.monotonic() - start
    return (result.stderr or result.stdout).strip() if result.returncode else None, seconds


def needless(graph):
    """The Transposes of an ONNX graph that neither take an input nor give an output."""
    ends = {value.name for value in (*graph.input, *graph.output)}
    return [node.name for node in graph.node if node.op_type == "Transpose"
            and not ends & {*node.input, *node.output}]


def worst(actual, expected):
    if len(actual) != len(expected) or any(a is None or a.shape != e.shape for a, e in zip(actual, expected)):
        return np.inf
    return max(float(np.abs(a.astype("float64") - e).max() / max(np.abs(e).max(), 1e-6)) for a, e in zip(actual, expected))


def check_file(wherry, file, golden, back, work):
    import onnx

    from grid import converted, outputs
    from written import contents

    arrays = np.load(golden)
    inputs = {k[3:]: arrays[k] for k in arrays.files if k.startswith("in:")}
    expected = [arrays["out:0"]]
    found, faults = [], []
    for engine in ("reference", "runtime", "onnxruntime"):
        actual, error = converted(wherry, file, inputs, work) if engine == "onnxruntime" else outputs(
            wherry, file, inputs, engine, work)
        if error:
            return f"{engine}: {' / '.join(error.splitlines()[:2])}", False
        difference = worst(actual, expected)
        found.append(f"{engine} {difference:.1g}")
        if not difference <= float(arrays["bound"]):
            faults.append(f"{engine} differs")
    error, seconds = convert(wherry, file, work / "model.onnx")
    graph = onnx.load(work / "model.onnx").graph
    inner = needless(graph)
    found.append(f"{len(graph.node)} nodes, {sum(n.op_type == 'Transpose' for n in graph.node)} Transposes, {seconds:.1f} s")
    if inner:
        faults.append(f"Transposes within: {inner[:3]}")
    if back:
        back.parent.mkdir(parents=True, exist_ok=True)
        for source, target in ((file, work / "model.wherry"), (work / "model.wherry", back)):
            error, _ = convert(wherry, source, target)
            if error:
                return error, False
        before, after = contents(file), contents(back)
        changed = [k for k in before.keys() | after.keys() if before.get(k) != after.get(k)]
        found.append(f"{len(before)} entries back")
        if changed:
            faults.append(f"entries that changed: {sorted(changed)[:3]}")
    return ", ".join(found + faults), not faults


def check(wherry, folder, names):
    failed = 0
    for golden in sorted(folder.glob("*/*.npz")):
        framework, name = golden.parent.name, golden.stem
        if names and name not in names:
            continue
        for file in (golden.with_suffix(".h5"), golden.with_suffix(".keras"),
                     golden.parent / "weights" / f"{name}.weights.h5"):
            back = None if file.name.endswith(".weights.h5") else golden.parent / "back" / file.name
            with tempfile.TemporaryDirectory() as work:
                line, good = check_file(wherry, file, golden, back, pathlib.Path(work))
            failed += not good
            print(f"{'ok    ' if good else 'FAILED'} {framework}/{file.name}: {line}", flush=True)
    print(f"{failed} failed")
    return failed


def open_all(folder, framework, names):
    keras = framework_named(framework)
    own = {}
    if framework == "keras":
        from keras.src.applications import convnext, inception_resnet_v2
    else:
        from tf_keras.src.applications import convnext, inception_resnet_v2
    for module, classes in ((convnext, ("LayerScale", "StochasticDepth")), (inception_resnet_v2, ("CustomScaleLayer",))):
        own.update({name: getattr(module, name) for name in classes if hasattr(module, name)})
    failed = 0
    for file in sorted((folder / framework / "back").glob("*")):
        if names and file.stem not in names:
            continue
        arrays = np.load(folder / framework / f"{file.stem}.npz")
        given = next(arrays[k] for k in arrays.files if k.startswith("in:"))
        keras.backend.clear_session()
        try:
            model = keras.models.load_model(file, compile=False, custom_objects=own)
            good = np.array_equal(np.asarray(model(given, training=False)), arrays["out:0"])
            line = "the same outputs" if good else "other outputs"
        except Exception as problem:  # noqa: BLE001 - what went wrong is the result
            good, line = False, f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
        failed += not good
        print(f"{'ok    ' if good else 'FAILED'} {framework}/{file.name}: {line}", flush=True)
    print(f"{framework} {keras.__version__}: {failed} failed")
    return failed


def main():
    step, first, *rest = sys.argv[1:]
    if step == "make":
        make(pathlib.Path(first), rest[0], rest[1:])
    elif step == "check":
        raise SystemExit(check(first, pathlib.Path(rest[0]), rest[1:]) > 0)
    elif step == "open":
        raise SystemExit(open_all(pathlib.Path(first), rest[0], rest[1:]) > 0)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
