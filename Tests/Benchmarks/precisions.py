"""In which precision OpenVINO runs each kind of layer of a model: whether int8 is int8.

    python precisions.py MODEL ...
"""

import collections
import sys

import openvino

from contestants import openvino_model


def main():
    for path in sys.argv[1:]:
        compiled = openvino.Core().compile_model(openvino_model(path), "CPU", {
            "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
        layers = collections.Counter()
        for node in compiled.get_runtime_model().get_ops():
            facts = node.get_rt_info()
            kind, precision, kernel = (facts[k].value for k in ("layerType", "runtimePrecision", "primitiveType"))
            if kind not in ("Const", "Input", "Output", "Reshape"):
                layers[kind, precision, kernel] += 1
        print(path)
        for (kind, precision, kernel), count in sorted(layers.items()):
            print(f"  {count:4} {kind:20} {precision:6} {kernel}")


if __name__ == "__main__":
    main()
