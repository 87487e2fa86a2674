"""Latency of Wherry beside LiteRT, ONNX Runtime and OpenVINO: one thread each, one process, interleaved.

    python peers.py LIBWHERRY COMMAND MODELS [--only NAME ...] [--float] [--rounds N] [--all-forms]

MODELS is a folder that models.py filled; LIBWHERRY is libwherry.so and COMMAND the `wherry` command ("-" for both
runs the peers alone). Every runtime gets every form of a model that it reads and is judged by its fastest.
Pin it to a core that does nothing else: `taskset -c 1 python peers.py ...`.
"""

import argparse
import ctypes
import glob
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnx

import contestants
from contestants import LiteRT, OnnxRuntime, OpenVINO, Wherry

BLOCK = 0.02
SLICE = 0.001
SLOW = 0.5
NAMES = ("ad", "kws_ds_cnn", "resnet8", "vww_mobilenet_v1_025", "mobilenet_v2", "resnet50", "bert_tiny")


class Peak:
    """The machine's multiply-accumulates a second, measured between the others by a C loop (peak.c)."""

    def __init__(self, kind):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peak.c")
        self.folder = tempfile.TemporaryDirectory()
        library = os.path.join(self.folder.name, "peak.so")
        target = ["-march=armv8.2-a+dotprod"] if os.uname().machine == "aarch64" else []
        subprocess.run(["cc", "-O3", "-shared", "-fPIC", *target, "-o", library, source], check=True)
        self.function = getattr(ctypes.CDLL(library), "peak_" + kind)
        self.function.restype, self.function.argtypes = ctypes.c_uint64, [ctypes.c_uint64]
        self.best = 0.0

    def measure(self):
        start = time.perf_counter()
        count = self.function(100_000)
        self.best = max(self.best, count / (time.perf_counter() - start))


class Entry:
    def __init__(self, runtime, form, contestant):
        self.runtime, self.form, self.contestant = runtime, form, contestant
        self.times = []

    def prepare(self, x, expected):
        """Runs it until warm and compares its result with the float model's."""
        self.contestant.set(x)
        self.contestant.run()
        self.decibels = np.nan
        if expected is not None:
            self.decibels = contestants.signal_to_noise(self.contestant.output(), expected)
        start = time.perf_counter()
        self.contestant.run()
        self.once = time.perf_counter() - start

    def block(self):
        """About 20 ms of runs, timed in slices of about 1 ms: short enough that some meet a quiet machine."""
        run, clock = self.contestant.run, time.perf_counter
        count = range(max(1, int(SLICE / self.once)))
        for _ in range(max(1, int(BLOCK / max(self.once, SLICE)))):
            start = clock()
            for _ in count:
                run()
            self.times.append((clock() - start) / len(count) * 1e6)
        self.once = min(self.times) / 1e6


def forms(folder, name, floats, library, command):
    """(runtime, form, function that opens it) of everything that competes."""
    stem = os.path.join(folder, name)
    if floats:
        models = [stem + ".onnx"]
        tflite = [stem + ".float.tflite"]
    else:
        models = sorted(glob.glob(f"{stem}.q*.onnx") + glob.glob(f"{stem}.dynamic.onnx"))
        tflite = [stem + ".int8.tflite"]
    for path in tflite:
        yield "LiteRT", path, lambda p=path: LiteRT(p)
    for path in models:
        yield "ONNX Runtime", path, lambda p=path: OnnxRuntime(p)
    for path in models + ([] if floats else tflite):
        if ".qop" not in path:
            yield "OpenVINO", path, lambda p=path: OpenVINO(p)
            if not floats:
                yield "OpenVINO", path + " bf16", lambda p=path: OpenVINO(p, "")
    if library != "-":
        for path in models:
            yield "Wherry", path, lambda p=path: Wherry(p, library, command)
        if not floats:
            yield "Wherry", stem + ".quantize", lambda: Wherry(
                stem + ".onnx", library, command, stem + ".calibration.npy")


def report_calls(folder, library, command):
    """What a call of each runtime costs, as a network of one small operator shows it."""
    x = np.ones((1, 8), np.float32)
    parts = []
    for entry in open_all(folder, "nothing", True, library, command, x, x):
        for _ in range(10):
            entry.block()
        parts.append(f"{entry.runtime} {min(entry.times):.2f} us")
    print(f"a call, part of every figure: {', '.join(parts)}")


