"""Time and peak memory of converting a 100 MB ONNX model, against onnx.load + onnx.save in one run.

    python conversion.py WHERRY_COMMAND
"""

import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def build(path):
    """A chain of dense layers with 100 MB of seeded weights."""
    rng = np.random.default_rng(3)
    width, layers = 1600, 10
    weights = [numpy_helper.from_array(rng.standard_normal((width, width)).astype(np.float32) / 40, f"w{i}")
               for i in range(layers)]
    nodes = []
    for i in range(layers):
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"y{i}"]))
        nodes.append(helper.make_node("Relu", [f"y{i}"], [f"x{i + 1}"]))
    graph = helper.make_graph(
        nodes, "dense", [helper.make_tensor_value_info("x0", TensorProto.FLOAT, [1, width])],
        [helper.make_tensor_value_info(f"x{layers}", TensorProto.FLOAT, [1, width])], weights)
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)]), path)


# A child's peak counts the process it was forked from, so a small one does the forking.
WAITER = """
import os, sys, time
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(status, time.perf_counter() - start, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)
"""


def measure(arguments):
    """Seconds, peak resident bytes and seconds of processor time of a command."""
    done = subprocess.run([sys.executable, "-S", "-c", WAITER, *arguments], capture_output=True, text=True)
    status, seconds, peak, processor = done.stdout.split()[-4:]
    if int(status):
        sys.exit(f"{arguments} failed: {done.stderr}")
    return float(seconds), int(peak), float(processor)


def main():
    command = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/dense.onnx"
        build(model)
        size = os.path.getsize(model)
        peer = "import onnx, sys; onnx.save(onnx.load(sys.argv[1]), sys.argv[2])"
        # What Python's own start and imports cost is left out: only load and save are compared.
        timed = ("import onnx, sys, time; t = time.perf_counter(); onnx.save(onnx.load(sys.argv[1]), sys.argv[2]);"
                 "print(time.perf_counter() - t)")
        jobs = {f"wherry onnx -> {ending}": [command, "convert", model, f"{folder}/out.{ending}"]
                for ending in ("onnx", "wherry", "json")}
        times = {name: [] for name in jobs}
        peaks = {name: 0 for name in jobs}
        inner = []
        for _ in range(5):
            for name, arguments in jobs.items():
                seconds, peak, _ = measure(arguments)
                times[name].append(seconds)
                peaks[name] = max(peaks[name], peak)
            inner.append(float(subprocess.run(
                [sys.executable, "-c", timed, model, f"{folder}/peer.onnx"],
                check=True, capture_output=True, text=True).stdout))
        whole, peak, _ = measure([sys.executable, "-c", peer, model, f"{folder}/peer.onnx"])
        print(f"model {size / 1e6:.1f} MB")
        print(f"onnx.load + onnx.save: {min(inner):.3f} s, whole process {whole:.3f} s, peak {peak / size:.2f} x file")
        for name in jobs:
            print(f"{name}: {min(times[name]):.3f} s, ratio {min(times[name]) / min(inner):.2f}, "
                  f"peak {peaks[name] / size:.2f} x file")


if __name__ == "__main__":
    main()
