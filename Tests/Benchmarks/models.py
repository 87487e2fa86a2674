"""Makes the benchmark models: float ONNX, int8 ONNX in several forms, float and int8 TFLite, calibration data.

    python models.py OUT [SUITES] [--only NAME ...]

Weights and data come from a fixed seed; the same versions of the tools write the same bytes. MLPerf Tiny's two
trained networks are left out without SUITES (the folder that WHERRY_SUITES names). Prints the size of every file
and how far it is from the float ONNX model: the signal to noise ratio of the outputs over a few inputs.
"""

import argparse
import glob
import logging
import os

import numpy as np

import calibration
import contestants
import quantized_onnx
import trained_models
from networks import NETWORKS
from onnx_builder import OnnxBuilder

OPSETS = {"bert_tiny": 20}


def emit(name, suites, stem):
    """Writes every file of one network."""
    inputs = calibration.samples(name)
    np.save(stem + ".calibration.npy", inputs)
    if name in NETWORKS:
        import tensorflow_builder
        builder = OnnxBuilder(OPSETS.get(name, 17))
        builder.finish(name, NETWORKS[name](builder), stem + ".onnx")
        tensorflow_builder.emit(NETWORKS[name], inputs, stem)
    else:
        trained_models.TRAINED[name](suites, stem)
    if name != "nothing":
        quantized_onnx.quantize(stem + ".onnx", inputs, stem, transformer=name == "bert_tiny")


def report(name, stem):
    inputs = np.load(stem + ".calibration.npy")[:8]
    expected = contestants.outputs(contestants.opened(stem + ".onnx"), inputs)
    for path in sorted(glob.glob(f"{stem}.*onnx") + glob.glob(f"{stem}.*.tflite")):
        ratio = contestants.signal_to_noise(contestants.outputs(contestants.opened(path), inputs), expected)
        print(f"{os.path.basename(path):40} {os.path.getsize(path):10} bytes  {ratio:6.1f} dB", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("suites", nargs="?")
    parser.add_argument("--only", nargs="+", default=[*NETWORKS, *trained_models.TRAINED])
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    os.makedirs(arguments.out, exist_ok=True)
    for name in arguments.only:
        if name in trained_models.FROM_SUITES and not (arguments.suites and trained_models.present(arguments.suites)):
            print(f"{name}: skipped, no suites")
            continue
        stem = os.path.join(arguments.out, name)
        emit(name, arguments.suites, stem)
        report(name, stem)


if __name__ == "__main__":
    main()
