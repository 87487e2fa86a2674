"""How often a quantized model gives the float model's answer, and how far its outputs are.

    python accuracy.py DATA FLOAT MODEL ... [--count N] [--library LIBWHERRY --command WHERRY]

DATA is `digits` (the held-out handwritten digits of fixtures/golden: the first 100 calibrate, the others test),
`cifar` (ResNet-8: 100 crops of photographs calibrate, pictures of CIFAR-10, shifted and mirrored, test; see photographs.py),
`crops` (other such crops test), `resnet8` (made pictures, see below) or an .npy file of inputs. A MODEL is an .onnx file (run
by ONNX Runtime), a .tflite file (LiteRT), a .wherry file or `wherry:FILE` (converted by the command, run in the library), or the
word `quantize`: the command then quantizes FLOAT with the calibration part of DATA (`wherry quantize IN OUT
--calibrate DATA.npy`) and the library runs the result; or `quantize_static`: ONNX Runtime quantizes FLOAT with the same data and runs it.

How often two models agree says more about the pictures than about the models unless the float model is sure of them: half of all
made pictures and crops are within 1.5 of two answers (in the logarithm of the probability), half of the CIFAR-10 pictures
within 5.5. The margins are printed. Made pictures are noise of power 1/f, gradients and filled shapes, seeded.
"""

import argparse
import os
import sys
import tempfile

import numpy as np

import calibration
import contestants

def data(name, count):
    """(calibration inputs, test inputs, labels or None)."""
    if name == "digits":
        images, labels = calibration.digits()
        return images[:100], images[100:][:count], labels[100:][:count]
    if name in ("cifar", "crops"):
        import photographs
        calibrating = photographs.crops(100)
        if name == "crops":
            return calibrating, photographs.crops(count, seed=1), None
        return calibrating, *photographs.cifar(count, seed=1)
    if name.endswith(".npy"):
        inputs = np.load(name)
        return inputs[:100], inputs[:count], None
    return calibration.samples(name), calibration.samples(name, count, seed=1), None


def opened(model, arguments, calibrate):
    """The runtime of a model file."""
    if model == "quantize_static":
        import quantized_onnx
        stem = os.path.join(os.path.dirname(calibrate), "static")
        quantized_onnx.quantize(arguments.float, np.load(calibrate), stem)
        return contestants.opened(stem + ".qdq_s8.onnx")
    if model != "quantize" and not model.startswith("wherry:") and not model.endswith(".wherry"):
        return contestants.opened(model)
    if not (arguments.library and arguments.command):
        sys.exit(f"{model} needs --library and --command")
    if model == "quantize":
        return contestants.Wherry(arguments.float, arguments.library, arguments.command, calibrate)
    return contestants.Wherry(model.removeprefix("wherry:"), arguments.library, arguments.command)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("float")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--library")
    parser.add_argument("--command")
    arguments = parser.parse_args()
    calibrating, inputs, labels = data(arguments.data, arguments.count)
    folder = tempfile.TemporaryDirectory()
    calibrate = os.path.join(folder.name, "calibration.npy")
    np.save(calibrate, calibrating)
    expected = contestants.outputs(opened(arguments.float, arguments, calibrate), inputs).reshape(len(inputs), -1)
    answers = expected.argmax(1)
    counts = np.bincount(answers, minlength=min(expected.shape[1], 10))[:10]
    print(f"{len(inputs)} inputs; the float model's answers are spread {counts.tolist()}")
    best = np.sort(np.log(np.maximum(expected, 1e-30)), axis=1) if np.all(expected >= 0) else np.sort(expected, axis=1)
    low, middle = np.quantile(best[:, -1] - best[:, -2], [0.05, 0.5])
    print(f"the best answer is ahead of the second by {middle:.2f} in the median, by {low:.2f} or less in every twentieth")
    if labels is not None:
        print(f"{'float model':40} right {np.mean(answers == labels):8.2%}")
    for model in arguments.models:
        actual = contestants.outputs(opened(model, arguments, calibrate), inputs).reshape(len(inputs), -1)
        agree = np.sum(actual.argmax(1) == answers)
        right = "" if labels is None else f"right {np.mean(actual.argmax(1) == labels):8.2%}  "
        name = "wherry:" * model.startswith("wherry:") + os.path.basename(model)
        print(f"{name:40} {right}agrees {agree} of {len(inputs)} ({agree / len(inputs):.2%})  "
              f"{contestants.signal_to_noise(actual, expected):.1f} dB", flush=True)


if __name__ == "__main__":
    main()
