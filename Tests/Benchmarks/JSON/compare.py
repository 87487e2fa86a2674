"""Reading and writing beside orjson: the same documents, taking turns, the minimum of many.

Usage: python compare.py EXECUTABLE [ROUNDS]     (the executable is what build.sh prints)
"""

import subprocess
import sys
import tempfile
import time

import orjson

PER_ROUND = 3
CASES = [
    # name, elements, decimalElements that gives the same document again
    ("base64", 5_000_000, 0),
    ("floats", 2_000_000, 2**62),
    ("doubles", 1_000_000, 2**62),
]


def least(count, body):
    best = float("inf")
    for _ in range(count):
        start = time.perf_counter()
        body()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    executable = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10

    def ask(command):
        executable.stdin.write(command + "\n")
        executable.stdin.flush()
        return executable.stdout.readline().strip()

    print(f"{'document':10} {'MB':>6} {'read':>8} {'loads':>8} {'ratio':>6} {'write':>8} {'dumps':>8} {'ratio':>6}  (ms)")
    with tempfile.TemporaryDirectory() as folder:
        for name, elements, decimals in CASES:
            path = f"{folder}/{name}.json"
            ask(f"make {name} {elements} {path}")
            text = open(path, "rb").read()
            value = orjson.loads(text)
            assert orjson.dumps(value) == text or name == "doubles", "not the same document"
            read = loads = write = dumps = float("inf")
            for _ in range(rounds):
                read = min(read, float(ask(f"read {PER_ROUND} {path}")))
                loads = min(loads, least(PER_ROUND, lambda: orjson.loads(text)))
                write = min(write, float(ask(f"write {PER_ROUND} {path} {decimals}")))
                dumps = min(dumps, least(PER_ROUND, lambda: orjson.dumps(value)))
            print(
                f"{name:10} {len(text) / 1e6:6.1f} {read * 1e3:8.2f} {loads * 1e3:8.2f} {read / loads:6.2f}"
                f" {write * 1e3:8.2f} {dumps * 1e3:8.2f} {write / dumps:6.2f}"
            )


main()
