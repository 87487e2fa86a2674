"""float32 latency of libwherry against ONNX Runtime in one process, interleaved, one thread each.

    python latency.py LIBWHERRY_SO WHERRY_COMMAND MODEL.onnx ...

Prints the minimum and median of many short blocks for both, the ratio, and the largest difference of
the outputs. A model's open axes are set to 1.
"""

import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

from wherry_abi import Session


def block(run, seconds=0.02):
    """Microseconds a run, averaged over a block of about `seconds`."""
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    count = max(1, int(seconds / max(once, 1e-7)))
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count * 1e6


def main():
    library, command, *models = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    print(f"{'model':40} {'wherry':>10} {'ort':>10} {'min ratio':>9} {'med ratio':>9} {'difference':>10}")
    for model in models:
        peer = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(1)
        feed = {}
        for value in peer.get_inputs():
            shape = [d if isinstance(d, int) and d > 0 else 1 for d in value.shape]
            feed[value.name] = rng.uniform(-1, 1, shape).astype(np.float32)
        with tempfile.NamedTemporaryFile(suffix=".wherry") as file:
            subprocess.run([command, "convert", model, file.name, "--plan-only"], check=True)
            ours = Session(library, file.name)
            expected = dict(zip([o.name for o in peer.get_outputs()], peer.run(None, feed)))
            actual = ours.run(feed)
            worst = max(float(np.max(np.abs(actual[k] - expected[k]))) for k in expected)
            ort = peer.io_binding()
            for name, value in feed.items():
                ort.bind_cpu_input(name, value)
            for output in peer.get_outputs():
                ort.bind_output(output.name)
            a, b = [], []
            for _ in range(40):
                a.append(block(ours.invoke))
                b.append(block(lambda: peer.run_with_iobinding(ort)))
        name = "/".join(model.split("/")[-2:])[-40:]
        print(f"{name:40} {min(a):10.1f} {min(b):10.1f} {min(a) / min(b):9.2f} "
              f"{np.median(a) / np.median(b):9.2f} {worst:10.2e}")


if __name__ == "__main__":
    main()