def macs(path):
    """Multiply-accumulates of convolutions and matrix products."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    shapes = {t.name: list(t.dims) for t in model.graph.initializer}
    for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]:
        shapes[value.name] = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
    total = 0
    for node in model.graph.node:
        result = int(np.prod(shapes[node.output[0]])) if node.output[0] in shapes else 0
        if node.op_type == "Conv":
            total += result * int(np.prod(shapes[node.input[1]][1:]))
        elif node.op_type == "Gemm":
            total += result * int(np.prod(shapes[node.input[1]])) // shapes[node.output[0]][-1]
        elif node.op_type == "MatMul":
            total += result * shapes[node.input[0]][-1]
    return total


def label(path, name):
    return os.path.basename(path)[len(name) + 1:].replace(".onnx", "") or "onnx"


def open_all(folder, name, floats, library, command, x, expected):
    entries = []
    for runtime, path, make in forms(folder, name, floats, library, command):
        try:
            entry = Entry(runtime, label(path, name), make())
            entry.prepare(x, expected)
            entries.append(entry)
        except Exception as error:  # each runtime has exceptions of its own
            reason = " ".join(str(error).split())
            print(f"  {runtime} {label(path, name)}: left out, {type(error).__name__} {reason[:200]}")
    return entries


def best_forms(entries):
    """Forms of each runtime that a few interleaved blocks put within a tenth of its fastest, three at most."""
    for index in range(4):
        for entry in entries:
            if index == 0 or entry.once < SLOW:
                entry.block()
    kept = []
    for runtime in dict.fromkeys(entry.runtime for entry in entries):
        own = sorted((e for e in entries if e.runtime == runtime), key=lambda e: e.once)
        kept += [e for e in own[:3] if e.once <= 1.1 * own[0].once]
    return kept


def float_outputs(folder, name, x):
    """What the float model gives, by whichever peer is installed."""
    for runtime, ending in ((OnnxRuntime, ".onnx"), (LiteRT, ".float.tflite"), (OpenVINO, ".onnx")):
        try:
            return contestants.outputs(runtime(os.path.join(folder, name + ending)), x)
        except ImportError as error:
            print(f"no {runtime.__name__}: {error}")
    return None


def compare(folder, name, arguments):
    """Measures one model and returns its line of the summary."""
    reference = os.path.join(folder, name + ".onnx")
    x = np.load(os.path.join(folder, name + ".calibration.npy"))[:1]
    expected = float_outputs(arguments.models, name, x)
    peak = Peak("float" if arguments.float else "int8")
    print(f"\n{name}, {'float32' if arguments.float else 'int8'}")
    entries = open_all(folder, name, arguments.float, arguments.library, arguments.command, x, expected)
    kept = best_forms(entries)
    if not kept:
        return None
    for _ in range(arguments.rounds):
        for entry in kept:
            peak.measure()
            if entry.once < SLOW:
                entry.block()
    count = macs(reference)
    floor = count / peak.best * 1e6
    print(f"{count:,} MACs; this core {peak.best / 1e9:.1f} GMAC/s, which would take {floor:.1f} us")
    print(f"{'runtime':14} {'form':24} {'min us':>10} {'median us':>10} {'of peak':>8} {'to float':>9}")
    for entry in sorted(entries if arguments.all_forms else kept, key=lambda e: min(e.times)):
        low = min(entry.times)
        print(f"{entry.runtime:14} {entry.form:24} {low:10.2f} {statistics.median(entry.times):10.2f} "
              f"{floor / low:8.1%} {entry.decibels:6.1f} dB")
    times = {}
    for entry in kept:
        times[entry.runtime] = min(times.get(entry.runtime, np.inf), *entry.times)
    rivals = [t for runtime, t in times.items() if runtime != "Wherry"]
    ratio = times["Wherry"] / min(rivals) if "Wherry" in times and rivals else float("nan")
    cells = [f"{times[r]:.1f}" if r in times else "" for r in ("LiteRT", "ONNX Runtime", "OpenVINO", "Wherry")]
    share = f"{floor / times['Wherry']:.0%}" if "Wherry" in times else ""
    return f"| {name} | {count:,} | {floor:.1f} | {' | '.join(cells)} | {ratio:.2f} | {share} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("command")
    parser.add_argument("models")
    parser.add_argument("--only", nargs="+", default=NAMES)
    parser.add_argument("--float", action="store_true")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--all-forms", action="store_true", help="print every form, not only the fastest of each runtime")
    arguments = parser.parse_args()
    if os.path.exists(os.path.join(arguments.models, "nothing.onnx")):
        report_calls(arguments.models, arguments.library, arguments.command)
    lines = []
    for name in arguments.only:
        if not os.path.exists(os.path.join(arguments.models, name + ".onnx")):
            print(f"\n{name}: no such model in {arguments.models}")
            continue
        lines.append(compare(arguments.models, name, arguments))
    print("\nMinimum microseconds\n\n| model | MACs | floor | LiteRT | ONNX Runtime | OpenVINO | Wherry "
          "| Wherry / best peer | of peak |\n|---|---|---|---|---|---|---|---|---|")
    print("\n".join(line for line in lines if line))


if __name__ == "__main__":
    main()
