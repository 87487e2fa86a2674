"""The trained networks: MLPerf Tiny's anomaly detector and ResNet-8 from the suites, the digits CNN from the fixtures."""

import os
import shutil

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

TRAINING = "mlperf_tiny/benchmark/training"
ANOMALY = f"{TRAINING}/anomaly_detection/trained_models"
CLASSIFIER = f"{TRAINING}/image_classification/trained_models"
CLASSIFIER_ONNX = ("models/mlcommons+tiny_results_v1.2/closed/kai_jiang/code/ic/"
                   "LC236R5E176_BOARD_V2.0/models/pretrainedResnet.onnx")
EPSILON = 1e-3


def anomaly_layers(path):
    """(kernel [in, out], bias, rectified) of each dense layer, batch norm folded as in the float TFLite file."""
    with h5py.File(path) as file:
        weights = file["model_weights"]

        def values(layer, names):
            return [np.array(weights[layer][layer][f"{n}:0"], np.float64) for n in names]

        for index in range(10):
            ending = f"_{index}" if index else ""
            kernel, bias = values("dense" + ending, ("kernel", "bias"))
            norm = "batch_normalization" + ending
            if norm in weights:
                gamma, beta, mean, variance = values(norm, ("gamma", "beta", "moving_mean", "moving_variance"))
                factor = gamma / np.sqrt(variance + EPSILON)
                kernel, bias = kernel * factor, (bias - mean) * factor + beta
            yield kernel.astype(np.float32), bias.astype(np.float32), norm in weights


def write_anomaly_onnx(source, path):
    nodes, initializers, value = [], [], "input"
    for index, (kernel, bias, rectified) in enumerate(anomaly_layers(source)):
        initializers += [numpy_helper.from_array(np.ascontiguousarray(kernel.T), f"dense_{index}.weight"),
                         numpy_helper.from_array(bias, f"dense_{index}.bias")]
        nodes.append(helper.make_node("Gemm", [value, f"dense_{index}.weight", f"dense_{index}.bias"],
                                      [f"dense_{index}"], name=f"dense_{index}", transB=1))
        value = f"dense_{index}"
        if rectified:
            nodes.append(helper.make_node("Relu", [value], [f"relu_{index}"], name=f"relu_{index}"))
            value = f"relu_{index}"
    nodes[-1].output[0] = "output"
    ends = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 640])] for n in ("input", "output")]
    graph = helper.make_graph(nodes, "ad", *ends, initializers)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    onnx.save(model, path)


def emit_anomaly(suites, stem):
    write_anomaly_onnx(f"{suites}/{ANOMALY}/ad01.h5", stem + ".onnx")
    shutil.copyfile(f"{suites}/{ANOMALY}/ad01_fp32.tflite", stem + ".float.tflite")
    shutil.copyfile(f"{suites}/{ANOMALY}/ad01_int8.tflite", stem + ".int8.tflite")


def emit_classifier(suites, stem):
    """The ONNX file is of operator set 11, which has no per-channel quantization: it is lifted to 17."""
    model = version_converter.convert_version(onnx.load(f"{suites}/{CLASSIFIER_ONNX}"), 17)
    onnx.save(model, stem + ".onnx")
    shutil.copyfile(f"{suites}/{CLASSIFIER}/pretrainedResnet.tflite", stem + ".float.tflite")
    shutil.copyfile(f"{suites}/{CLASSIFIER}/pretrainedResnet_quant.tflite", stem + ".int8.tflite")


def emit_digits(_, stem):
    fixtures = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/models")
    shutil.copyfile(f"{fixtures}/digits_cnn.onnx", stem + ".onnx")


FROM_SUITES = {"ad": emit_anomaly, "resnet8": emit_classifier}
TRAINED = FROM_SUITES | {"digits_cnn": emit_digits}


def present(suites):
    return os.path.isdir(f"{suites}/{TRAINING}")
