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
is above 1e-5, where the ONNX file has Transposes other than at inputs and before a Flatten, or where an entry changed.
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


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
