"""int8 beside float32 of the same networks, on every instruction set that this processor has.

    python instruction_sets.py LIBWHERRY COMMAND MODELS [--only NAME ...] [--rounds N]

MODELS is a folder that models.py filled. Each line is a network, each column what the library may use at most; a cell
holds the int8 latency, in microseconds, and its ratio to the float32 latency. Minima of interleaved blocks.
Exit code 1 when int8 is slower anywhere.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

from peers import NAMES
from wherry_abi import Session

AVX2, AVX512, AVX_VNNI, AVX512_VNNI, SSE2, NEON, DOTPROD, I8MM = (1 << bit for bit in (0, 1, 2, 3, 4, 8, 9, 10))
SETS = {
    "x86_64": {"all": 0, "no VNNI": AVX_VNNI | AVX512_VNNI, "AVX2": AVX512 | AVX_VNNI | AVX512_VNNI,
               "SSE2": 0xFFFFFFFF ^ SSE2},
    "aarch64": {"all": 0, "no i8mm": I8MM, "NEON": I8MM | DOTPROD, "scalar": 0xFFFFFFFF},
}
BLOCK = 0.02


class Runner:
    def __init__(self, library, path, mask):
        self.session = Session(library, path, mask)
        values = np.random.default_rng(1)
        for index, size, _, element in self.session.inputs.values():
            if np.issubdtype(element, np.floating):
                data = values.standard_normal(size // np.dtype(element).itemsize).astype(element)
            else:
                data = values.integers(0, 100, size // np.dtype(element).itemsize).astype(element)
            self.session.check(self.session.lib.wherry_set_input(
                self.session.handle, index, data.ctypes.data_as(np.ctypeslib.ctypes.c_void_p), data.nbytes))
        self.best = np.inf
        self.session.check(self.session.invoke())

    def block(self):
        end = time.perf_counter() + BLOCK
        count = max(1, int(0.001 / self.best)) if np.isfinite(self.best) else 1
        while True:
            start = time.perf_counter()
            for _ in range(count):
                self.session.invoke()
            now = time.perf_counter()
            self.best = min(self.best, (now - start) / count)
            if now >= end:
                return


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("command")
    parser.add_argument("models")
    parser.add_argument("--only", nargs="*", default=NAMES)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    sets = SETS[os.uname().machine]
    print(f"{'':24}" + "".join(f"{name:>18}" for name in sets))
    slower = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only:
            plans = []
            for form in (".qdq_s8.onnx", ".onnx"):
                plans.append(os.path.join(folder, name + form + ".wherry"))
                subprocess.run([options.command, "convert", os.path.join(options.models, name + form), plans[-1],
                                "--plan-only", "--no-self-test"], check=True, stdout=subprocess.DEVNULL)
            line = f"{name:24}"
            for mask in sets.values():
                runners = [Runner(os.path.abspath(options.library), plan, mask) for plan in plans]
                for _ in range(options.rounds):
                    for runner in runners:
                        runner.block()
                ratio = runners[0].best / runners[1].best
                slower += ratio > 1
                line += f"{runners[0].best * 1e6:10.1f} ({ratio:.2f})"
            print(line, flush=True)
    return slower > 0


if __name__ == "__main__":
    sys.exit(main())
