"""Asks onnx.checker and ONNX Runtime about models that `wherry quantize` writes.

    python quantized.py WHERRY [FOLDER] [--peer] [--only NAME ...]

FOLDER holds NAME.onnx with NAME.calibration.npy (one input, samples along the first axis); without it the digits of
fixtures/ are used. Each model is quantized in every mode; the result has to pass `check_model(full_check=True)`, run
in ONNX Runtime, and give there what it gives in Wherry: at most a step of the output's scale apart, but for a
thousandth of the elements, since ONNX Runtime dequantizes, computes in float32 and rounds where ties may fall either
way. `--peer` quantizes with onnxruntime.quantization on the same samples as well and prints both signal-to-noise
ratios. Exit code 1 when anything fails.
"""

import argparse
import logging
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

MODES = {
    "full": [], "int8 io": ["--io", "int8"], "uint8 io": ["--io", "uint8"],
    "weights only": ["--weights-only"], "dynamic": ["--dynamic"],
}


def session(path, optimized=False):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(path, samples):
    """Every output, samples joined along the first axis."""
    opened = session(path)
    given = opened.get_inputs()[0]
    step = given.shape[0] if isinstance(given.shape[0], int) else 1
    parts = [opened.run(None, {given.name: samples[at:at + step]}) for at in range(0, len(samples), step)]
    return [np.concatenate(each) for each in zip(*parts)]


def decibels(reference, actual):
    reference, actual = reference.astype(np.float64), actual.astype(np.float64)
    noise = np.sum((reference - actual) ** 2)
    return np.inf if noise == 0 else 10 * np.log10(np.sum(reference ** 2) / noise)


def scale_of(model, value):
    """The scale that an output was dequantized with, or None."""
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    for node in model.graph.node:
        if value in node.output and node.op_type in ("DequantizeLinear", "QuantizeLinear"):
            return float(constants[node.input[1]])
    return None


def entry_scale(model, name):
    """Scale and zero point of a quantized input."""
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] == name:
            return float(constants[node.input[1]]), int(constants[node.input[2]])
    raise SystemExit(f"{name} goes into no DequantizeLinear")


def wherry_run(command, path, samples, folder):
    """Every output of the command's own run, one call for each batch that the model takes."""
    data, out = folder / "x.npy", folder / "out"
    opened = session(path)
    first = opened.get_inputs()[0].shape[0]
    step = first if isinstance(first, int) else len(samples)
    names = [each.name for each in opened.get_outputs()]
    parts = []
    for at in range(0, len(samples), step):
        np.save(data, samples[at:at + step])
        subprocess.run([command, "run", path, "-i", data, "-o", out], check=True, stderr=subprocess.DEVNULL)
        parts.append([np.load(out / (name.replace("/", "_") + ".npy")) for name in names])
    return [np.concatenate(each) for each in zip(*parts)]


def check(command, name, source, samples, calibration, folder):
    failures = 0
    expected = run(source, samples)
    for mode, arguments in MODES.items():
        target = folder / "quantized.onnx"
        call = [command, "quantize", source, target, *arguments]
        if "--weights-only" not in arguments and "--dynamic" not in arguments:
            call += ["--calibrate", calibration]
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
        model = onnx.load(target)
        onnx.checker.check_model(model, full_check=True)
        given = samples
        if "--io" in arguments:
            scale, zero = entry_scale(model, model.graph.input[0].name)
            limits = np.iinfo(np.int8 if "int8" in arguments else np.uint8)
            given = np.clip(np.rint(samples / np.float32(scale)) + zero, limits.min, limits.max).astype(limits.dtype)
        theirs, ours = run(target, given), wherry_run(command, target, given, folder)
        for output, float_output, a, b in zip(model.graph.output, expected, theirs, ours):
            scale = scale_of(model, output.name)
            step = 1 if a.dtype != np.float32 else scale or 1e-2 * np.abs(float_output).max()
            far = np.mean(np.abs(a.astype(np.float64) - b) > 1.001 * step)
            ok = far <= 1e-3 and a.shape == b.shape
            failures += not ok
            quality = f"{decibels(float_output, a):6.1f} dB of the float model" if a.dtype == np.float32 else ""
            print(f"{name:24} {mode:12} {output.name[:24]:24} {'ok' if ok else 'FAILED':6} against Wherry "
                  f"{decibels(a, b):6.1f} dB, {far:.2%} beyond a step; {quality}", flush=True)
    return failures


def peer(command, name, source, samples, calibration, folder):
    """Signal-to-noise ratios of ours and of onnxruntime.quantization's best method."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType
    from onnxruntime.quantization import quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.disable(logging.WARNING)
    model = onnx.load(source)
    if model.opset_import[0].version < 13:
        model = onnx.version_converter.convert_version(model, 13)
    lifted, prepared = folder / "lifted.onnx", folder / "prepared.onnx"
    onnx.save(model, lifted)
    quant_pre_process(str(lifted), str(prepared), skip_symbolic_shape=True)
    data = np.load(calibration)
    given = session(source).get_inputs()[0]
    step = given.shape[0] if isinstance(given.shape[0], int) else 1

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.at = 0

        def get_next(self):
            self.at += step
            return {given.name: data[self.at - step:self.at]} if self.at <= len(data) else None

    expected = run(source, samples)
    results = {}
    for method in (CalibrationMethod.MinMax, CalibrationMethod.Percentile, CalibrationMethod.Entropy):
        target = folder / "peer.onnx"
        quantize_static(
            str(prepared), str(target), Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8, calibrate_method=method)
        results[method.name] = min(map(decibels, expected, run(target, samples)))
    target = folder / "quantized.onnx"
    subprocess.run(
        [command, "quantize", source, target, "--calibrate", calibration], check=True, stdout=subprocess.DEVNULL)
    ours = min(map(decibels, expected, run(target, samples)))
    best = max(results.values())
    print(f"{name:24} ours {ours:.1f} dB, onnxruntime.quantization "
          + ", ".join(f"{key} {value:.1f}" for key, value in results.items())
          + ("" if ours >= best else "  WORSE"), flush=True)
    return ours < best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    fixtures = pathlib.Path(__file__).resolve().parents[3] / "fixtures"
    cases = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if arguments.folder:
            for calibration in sorted(arguments.folder.glob("*.calibration.npy")):
                name = calibration.name.removesuffix(".calibration.npy")
                if not arguments.only or name in arguments.only:
                    cases.append((name, arguments.folder / f"{name}.onnx", calibration))
        else:
            images = np.fromfile(fixtures / "golden/digits_images.f32", np.float32).reshape(-1, 1, 8, 8)
            np.save(folder / "digits.npy", images)
            cases.append(("digits_cnn", fixtures / "models/digits_cnn.onnx", folder / "digits.npy"))
        failures = 0
        for name, source, calibration in cases:
            samples = np.load(calibration)[:8]
            failures += check(arguments.command, name, source, samples, calibration, folder)
            if arguments.peer:
                samples = np.load(calibration)[:100]
                failures += peer(arguments.command, name, source, samples, calibration, folder)
    print(f"{failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
